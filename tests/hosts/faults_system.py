"""Real faults of a host's own system: packages, disks, rights, clock.  Each takes its change back at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from shlex import quote

from tests.hosts.faults_waiting import restart_sshd, until
from tests.hosts.machine import Machine
from tests.hosts.spec import USER

NOTES = "/var/lib/scripted-nvidia"
SKEW = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
HOLDER = """\
#!/usr/bin/python3
import fcntl, time
held = [open(path, "w") for path in {paths!r}]
for file in held:
    fcntl.lockf(file, fcntl.LOCK_EX)
open("{folder}/{name}.held", "w").close()
time.sleep({seconds})
"""
APT_LOCKS = ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"]


@contextmanager
def package_lock_held(machine: Machine, by: str = "apt-get", seconds: float = 3600) -> Iterator[None]:
    """A real process called `by` holds dpkg's locks, for `seconds` or until the context ends."""
    folder = f"{NOTES}/faults"  # /run is mounted noexec
    script = HOLDER.format(paths=APT_LOCKS, folder=folder, name=by, seconds=seconds)
    machine.run_in_container(
        f"mkdir -p {folder}; printf %s {quote(script)} >{folder}/{by}; chmod +x {folder}/{by}; rm -f {folder}/{by}.held"
    )
    machine.start_in_container(f"echo $$ >{folder}/{by}.pid; exec {folder}/{by}")
    until(machine, f"test -e {folder}/{by}.held")
    try:
        yield
    finally:
        machine.run_in_container(f"kill $(cat {folder}/{by}.pid) 2>/dev/null || true")


def unattended_upgrades(machine: Machine, seconds: float = 3600) -> AbstractContextManager[None]:
    """The lock is held by a process whose name dpkg prints as unattended-upgr."""
    return package_lock_held(machine, by="unattended-upgrade", seconds=seconds)


@contextmanager
def half_configured(machine: Machine) -> Iterator[None]:
    """A package was unpacked and its configuration failed: dpkg's state is iF, and every apt call stumbles over it."""
    machine.run_in_container(f"touch {NOTES}/postinst-fails; apt-get update -qq")
    machine.run_in_container("DEBIAN_FRONTEND=noninteractive apt-get install -y scripted-fragile", check=False)
    try:
        yield
    finally:
        machine.run_in_container(f"rm -f {NOTES}/postinst-fails; dpkg --configure -a; dpkg --purge scripted-fragile")


@contextmanager
def disk_full(machine: Machine, path: str | None = None) -> Iterator[None]:
    """Every byte of the host's small disk is taken."""
    filler = f"{_small(machine, path)}/.filler"
    machine.run_in_container(f"dd if=/dev/zero of={filler} bs=64k 2>/dev/null || true")
    try:
        yield
    finally:
        machine.run_in_container(f"rm -f {filler}")


@contextmanager
def inodes_full(machine: Machine, path: str | None = None) -> Iterator[None]:
    """Every inode of the host's small disk is taken, though bytes are free."""
    if machine.spec.disk is None or machine.spec.disk.inodes is None:
        raise ValueError("inodes-full needs a host with disk=Disk(path, mib, inodes)")
    folder = f"{_small(machine, path)}/.many"
    machine.run_in_container(f"mkdir {folder}; i=0; while : >{folder}/$i; do i=$((i+1)); done 2>/dev/null; true")
    try:
        yield
    finally:
        machine.run_in_container(f"rm -rf {folder}")


@contextmanager
def sudo_password(machine: Machine) -> Iterator[None]:
    """sudo asks for a password that nobody gave the caller."""
    rules = f"/etc/sudoers.d/{USER}"
    machine.run_in_container(f"cp -p {rules} /root/rules; echo '{USER} ALL=(ALL:ALL) ALL' >{rules}")
    try:
        yield
    finally:
        machine.run_in_container(f"mv -f /root/rules {rules}")


@contextmanager
def clock_skew(machine: Machine, seconds: int = -86400) -> Iterator[None]:
    """Every command of a new SSH session, sudo's too, sees a clock that is `seconds` off (libfaketime by LD_PRELOAD).

    The kernel's clock, services and processes that run already keep the true time: there is no namespace for it, and
    sshd's own sandbox does not bear the library.
    """
    sshd, sudo, env = "/etc/ssh/sshd_config.d/skew.conf", "/etc/sudoers.d/skew", "/etc/skew.env"
    machine.run_in_container(
        f"echo '{seconds:+d}' >/etc/faketimerc; echo LD_PRELOAD={SKEW} >{env}; echo 'SetEnv LD_PRELOAD={SKEW}' >{sshd};"
        f"echo 'Defaults env_file={env}' >{sudo}"
    )
    restart_sshd(machine)
    try:
        yield
    finally:
        machine.run_in_container(f"rm -f {sshd} {sudo} {env} /etc/faketimerc")
        restart_sshd(machine)


def _small(machine: Machine, path: str | None) -> str:
    """The small disk's path; filling the root would fill the disk of whoever runs the tests."""
    disk = machine.spec.disk
    if disk is None or (path or disk.path) != disk.path:
        raise ValueError("this fault fills a disk: give the host a small one, disk=Disk(path, mib)")
    return disk.path


FAULTS: dict[str, Callable[..., AbstractContextManager[None]]] = {
    "package-lock-held": package_lock_held,
    "unattended-upgrades": unattended_upgrades,
    "half-configured": half_configured,
    "disk-full": disk_full,
    "inodes-full": inodes_full,
    "sudo-password": sudo_password,
    "clock-skew": clock_skew,
}
