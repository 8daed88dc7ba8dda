"""What a test host is asked to be, and the files that make it so."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from typing import Literal

from tests.hosts.gpus import CARDS, hardware_state

USER = "ops"
PASSWORD = "correct horse"  # of the user, where sudo asks for one
OS_RELEASE = {
    "ubuntu-24.04": 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\n'
    'VERSION="24.04.3 LTS (Noble Numbat)"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n',
    "ubuntu-22.04": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\n'
    'VERSION="22.04.5 LTS (Jammy Jellyfish)"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n',
    "rhel-9": 'NAME="Red Hat Enterprise Linux"\nVERSION="9.6 (Plow)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.6"\n'
    'PLATFORM_ID="platform:el9"\nPRETTY_NAME="Red Hat Enterprise Linux 9.6 (Plow)"\n',
}
Sudo = Literal["nopasswd", "password", "none"]


@dataclass(frozen=True, slots=True)
class Disk:
    """A small file system of its own: writing past its end is a real ENOSPC.  It outlives a reboot."""

    path: str
    mib: int
    inodes: int | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """One test host, as ordered.  `os` other than debian-12 is os-release text alone; everything below is Debian 12."""

    os: str = "debian-12"
    sudo: Sudo = "nopasswd"
    gpu: str | None = None
    gpus: int = 0
    disk: Disk | None = None
    repository: bool = True  # apt knows the loopback repository and its key from the start

    def __post_init__(self) -> None:
        if self.os != "debian-12" and self.os not in OS_RELEASE:
            raise ValueError(f"os: {self.os!r} is none of debian-12, {', '.join(OS_RELEASE)}")
        if self.gpu is not None and self.gpu not in CARDS:
            raise ValueError(f"gpu: {self.gpu!r} is none of {', '.join(CARDS)}")
        if (self.gpu is None) != (self.gpus == 0):
            raise ValueError("gpu and gpus go together: name a card and how many, or neither")

    @property
    def simulated(self) -> str:
        """What on this host is scripted, one thing a line: /etc/beachhead-simulated."""
        said = ["kernel name, boot id, kernel log, loaded modules: scripted", "NVIDIA and Docker packages: scripted"]
        if self.gpus:
            said.append(f"GPUs: {self.gpus}x {self.gpu}, scripted")
        if self.os != "debian-12":
            said.append(f"operating system: os-release says {self.os}, the rest is Debian 12")
        return "\n".join(said) + "\n"


def files(spec: Spec, name: str, host_key: tuple[str, str], client_key: str, source: str, keyring: str) -> bytes:
    """The tar file that turns the image into this host; `docker cp` unpacks it at the root."""
    packed = io.BytesIO()
    rules = {"nopasswd": f"{USER} ALL=(ALL:ALL) NOPASSWD: ALL\n", "password": f"{USER} ALL=(ALL:ALL) ALL\n"}
    with tarfile.open(fileobj=packed, mode="w") as tar:
        _add(tar, "etc/ssh/ssh_host_ed25519_key", host_key[0], 0o600)
        _add(tar, "etc/ssh/ssh_host_ed25519_key.pub", host_key[1])
        _add(tar, f"home/{USER}/.ssh/authorized_keys", client_key, 0o600, uid=1000)
        _add(tar, f"etc/sudoers.d/{USER}", rules.get(spec.sudo, "# no rule for this user\n"), 0o440)
        _add(tar, "etc/sudoers", SUDOERS, 0o440)
        _add(tar, "var/lib/scripted-nvidia/state.json", json.dumps(hardware_state(name, spec.gpu, spec.gpus), indent=1))
        _add(tar, "etc/beachhead-simulated", spec.simulated)
        if spec.os != "debian-12":
            _add(tar, "usr/lib/os-release", OS_RELEASE[spec.os])
        if spec.os.startswith("ubuntu"):
            _add(tar, "etc/environment", UBUNTU_PATH)
        if spec.repository:
            _add(tar, "etc/apt/sources.list.d/test-hosts.list", source)
            _add(tar, "etc/apt/keyrings/test-hosts.asc", keyring)
    return packed.getvalue()


UBUNTU_PATH = (
    'PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/local/games:/snap/bin"\n'
)
SUDOERS = """\
Defaults env_reset
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
@includedir /etc/sudoers.d
"""


def _add(tar: tarfile.TarFile, path: str, text: str, mode: int = 0o644, uid: int = 0) -> None:
    if uid:
        folder = tarfile.TarInfo(path.rpartition("/")[0])
        folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o700, uid, uid
        tar.addfile(folder)
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode, entry.uid, entry.gid = len(text.encode()), mode, uid, uid
    tar.addfile(entry, io.BytesIO(text.encode()))
