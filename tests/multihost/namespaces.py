"""Two hosts on one machine: each a network and mount namespace of its own, with a real sshd in it.

They share the machine's disk, but each sees a folder of its own at `root`.  Processes share one pid namespace.  SSH
comes in by one interface; a second one joins the two, as a private network does.  (No bridge: where Docker runs, the
kernel takes what crosses a bridge to Docker's rules, which drop it.)
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.ssh import SshHost
from tests.tasks.sshd import CONFIG, SSHD, keygen

SHARED = ("engines", "models")  # the same on both: an environment and a checkpoint, too large to have twice


def require() -> None:
    """Skip where namespaces can't be made; in CI that is a failure."""
    missing = [tool for tool in ("ip", "unshare", SSHD, "nft") if not shutil.which(tool)]
    if os.getuid() == 0 and not missing:
        made = subprocess.run(["ip", "netns", "add", name := f"try{secrets.token_hex(3)}"], capture_output=True)
        if made.returncode == 0:
            run("ip", "netns", "del", name)
            return
        missing = [made.stderr.decode().strip()]
    why = f"no network namespaces here (root, iproute2, util-linux, openssh-server, nftables): {missing}"
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def run(*words: str) -> str:
    """What the command printed; fails with its own words."""
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, f"{' '.join(words)}: {ran.stderr or ran.stdout}"
    return ran.stdout


@dataclass
class Box:
    """One of the hosts: `address` for SSH and for strangers, `inside` for the other host."""

    name: str
    namespace: str
    address: str
    inside: str
    folder: Path
    sshd: subprocess.Popen[bytes]

    def host(self, name: str = "") -> SshHost:
        """A connection of the product's own kind."""
        return SshHost(
            name or self.name,
            address=self.address,
            port=22,
            user="root",
            identity_file=self.folder.parent / "client_key",
            known_hosts=self.folder / "known_hosts",
            connect_timeout=5,
        )


class Pair:
    """Two such hosts; `root` is the path that each sees a folder of its own at."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root, self.tag = folder, root, secrets.token_hex(2)
        self.net = f"10.{200 + secrets.randbelow(50)}.{2 * secrets.randbelow(128)}"
        self.inner = f"{self.net.rpartition('.')[0]}.{int(self.net.rpartition('.')[2]) + 1}"
        self.boxes: list[Box] = []

    def __enter__(self) -> Pair:
        try:
            self._up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def __getitem__(self, index: int) -> Box:
        return self.boxes[index]

    def _up(self) -> None:
        for name in ("root", *SHARED):
            (self.root if name == "root" else self.root / name).mkdir(parents=True, exist_ok=True)
        keygen(self.folder / "client_key")
        Path("/run/sshd").mkdir(exist_ok=True)
        for index in (0, 1):
            run("ip", "netns", "add", self._namespace(index))
        ends = [f"bh{self.tag}i{index}" for index in (0, 1)]
        run("ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for index in (0, 1):
            self._plug(index, ends[index], f"{self.inner}.{index + 1}/24")
            self._box(index)
        for box in self.boxes:
            self._wait(box)

    def _namespace(self, index: int) -> str:
        return f"bh{self.tag}n{index}"

    def _plug(self, index: int, end: str, address: str) -> None:
        """Give one end of a cable to a host."""
        run("ip", "link", "set", end, "netns", self._namespace(index))
        for words in (["addr", "add", address, "dev", end], ["link", "set", end, "up"], ["link", "set", "lo", "up"]):
            run("ip", "-n", self._namespace(index), *words)

    def _box(self, index: int) -> None:
        name, namespace = f"node-{index + 1}", self._namespace(index)
        here, there, address = f"bh{self.tag}h{index}", f"bh{self.tag}t{index}", f"{self.net}.{4 * index + 2}"
        run("ip", "link", "add", here, "type", "veth", "peer", "name", there)
        run("ip", "addr", "add", f"{self.net}.{4 * index + 1}/30", "dev", here)
        run("ip", "link", "set", here, "up")
        self._plug(index, there, f"{address}/30")
        folder = self.folder / name
        own = folder / "root"
        for part in SHARED:
            (own / part).mkdir(parents=True)
        keygen(folder / "host_key")
        public = " ".join((folder / "host_key.pub").read_text().split()[:2])
        (folder / "known_hosts").write_text(f"{address} {public}\n")
        shutil.copy(self.folder / "client_key.pub", folder / "authorized_keys")
        config = CONFIG.format(port=22, root=folder).replace("127.0.0.1", address)
        (folder / "sshd_config").write_text(config)
        shared = "".join(f"mount --bind '{self.root}/{part}' '{own}/{part}' && " for part in SHARED)
        seen = f"mount --make-rprivate / && {shared}mount --rbind '{own}' '{self.root}'"
        script = f"{seen} && exec {SSHD} -D -e -f '{folder}/sshd_config'"
        with (folder / "sshd.log").open("ab") as log:
            words = ["ip", "netns", "exec", namespace, "unshare", "--mount", "sh", "-c", script]
            sshd = subprocess.Popen(words, stderr=log, stdout=log, start_new_session=True)
        self.boxes.append(Box(name, namespace, address, f"{self.inner}.{index + 1}", folder, sshd))

    def _wait(self, box: Box) -> None:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and box.sshd.poll() is None:
            with suppress(Exception):
                host = box.host()
                assert host.run("true").exit == 0
                host.close()
                return
            time.sleep(0.1)
        raise AssertionError(f"{box.name}: sshd did not start:\n{(box.folder / 'sshd.log').read_text()}")

    def down(self) -> None:
        """Every process that is still in one of the namespaces, then the namespaces."""
        for box in self.boxes:
            listed = subprocess.run(["ip", "netns", "pids", box.namespace], capture_output=True, text=True).stdout
            for pid in map(int, listed.split()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                box.sshd.wait(10)
        for index in (0, 1):
            subprocess.run(["ip", "netns", "del", self._namespace(index)], capture_output=True)  # its cables go along
