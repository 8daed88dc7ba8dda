"""The speed at which the GPUs of one host add their data up together, by NVIDIA's nccl-tests."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import match, needs, number, understood, whole

_ROW = re.compile(
    r"\s*(?P<size>[0-9]+)\s+[0-9]+\s+\S+\s+\S+\s+-?[0-9]+\s+[0-9.]+\s+[0-9.]+\s+(?P<out>[0-9.]+)\s+(?P<bad>[0-9]+|N/A)"
    r"\s+[0-9.]+\s+[0-9.]+\s+(?P<in>[0-9.]+)\s+(?P<worse>[0-9]+|N/A)"
)
_WRONG = re.compile(r"# Out of bounds values : ([0-9]+) \S+")


@dataclass(frozen=True, slots=True)
class AllReduce:
    """Bus bandwidth in gigabytes a second at the largest size, the slower of both ways; `wrong` values were found."""

    size_bytes: int
    bus_gb_s: float
    wrong: int


@dataclass(frozen=True)
class AllReduceFact:
    """The AllReduce of `gpus` GPUs with `mib` MiB each, by all_reduce_perf where it is on PATH or in /opt/nccl-tests.

    It takes the GPUs' memory for some seconds, so nothing else may use them meanwhile.
    Sample: "  1073741824     268435456     float     sum      -1   4027.3  266.61  466.57      0   4029.1  266.50
    466.37      0\\n# Out of bounds values : 0 OK\\n# Avg bus bandwidth    : 448.212"
    """

    gpus: int
    mib: int = 8192

    @property
    def command(self) -> str:
        """One process, all GPUs, one size."""
        path = "PATH=$PATH:/opt/nccl-tests/build:/usr/local/nccl-tests/build"
        return (
            f"{path}; {needs('all_reduce_perf')}; "
            f"LC_ALL=C all_reduce_perf -b {self.mib}M -e {self.mib}M -g {self.gpus} -n 20 -w 5"
        )

    @understood
    def parse(self, stdout: str) -> AllReduce:
        """The last row of the table and the count of wrong values."""
        rows = [found for line in stdout.splitlines() if (found := _ROW.fullmatch(line.rstrip()))]
        (wrong,) = [match(_WRONG.pattern, line.strip())[1] for line in stdout.splitlines() if "Out of bounds" in line]
        slower = min(number(rows[-1]["out"]), number(rows[-1]["in"]))
        return AllReduce(whole(rows[-1]["size"]), slower, whole(wrong))
