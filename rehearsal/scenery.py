"""Puts the rehearsal's scenery up and takes it down: keys, the loopback hub, and the SSH server that stands for a host.

Below its folder: ssh/ (keys and pins), run/ (pid files), logs/, and host/ (everything that is done to the host).
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from inventories.errors import Problem
from rehearsal.keys import lay_out
from rehearsal.processes import Started, holder, read_nginx_pid, read_pid_file, start_time

USER = "rehearsal"
DEADLINE_S = 30.0  # importing the servers takes seconds on a busy machine
_children: list[subprocess.Popen[bytes]] = []  # kept, so that those which end before we do are reaped


class SceneryProblem(Problem):
    """A part of the scenery can't be put up."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One server of the scenery: how to start it, and how to see that it answers."""

    name: str
    port: int
    arguments: tuple[str, ...]
    answers: Callable[[int], bool]

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"


def _hub_answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/api/models/beachhead/tiny-k2")
        return connection.getresponse().status in (200, 401)
    return False


def _target_answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        return connection.recv(8) == b"SSH-2.0-"
    return False


def _taken(port: int) -> bool:
    """Whether somebody listens, a second given to a process that is just ending."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            return False
        time.sleep(0.1)
    return True


class Scenery:
    """The servers below one folder; both `up` and `down` may be called at any time and again."""

    def __init__(self, folder: Path, *, ssh_port: int = 22022, hub_port: int = 22080) -> None:
        self.folder = folder.expanduser().resolve()
        self.ssh, self.run, self.logs, self.host = (self.folder / part for part in ("ssh", "run", "logs", "host"))
        ssh = ("rehearsal.target", "--port", str(ssh_port), "--user", USER, "--folder", str(self.ssh))
        self.actors = (
            Actor("hub", hub_port, ("rehearsal.hub", "--port", str(hub_port)), _hub_answers),
            Actor("target", ssh_port, ssh, _target_answers),
        )

    def up(self) -> list[str]:
        """Start what does not run; a line for each part.  Raises SceneryProblem when one can't be had."""
        for folder in (self.ssh, self.run, self.logs, self.host):
            folder.mkdir(parents=True, exist_ok=True)
        self.ssh.chmod(0o700)
        with self._alone():
            lay_out(self.ssh, next(actor.port for actor in self.actors if actor.name == "target"))
            return [self._raise_up(actor) for actor in self.actors]

    def down(self) -> list[str]:
        """Stop what runs on the host, then the servers; a line for each process that was there."""
        said = []
        for path in self._host_pid_files():
            said += [self._stop(path.relative_to(self.folder).as_posix(), process) for process in _named(path)]
        for actor in reversed(self.actors):
            said += [self._stop(actor.name, process) for process in self._read(actor)]
            self._pid_file(actor).unlink(missing_ok=True)
        _children[:] = [child for child in _children if child.poll() is None]
        return [line for line in said if line] or ["nothing was up"]

    def status(self) -> dict[str, dict[str, object]]:
        """For each server whether it runs and answers, where, and its log; under `host` what runs there."""
        shown: dict[str, dict[str, object]] = {}
        for actor in self.actors:
            pid = next((process.pid for process in self._read(actor) if process.alive), None)
            answers = pid is not None and actor.answers(actor.port)
            log = str(self._log(actor))
            shown[actor.name] = {"up": answers, "pid": pid, "address": actor.address, "log": log}
        files = self._host_pid_files()
        pids = [process.pid for path in files for process in _named(path) if process.alive]
        shown["host"] = {"root": str(self.host), "pids": pids}
        return shown

    def _raise_up(self, actor: Actor) -> str:
        process = next((process for process in self._read(actor) if process.alive), None)
        if process and self._answers(actor, process):
            return f"{actor.name} already up on {actor.address} (pid {process.pid})"
        if _taken(actor.port):
            raise SceneryProblem(
                f"port {actor.port} for the {actor.name} is taken by {holder(actor.port)}",
                where=actor.address,
                fix="stop that process, or give the scenery another port",
            )
        process = self._start(actor)
        if not self._answers(actor, process):
            raise self._failure(actor, "ended at once")
        return f"{actor.name} started on {actor.address} (pid {process.pid})"

    def _start(self, actor: Actor) -> Started:
        command = [sys.executable, "-m", *actor.arguments]
        with self._log(actor).open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=Path(__file__).parents[1],
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _children.append(child)
        process = Started(child.pid, start_time(child.pid) or "ended")
        process.write(self._pid_file(actor))
        return process

    def _answers(self, actor: Actor, process: Started) -> bool:
        """Wait until it answers; False when it ends first, SceneryProblem when it takes too long."""
        deadline = time.monotonic() + DEADLINE_S
        while process.alive:
            if actor.answers(actor.port):
                return True
            if time.monotonic() > deadline:
                raise self._failure(actor, f"does not answer after {DEADLINE_S:.0f} s")
            time.sleep(0.05)
        return False

    def _failure(self, actor: Actor, how: str) -> SceneryProblem:
        said = self._log(actor).read_text(errors="replace").strip()[-600:] or "it said nothing"
        return SceneryProblem(
            f"the {actor.name} on port {actor.port} {how}: {said}",
            where=str(self._log(actor)),
            fix="take the scenery down and put it up again; its log says why it failed",
        )

    def _stop(self, name: str, process: Started) -> str:
        if not process.alive:
            return ""
        gone = process.stop()
        return f"{name} {'stopped' if gone else 'does not stop'} (pid {process.pid})"

    def _read(self, actor: Actor) -> tuple[Started, ...]:
        path = self._pid_file(actor)
        return read_pid_file(path) if path.exists() else ()

    def _host_pid_files(self) -> list[Path]:
        """host/**/run/*.pid, the watchdog's first, for it would start again what is stopped."""
        found: list[Path] = []
        for folder, below, _ in os.walk(self.host):
            below[:] = [name for name in below if name != "site-packages"]
            if Path(folder).name == "run":
                found += Path(folder).glob("*.pid")
        return sorted(found, key=lambda path: (path.name != "watch.pid", path))

    def _pid_file(self, actor: Actor) -> Path:
        return self.run / f"{actor.name}.pid"

    def _log(self, actor: Actor) -> Path:
        return self.logs / f"{actor.name}.log"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one `up` at a time run in this folder."""
        with (self.run / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _named(path: Path) -> tuple[Started, ...]:
    return read_nginx_pid(path) if path.name == "nginx.pid" else read_pid_file(path)
