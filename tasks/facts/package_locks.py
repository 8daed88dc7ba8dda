"""Who holds the locks of the host's package manager."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import filled, match, understood, whole

_LOCKED = (  # held by a record lock
    "/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock "
    "/var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock"
)
_NAMED = "/var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid /var/lib/dnf/rpmdb_lock.pid /run/yum.pid"


@dataclass(frozen=True, slots=True)
class PackageLock:
    """A lock that is held.  `pid` 0 and an empty name: by a process that this host may not see (another container)."""

    path: str
    pid: int
    process: str


@dataclass(frozen=True)
class PackageLockFact:
    """Every PackageLock, from the kernel's table of locks, for which root is not needed.

    A file is recognised by its inode number alone, since some file systems show another device number than `stat`: a
    lock on another file of the same number would be taken for it, and a lock that is held is never overlooked.
    Sample: "@@ locks\\n/var/lib/dpkg/lock-frontend|4711|unattended-upgr\\n@@ end"
    """

    locked: str = _LOCKED
    named: str = _NAMED

    @property
    def command(self) -> str:
        """Compare inodes with /proc/locks, leaving out those who only wait; read the files that hold a number."""
        return (
            "[ -r /proc/locks ] || { echo 'no /proc/locks' >&2; exit 1; }; "
            "say() { echo \"$1|$2|$(cat /proc/$2/comm 2>/dev/null)\"; }; echo '@@ locks'; "
            f"for f in {self.locked}; do [ -e $f ] || continue; i=$(stat -c %i $f) || exit; "
            'for p in $(awk -v i=$i \'$2 != "->" { split($6, d, ":"); if (d[3] == i) print $5 }\' /proc/locks '
            "| sort -u); do say $f $p; done; done; "
            f"for f in {self.named}; do [ -r $f ] || continue; p=$(tr -dc 0-9 < $f); "
            "[ -n \"$p\" ] && [ -d /proc/$p ] && say $f $p; done; echo '@@ end'"
        )

    @understood
    def parse(self, stdout: str) -> tuple[PackageLock, ...]:
        """One a line between the marks."""
        first, *lines, last = stdout.splitlines()
        if (first, last) != ("@@ locks", "@@ end"):
            raise ValueError("cut short")
        return tuple(map(_lock, lines))


def _lock(line: str) -> PackageLock:
    path, pid, process = line.split("|", 2)
    return PackageLock(filled(path), max(0, int(match(r"-1|[0-9]+", pid).group())) and whole(pid), process.strip())
