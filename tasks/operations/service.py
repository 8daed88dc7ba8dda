"""A background process of ours on the host, which outlives the connection that started it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from inventories.errors import Problem
from tasks.facts.base import look
from tasks.facts.listener import ListenerFact
from tasks.facts.process import ProcessFact
from tasks.hosts import Host
from tasks.operations.base import Step


class PortTaken(Problem):
    """Something else listens where our process should."""


@dataclass(frozen=True)
class Service:
    """`argv` runs in its own session and listens on `port`; pid and start time lie in `pid_file`.

    `env_file` holds secrets as NAME=value lines, readable by its owner alone; it is read by the shell that
    becomes the process, so that no secret is ever part of a command line.
    """

    title: str
    argv: tuple[str, ...]
    port: int
    pid_file: str
    log_file: str
    env: Mapping[str, str] = field(default_factory=dict)
    env_file: str = ""

    @property
    def name(self) -> str:
        """For a person."""
        return f"{self.title} on port {self.port}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Start it when it doesn't run; refuse when its port is someone else's."""
        if look(host, ProcessFact(self.pid_file)).running:
            return
        listener = look(host, ListenerFact(self.port))
        if listener.busy:
            holder = f"process {listener.holder}" if listener.holder else "a process of another user"
            raise PortTaken(
                f"port {self.port} is taken, and not by our {self.title}",
                where=f"{host.name}: {holder}",
                fix="stop it or choose another port in the inventory; nothing of it was touched",
            )
        yield Step(f"start {self.name}", self.start_command(), timeout=60)

    def start_command(self) -> str:
        """Keep the last log, begin the process in its own session, note pid and start time.

        They are noted at once: an engine that answers before it is noted would be started twice.  It appends to its
        log, so that the watchdog can cut it short.
        """
        env = " ".join(f"{name}={shlex.quote(value)}" for name, value in sorted(self.env.items()))
        source = f"set -a; . {shlex.quote(self.env_file)}; set +a; " if self.env_file else ""
        inner = f"{source}exec env {env} {' '.join(map(shlex.quote, self.argv))}"
        log, pid = shlex.quote(self.log_file), shlex.quote(self.pid_file)
        return (
            f"[ ! -s {log} ] || mv -f {log} {log}.1; "
            f"setsid nohup bash -c {shlex.quote(inner)} >> {log} 2>&1 < /dev/null & p=$!; "
            f"echo $p $(sed 's/.*) //' /proc/$p/stat | cut -d' ' -f20) > {pid}.part && mv -f {pid}.part {pid}"
        )


@dataclass(frozen=True)
class Stopped:
    """The process of `pid_file` does not run."""

    title: str
    pid_file: str
    grace_s: int = 30

    @property
    def name(self) -> str:
        """For a person."""
        return f"{self.title} stopped"

    def plan(self, host: Host) -> Iterator[Step]:
        """Ask its process group to end, insist after `grace_s` seconds, forget the pid file."""
        process = look(host, ProcessFact(self.pid_file))
        if process.pid is None:
            return
        pid, file = process.pid, shlex.quote(self.pid_file)
        yield Step(
            f"stop {self.title} (pid {pid})",
            f"kill -TERM -- -{pid} 2>/dev/null || kill -TERM {pid}; "
            f"for i in $(seq {self.grace_s * 5}); do kill -0 -- -{pid} 2>/dev/null || break; sleep 0.2; done; "
            f"kill -KILL -- -{pid} 2>/dev/null; rm -f {file}",
            timeout=self.grace_s + 30,
        )
