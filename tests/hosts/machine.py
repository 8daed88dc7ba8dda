"""One running test host: its address, its keys, and what a person with a hand on its power switch can do."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tasks.ssh import SshHost
from tests.hosts.docker import EngineError, docker
from tests.hosts.spec import PASSWORD, USER, Spec

BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Machine:
    """A test host.  `run_in_container` is the console: it works whatever the network does."""

    def __init__(self, name: str, container: str, address: str, gateway: str, spec: Spec, folder: Path) -> None:
        self.name, self.container, self.address, self.gateway, self.spec = name, container, address, gateway, spec
        self.folder = folder
        self.client_key, self.known_hosts = folder / "client_key", folder / "known_hosts"

    def host(self, **other: object) -> SshHost:
        """A connection of the product's own kind, with this host's key pinned."""
        given: dict[str, object] = {
            "address": self.address,
            "port": 22,
            "user": USER,
            "identity_file": self.client_key,
            "known_hosts": self.known_hosts,
            "sudo_password": PASSWORD if self.spec.sudo == "password" else None,
            "connect_timeout": 5,
        }
        return SshHost(self.name, **(given | other))  # type: ignore[arg-type]

    def run_in_container(self, command: str, *, check: bool = True, timeout: float = 120) -> str:
        """What a root shell on the console prints; raises EngineError with its words unless it ended well."""
        asked = ["docker", "exec", self.container, "bash", "-c", command]
        ran = subprocess.run(asked, capture_output=True, text=True, timeout=timeout)
        if check and ran.returncode != 0:
            raise EngineError(f"{self.name}: {command}: exit status {ran.returncode}\n{ran.stdout}{ran.stderr}")
        return (ran.stdout + ("" if check else ran.stderr)).strip()

    def start_in_container(self, command: str) -> None:
        """Start a root command on the console and leave it running."""
        docker("exec", "--detach", self.container, "bash", "-c", command)

    def fault(self, name: str, **options: object) -> AbstractContextManager[None]:
        """One fault while the context lasts; its name and options are a function of tests/hosts/faults*.py."""
        from tests.hosts import faults_network, faults_scripted, faults_system

        known: dict[str, Callable[..., AbstractContextManager[None]]]
        known = faults_network.FAULTS | faults_system.FAULTS | faults_scripted.FAULTS
        if name not in known:
            raise ValueError(f"no fault {name!r}; there are {', '.join(sorted(known))}")
        return known[name](self, **options)

    @property
    def boot_id(self) -> str:
        """The boot that runs now."""
        return self.run_in_container(f"cat {BOOT_ID}")

    def reboot(self, timeout: float = 60) -> None:
        """An orderly reboot from the console, waited for.

        By Docker's hand: after a host reboots itself within ten seconds of its boot, Docker waits longer each time.
        """
        before = self.boot_id
        docker("restart", "--time", "30", self.container)
        self.wait_for_boot(after=before, timeout=timeout)

    def reboot_after(self, seconds: float) -> None:
        """Reboot by itself in a while: in the middle of a command."""
        self.start_in_container(f"sleep {seconds}; systemctl reboot")

    def power_off(self) -> None:
        """Take the power away at once."""
        docker("kill", self.container)

    def power_on(self, timeout: float = 60) -> None:
        """Give the power back, and wait until sshd answers."""
        docker("start", self.container)
        self.wait_for_boot(after="", timeout=timeout)

    def wait_for_boot(self, *, after: str, timeout: float = 60) -> None:
        """Until a boot other than `after` has come as far as sshd."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            said = self.run_in_container(f"cat {BOOT_ID}; systemctl is-active ssh.service", check=False).split()
            if len(said) == 2 and said[0] != after and said[1] == "active":
                return
            time.sleep(0.1)
        logs = docker("logs", "--tail", "20", self.container, check=False)
        raise EngineError(f"{self.name} did not boot within {timeout:g} s\n{logs}")

    def kill_ssh_sessions(self) -> None:
        """Kill every SSH session on the host, as a crash of sshd's children would; the server itself stays."""
        self.run_in_container(f"pkill -9 -f '^sshd: {USER}' || true")
