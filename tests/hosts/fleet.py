"""A fleet of test hosts in a private network, with a package server; everything is gone when the context ends.

    with Fleet(2, gpu="h100-80gb", gpus=8) as fleet:
        fleet[0].host().run("nvidia-smi -L")

Names carry a random suffix, and a label by which fleets that a crash left behind are found and removed.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.docker import LABEL, EngineError, docker, remove_fleet
from tests.hosts.image import Images, images
from tests.hosts.inventory import inventory_text
from tests.hosts.machine import Machine
from tests.hosts.owners import OWNER, process, reap
from tests.hosts.spec import PASSWORD, USER, Spec, files
from tests.tasks.sshd import keygen

RIGHTS = (
    "--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_PTRACE", "--cap-add", "SYSLOG",
    "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--cgroupns=private",
    "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp",
    "--env", "container=docker", "--stop-signal", "SIGRTMIN+3", "--restart", "always",
)  # fmt: skip


class Fleet:
    """N test hosts and their package server.  `specs` describes hosts that differ, `options` ones that don't."""

    def __init__(self, n: int = 1, *, specs: list[Spec] | None = None, folder: Path | None = None, **options: Any):
        self.specs = specs or [Spec(**options) for _ in range(n)]
        self.name = f"fleet-{secrets.token_hex(3)}"
        self.machines: list[Machine] = []
        self.subnet = ""
        self.owner = process(str(os.getpid()))  # when it ends, `reap` removes the fleet
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Fleet:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def __getitem__(self, index: int) -> Machine:
        return self.machines[index]

    def __iter__(self) -> Iterator[Machine]:
        return iter(self.machines)

    def __len__(self) -> int:
        return len(self.machines)

    @property
    def folder(self) -> Path:
        """Where the fleet's keys lie."""
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix=f"{self.name}-")
            self._folder = Path(self._temporary.name)
        return self._folder

    @property
    def gateway(self) -> str:
        """This machine's address in the fleet's network: hosts see connections come from here."""
        return f"{self.subnet}.1"

    @property
    def repository_url(self) -> str:
        """The loopback package repository."""
        return f"http://{self.subnet}.2"

    def up(self) -> None:
        """Build what is missing, start everything, and wait until every sshd answers."""
        reap()
        made = images()
        self._network()
        self._package_server(made)
        keygen(self.folder / "client_key")
        keyring = docker("exec", f"{self.name}-packages", "cat", "/srv/packages/key.asc") + "\n"
        with ThreadPoolExecutor(4) as pool:
            self.machines = list(pool.map(lambda i: self._start(i, made, keyring), range(len(self.specs))))
            list(pool.map(lambda machine: machine.wait_for_boot(after=""), self.machines))

    def down(self) -> None:
        """Remove containers, volumes, network and keys."""
        remove_fleet(self.name)
        if self._temporary is not None:
            self._temporary.cleanup()

    def inventory(self, **other: Any) -> str:
        """An inventory file of the whole fleet, as YAML text."""
        return inventory_text(self.name, self.machines, **other)

    @contextmanager
    def packages_stalled(self) -> Iterator[None]:
        """The package server accepts connections and says nothing more."""
        docker("pause", f"{self.name}-packages")
        try:
            yield
        finally:
            docker("unpause", f"{self.name}-packages")

    @contextmanager
    def packages_gone(self) -> Iterator[None]:
        """The package server is down for every host."""
        docker("stop", "--time", "1", f"{self.name}-packages")
        try:
            yield
        finally:
            docker("start", f"{self.name}-packages")
            self._served()

    def _network(self) -> None:
        for _ in range(20):
            subnet = f"10.{100 + secrets.randbelow(100)}.{secrets.randbelow(256)}"
            labels = ("--label", f"{LABEL}={self.name}", "--label", f"{OWNER}={self.owner}")
            try:
                docker("network", "create", "--subnet", f"{subnet}.0/24", *labels, self.name)
            except EngineError as refused:
                if "overlap" not in str(refused):
                    raise
                continue
            self.subnet = subnet
            return
        raise EngineError("no free /24 for the fleet's network in 20 tries")

    def _place(self, name: str, last: int) -> tuple[str, ...]:
        where = ("--network", self.name, "--ip", f"{self.subnet}.{last}")
        return ("--name", name, "--hostname", name, *where, "--label", f"{LABEL}={self.name}")

    def _package_server(self, made: Images) -> None:
        serve = ("python3", "-m", "http.server", "80", "--directory", "/srv/packages")
        rights = ("--init", "--cap-add", "NET_ADMIN")
        docker("run", "--detach", *self._place(f"{self.name}-packages", 2), *rights, made.server, *serve)
        self._served()

    def _served(self) -> None:
        """Wait until the package server answers."""
        ask = ("curl", "--silent", "--fail", "--retry", "50", "--retry-connrefused", "--retry-delay", "0")
        limits = ("--retry-max-time", "15", "--max-time", "20", "--output", "/dev/null")
        docker("exec", f"{self.name}-packages", *ask, *limits, "http://127.0.0.1/key.asc", timeout=30)

    def _start(self, index: int, made: Images, keyring: str) -> Machine:
        spec, name, last = self.specs[index], f"{self.name}-{index}", 11 + index
        folder = self.folder / name
        folder.mkdir()
        host_key = keygen(folder / "host_key")
        public = (folder / "host_key.pub").read_text()
        (folder / "client_key").symlink_to(self.folder / "client_key")
        machine = Machine(name, name, f"{self.subnet}.{last}", self.gateway, spec, folder)
        (folder / "known_hosts").write_text(f"{machine.address} {' '.join(public.split()[:2])}\n")
        source = f"deb [signed-by=/etc/apt/keyrings/test-hosts.asc] {self.repository_url} stable main\n"
        client = (self.folder / "client_key.pub").read_text()
        docker("create", *self._place(name, last), *RIGHTS, *self._disk(spec, name, made), made.host, "/sbin/init")
        packed = files(spec, name, (host_key.read_text(), public), client, source, keyring)
        docker("cp", "-", f"{name}:/", stdin=packed)
        docker("start", name)
        if spec.sudo == "password":
            machine.run_in_container(f"echo '{USER}:{PASSWORD}' | chpasswd")
        return machine

    def _disk(self, spec: Spec, name: str, made: Images) -> tuple[str, ...]:
        """A volume of fixed size, kept mounted by a second container so that it outlives a reboot of the host."""
        if spec.disk is None:
            return ()
        volume, label = f"{name}-disk", ("--label", f"{LABEL}={self.name}")
        size = f"size={spec.disk.mib}m,mode=1777" + (f",nr_inodes={spec.disk.inodes}" if spec.disk.inodes else "")
        options = ("--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", f"o={size}")
        docker("volume", "create", *label, *options, volume)
        docker("run", "--detach", "--name", f"{volume}-holder", *label, "--network", "none", "--init",
               "--volume", f"{volume}:/disk", made.host, "sleep", "infinity")  # fmt: skip
        return ("--volume", f"{volume}:{spec.disk.path}")
