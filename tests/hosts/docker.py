"""The Docker engine that carries the test hosts: one way to call it, and one to have it running."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

LABEL = "beachhead.test-hosts"
_SOCKET_WAIT_S = 60
_PID_FILES = {"dockerd": Path("/var/run/docker.pid"), "containerd": Path("/var/run/docker/containerd/containerd.pid")}


class EngineError(RuntimeError):
    """The Docker engine refused, or is not there."""


def docker(*words: str, stdin: bytes | None = None, timeout: float = 120, check: bool = True) -> str:
    """What `docker WORDS` printed, stripped.  Raises EngineError with Docker's own words."""
    try:
        ran = subprocess.run(["docker", *words], input=stdin, capture_output=True, timeout=timeout)
    except FileNotFoundError:
        raise EngineError("docker is not installed: apt-get install docker.io iptables") from None
    except subprocess.TimeoutExpired:
        raise EngineError(f"docker {' '.join(words)[:200]} did not end within {timeout:g} s") from None
    if check and ran.returncode != 0:
        said = (ran.stderr or ran.stdout).decode(errors="replace").strip()
        raise EngineError(f"docker {' '.join(words)[:200]}: {said[-2000:]}")
    return ran.stdout.decode(errors="replace").strip()


def answers() -> bool:
    """Whether an engine answers on Docker's socket."""
    try:
        docker("version", "--format", "{{.Server.Version}}", timeout=10)
    except EngineError:
        return False
    return True


def missing() -> str | None:
    """What stands in the way of test hosts on this machine, or None."""
    if not shutil.which("docker"):
        return "docker is not installed: apt-get install docker.io iptables"
    if answers():
        return None
    if os.getuid() != 0 or not shutil.which("dockerd"):
        return "no Docker engine answers, and dockerd can't be started here: it needs root and docker.io"
    return None


@contextmanager
def engine(state: Path) -> Iterator[None]:
    """An engine answers while the context lasts; one that tests started is stopped when the last of them leaves.

    Several processes may be in here at once: each holds its share of `USERS`, and who can have all of it is the last.
    """
    folder = Path(tempfile.gettempdir()) / f"beachhead-dockerd-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "door").open("w") as door, (folder / "users").open("w") as users:
        with _locked(door):
            fcntl.flock(users, fcntl.LOCK_SH)
            if start(folder):
                (state / "dockerd.log").symlink_to(folder / "dockerd.log")  # for who reads the folder of a failed run
        try:
            yield
        finally:
            with _locked(door), suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stop(folder)


@contextmanager
def _locked(file: IO[str]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def start(state: Path) -> bool:
    """Start dockerd unless an engine answers already; its pid and log go to `state`.  Says whether it was started."""
    if answers():
        return False
    if (why := missing()) is not None:
        raise EngineError(why)
    state.mkdir(parents=True, exist_ok=True)
    if _left_behind():
        return False
    with (state / "dockerd.log").open("ab") as log:
        process = subprocess.Popen(
            ["dockerd", "--storage-driver=overlay2"], stdout=log, stderr=log, start_new_session=True
        )
    (state / "dockerd.pid").write_text(str(process.pid))
    deadline = time.monotonic() + _SOCKET_WAIT_S
    while time.monotonic() < deadline and process.poll() is None:
        if answers():
            return True
        time.sleep(0.2)
    said = (state / "dockerd.log").read_text(errors="replace")[-2000:]
    raise EngineError(f"dockerd did not come up within {_SOCKET_WAIT_S} s:\n{said}")


def stop(state: Path) -> None:
    """Stop the dockerd that `start` started, by its pid; one that others started is left alone."""
    note = state / "dockerd.pid"
    if not note.exists():
        return
    pid = int(note.read_text())
    note.unlink()
    if not _is_dockerd(pid):
        return
    os.kill(pid, 15)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _is_dockerd(pid):
        time.sleep(0.1)


def _left_behind() -> bool:
    """Whether a dockerd that is just starting came to answer; one that is just ending is waited for.

    A pid file of one that was killed is removed: its number may belong to somebody else by now, and then dockerd (and
    containerd below it) takes that for itself and does not start.
    """
    deadline = time.monotonic() + _SOCKET_WAIT_S
    for program, file in _PID_FILES.items():
        with suppress(OSError, ValueError):
            while _runs(int(file.read_text()), program) and time.monotonic() < deadline:
                if answers():
                    return True
                time.sleep(0.2)
            if not _runs(int(file.read_text()), program):
                file.unlink()
    return False


def _is_dockerd(pid: int) -> bool:
    """Whether `pid` still runs dockerd; a zombie that we started is collected."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return _runs(pid, "dockerd")


def _runs(pid: int, program: str) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == program
    except OSError:
        return False


def labelled(kind: str, fleet: str | None = None) -> list[str]:
    """Ids of every container, network or volume of ours: `kind` is ps, network or volume."""
    wanted = f"label={LABEL}" + (f"={fleet}" if fleet else "")
    listing = {"ps": ("ps", "-aq"), "network": ("network", "ls", "-q"), "volume": ("volume", "ls", "-q")}[kind]
    return docker(*listing, "--filter", wanted).split()


def remove_fleet(fleet: str | None = None) -> int:
    """Remove the containers, volumes and networks of one fleet, or of all; says how many things went."""
    containers, networks = labelled("ps", fleet), labelled("network", fleet)
    if containers:
        docker("rm", "--force", "--volumes", *containers, check=False)
    volumes = labelled("volume", fleet)
    if volumes:
        docker("volume", "rm", "--force", *volumes, check=False)
    for network in networks:
        docker("network", "rm", network, check=False)
    return len(containers) + len(networks) + len(volumes)
