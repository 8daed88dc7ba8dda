"""A real OpenSSH server on loopback for the tests: its own keys, port and configuration, stopped by pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tasks.ssh import SshHost
from tests.ports import free_port

SSHD = "/usr/sbin/sshd"
CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {root}/host_key
PidFile {root}/sshd.pid
AuthorizedKeysFile {root}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
LogLevel VERBOSE
"""


def require_sshd() -> None:
    """Skip where OpenSSH's server is not installed; in CI that is a failure."""
    if Path(SSHD).exists() and shutil.which("ssh-keygen"):
        return
    missing = f"{SSHD} or ssh-keygen is missing: apt-get install openssh-server openssh-client"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def keygen(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


class Sshd:
    """One server below `root`; `user` may log in with `client_key`."""

    def __init__(self, root: Path, user: str | None = None) -> None:
        self.root, self.user, self.port = root, user or pwd.getpwuid(os.getuid()).pw_name, free_port()
        self.client_key, self.known_hosts = keygen(root / "client_key"), root / "known_hosts"
        self.new_host_key()
        self.pin()
        shutil.copy(root / "client_key.pub", root / "authorized_keys")
        (root / "sshd_config").write_text(CONFIG.format(port=self.port, root=root))
        self._process: subprocess.Popen[bytes] | None = None

    def new_host_key(self) -> None:
        for name in ("host_key", "host_key.pub"):
            (self.root / name).unlink(missing_ok=True)
        keygen(self.root / "host_key")

    def pin(self) -> None:
        self.known_hosts.write_text(f"{self.known_hosts_line}\n")

    @property
    def known_hosts_line(self) -> str:
        kind, key = (self.root / "host_key.pub").read_text().split()[:2]
        return f"[127.0.0.1]:{self.port} {kind} {key}"

    @property
    def fingerprint(self) -> str:
        asked = ["ssh-keygen", "-lf", str(self.root / "host_key.pub")]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()[1]

    def host(self, **other: object) -> SshHost:
        given: dict[str, object] = {
            "address": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "identity_file": self.client_key,
            "known_hosts": self.known_hosts,
            "connect_timeout": 5,
        }
        return SshHost("box", **(given | other))  # type: ignore[arg-type]

    def start(self) -> None:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        with (self.root / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.root / "sshd_config"], stderr=log)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                if probe.recv(4) == b"SSH-":
                    return
            time.sleep(0.02)
        raise AssertionError(f"sshd did not start:\n{(self.root / 'sshd.log').read_text()}")

    def stop(self) -> None:
        """Kill the server and the processes of its connections, as a crash would; commands may live on."""
        if self._process is None:
            return
        for pid in [self._process.pid, *self.connections()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def connections(self) -> list[int]:
        """The sshd processes below ours."""
        found: list[int] = []
        waiting = [self._process.pid] if self._process else []
        while waiting:
            for child in _children(waiting.pop()):
                with suppress(OSError):
                    if Path(f"/proc/{child}/comm").read_text().strip().startswith("sshd"):
                        found.append(child)
                        waiting.append(child)
        return found


def _children(pid: int) -> list[int]:
    asked = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in asked.stdout.split()]


@contextmanager
def running_sshd(root: Path, user: str | None = None) -> Iterator[Sshd]:
    require_sshd()
    server = Sshd(root, user)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def running(needle: str) -> list[str]:
    """Command lines on this machine that contain `needle`."""
    lines = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if needle in line]


def gone_within(needle: str, seconds: float) -> bool:
    """Whether no process with `needle` in its command line is left after at most `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not running(needle):
            return True
        time.sleep(0.05)
    return False
