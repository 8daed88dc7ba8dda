"""The images of the test hosts, built once for a recipe: Debian 12 with systemd, sshd, sudo, and the scripted machine.

Two images come out: the host's own, and the package server's, which holds the loopback repository that was built and
signed with a throw-away key.  Both carry the recipe's digest as their tag; a changed recipe builds anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.hosts.docker import LABEL, EngineError, docker
from tests.hosts.packages import CODE, KERNEL, Package, called, catalog

SUITE = "bookworm"
INCLUDED = (
    "ca-certificates", "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "iproute2", "curl", "iputils-ping",
    "procps", "python3", "kmod", "gnupg", "apt-utils", "libfaketime", "unattended-upgrades", "rsync", "bzip2",
)  # fmt: skip
HERE = Path(__file__).resolve().parent
TOOLS = ("uname", "dmesg", "journalctl", "lsmod", "modprobe", "lspci", "mokutil", "update-initramfs", "lsinitramfs")
BOOT_UNIT = """\
[Unit]
Description=Scripted firmware, kernel and GPU driver of a test host
DefaultDependencies=no
Before=sysinit.target systemd-journald.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/python3 -S /usr/lib/scripted-nvidia/boot.py

[Install]
WantedBy=sysinit.target
"""
BUILD = r"""
set -eu
cd /build
install -d /srv/packages/pool /etc/kernel/postinst.d
for tree in debs/*; do dpkg-deb --root-owner-group -Zgzip -z1 --build "$tree" /srv/packages/pool >/dev/null; done
cp -a root/. /
useradd --create-home --shell /bin/bash --groups sudo ops
systemctl enable ssh.service scripted-boot.service >/dev/null 2>&1
systemctl mask systemd-tmpfiles-clean.timer e2scrub_all.timer dpkg-db-backup.timer >/dev/null 2>&1
cd /srv/packages
export GNUPGHOME=/tmp/keys; install -d -m 700 $GNUPGHOME
sign_with() { gpg --batch --quiet --pinentry-mode loopback --passphrase '' "$@"; }
sign_with --quick-generate-key 'Test hosts (throw-away)' ed25519 sign 0
sign_with --armor --export >key.asc
install -d dists/stable/main/binary-amd64
apt-ftparchive packages pool >dists/stable/main/binary-amd64/Packages
apt-ftparchive -o APT::FTPArchive::Release::Origin=Scripted -o APT::FTPArchive::Release::Suite=stable \
  -o APT::FTPArchive::Release::Codename=stable -o APT::FTPArchive::Release::Architectures=amd64 \
  -o APT::FTPArchive::Release::Components=main release dists/stable >/tmp/Release
mv /tmp/Release dists/stable/Release
sign_with --clearsign -o dists/stable/InRelease dists/stable/Release
gpgconf --kill all; rm -rf $GNUPGHOME
dpkg -i pool/linux-image-KERNEL_*.deb >/dev/null
rm -rf /build /run/reboot-required /var/cache/apt/*.bin /etc/apt/sources.list
: >/etc/machine-id
rm -f /etc/ssh/ssh_host_*
"""


@dataclass(frozen=True, slots=True)
class Images:
    """The tags of the two images of one recipe."""

    host: str
    server: str


def digest() -> str:
    """Twelve hex digits that change with anything the images are made of."""
    parts = [SUITE, *INCLUDED, BUILD, BOOT_UNIT, json.dumps([asdict(package) for package in catalog()])]
    parts += [path.read_text() for path in sorted((HERE / "scripted").glob("*.py"))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def images() -> Images:
    """The images of today's recipe, built where they are missing (about a minute; the base alone takes most of it)."""
    tag = digest()
    made = Images(f"beachhead-test-host:{tag}", f"beachhead-test-packages:{tag}")
    if docker("image", "inspect", made.host, made.server, check=False) in ("", "[]"):
        _build(_base(), made)
    else:
        there = json.loads(docker("image", "inspect", made.host, made.server, check=False))
        if len(there) < 2:
            _build(_base(), made)
    return made


def _base() -> str:
    """Plain Debian, cached by its own digest: changing a scripted tool does not fetch Debian again."""
    recipe = hashlib.sha256("\0".join([SUITE, *INCLUDED]).encode()).hexdigest()[:12]
    base = f"beachhead-test-base:{recipe}"
    if docker("images", "-q", base):
        return base
    if not shutil.which("mmdebstrap"):
        raise EngineError("mmdebstrap is not installed: apt-get install mmdebstrap")
    asked = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(INCLUDED)}", SUITE, "-"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as strap:
        taken = subprocess.run(["docker", "import", "-", base], stdin=strap.stdout, capture_output=True)
        said = strap.stderr.read().decode() if strap.stderr else ""
    if strap.returncode != 0 or taken.returncode != 0:
        docker("rmi", "--force", base, check=False)
        raise EngineError(f"mmdebstrap or docker import failed: {said[-1500:]} {taken.stderr.decode()[-500:]}")
    return base


def _build(base: str, made: Images) -> None:
    box = f"beachhead-test-build-{uuid.uuid4().hex[:8]}"
    docker("create", "--name", box, "--label", f"{LABEL}=build", base, "/bin/bash", "/build/build.sh")
    try:
        docker("cp", "-", f"{box}:/", stdin=_context())
        docker("start", box)
        if docker("wait", box, timeout=300) != "0":
            raise EngineError(f"the image could not be built:\n{docker('logs', '--tail', '40', box)}")
        docker("commit", "--change", 'CMD ["/sbin/init"]', box, made.server, timeout=300)
        docker("commit", "--change", 'CMD ["/sbin/init"]', box, made.host, timeout=300)
    finally:
        docker("rm", "--force", box, check=False)


def _context() -> bytes:
    """Everything that the build puts into the base, as one tar file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        _add(tar, "build/build.sh", BUILD.replace("KERNEL", KERNEL))
        for package in catalog():
            _add_package(tar, package)
        for script in sorted((HERE / "scripted").glob("*.py")):
            _add(tar, f"build/root{CODE}/{script.name}", script.read_text())
        for name in TOOLS:
            folder = "usr/sbin" if name == "update-initramfs" else "usr/local/bin"  # dpkg's PATH has no /usr/local
            _add(tar, f"build/root/{folder}/{name}", called("kernel_tools", name), mode=0o755)
        _add(tar, "build/root/etc/systemd/system/scripted-boot.service", BOOT_UNIT)
        _add(tar, "build/root/etc/apt/apt.conf.d/99test-host", 'Acquire::Languages "none";\nAcquire::Retries "0";\n')
    return packed.getvalue()


def _add_package(tar: tarfile.TarFile, package: Package) -> None:
    top = f"build/debs/{package.name}_{package.version.replace(':', '%3a')}"
    control = f"Package: {package.name}\nVersion: {package.version}\nArchitecture: amd64\nSection: restricted/misc\n"
    control += "Maintainer: Test hosts <nobody@localhost>\nDescription: scripted stand-in for a test host\n"
    for title, given in (
        ("Depends", package.depends),
        ("Provides", package.provides),
        ("Conflicts", package.conflicts),
    ):
        control += f"{title}: {given}\n" if given else ""
    _add(tar, f"{top}/DEBIAN/control", control)
    for name, script in package.scripts.items():
        _add(tar, f"{top}/DEBIAN/{name}", f"#!/bin/sh\nset -e\n{script}\n", mode=0o755)
    for path, text in package.files.items():
        if path.endswith("/"):
            entry = tarfile.TarInfo(f"{top}{path.rstrip('/')}")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        else:
            _add(tar, top + path, text, mode=0o755 if text.startswith("#!") else 0o644)


def _add(tar: tarfile.TarFile, path: str, text: str, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(text.encode()), mode
    tar.addfile(entry, io.BytesIO(text.encode()))
