"""How fast a file can be read from disk, measured by reading it past the cache."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from tasks.facts.reading import match, needs, number, understood, whole

_BLOCK_MIB = 16
_DD = r"([0-9]+) bytes? .*copied, ([0-9.]+(?:e-[0-9]+)?) s, .*"


@dataclass(frozen=True, slots=True)
class DiskRead:
    """What was read and how long it took."""

    bytes_read: int
    seconds: float

    @property
    def bytes_per_second(self) -> float:
        """The rate; both numbers are above zero."""
        return self.bytes_read / self.seconds


@dataclass(frozen=True)
class DiskReadFact:
    """The DiskRead of the first `mib` of the existing file `path`, one block of 16 MiB after another (dd, O_DIRECT).

    One reader with one request at a time: a floor of what the disk can do.  It fails on a file system without
    O_DIRECT (tmpfs).
    Sample: "2+0 records in\\n2+0 records out\\n33554432 bytes (34 MB, 32 MiB) copied, 0.0201 s, 1.7 GB/s"
    """

    path: str
    mib: int

    @property
    def command(self) -> str:
        """Read whole blocks, at least one."""
        blocks = max(1, self.mib // _BLOCK_MIB)
        return f"LC_ALL=C dd if={shlex.quote(self.path)} of=/dev/null bs={_BLOCK_MIB}M count={blocks} iflag=direct 2>&1"

    @understood
    def parse(self, stdout: str) -> DiskRead:
        """Read dd's last line."""
        *_, last = stdout.splitlines() or [""]
        found = match(_DD, last)
        return _read(whole(found[1]), float(found[2]) if "e" in found[2] else number(found[2]))


@dataclass(frozen=True)
class FioReadFact:
    """The DiskRead of the existing file `path` with 32 requests at a time for `seconds`, by fio where it is installed.

    Sample: {"fio version": "fio-3.33", "jobs": [{"error": 0, "read": {"io_bytes": 1048576, "runtime": 5000, …}}]}
    """

    path: str
    seconds: int

    @property
    def command(self) -> str:
        """Read only: fio refuses to write with --readonly."""
        return (
            f"{needs('fio')}; LC_ALL=C fio --name=read --filename={shlex.quote(self.path)} --readonly --rw=read "
            "--direct=1 --ioengine=libaio --bs=1M --iodepth=32 --time_based "
            f"--runtime={max(1, self.seconds)} --output-format=json"
        )

    @understood
    def parse(self, stdout: str) -> DiskRead:
        """The one job's bytes and milliseconds."""
        try:
            (job,) = json.loads(stdout[stdout.index("{") :])["jobs"]
            if job["error"] != 0:
                raise ValueError("fio met an error")
            return _read(int(job["read"]["io_bytes"]), int(job["read"]["runtime"]) / 1000)
        except (TypeError, OverflowError):
            raise ValueError("another shape of JSON") from None


def _read(bytes_read: int, seconds: float) -> DiskRead:
    if bytes_read <= 0 or seconds <= 0:
        raise ValueError("nothing was read")
    return DiskRead(bytes_read, seconds)
