"""`ray status`: what a person reads of a Ray cluster, for the record and for its resource totals."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.facts.reading import number, understood, whole

_TOTAL = re.compile(r"^ ([0-9.]+)/([0-9.]+) (GPU|CPU)$", re.MULTILINE)
_ACTIVE = re.compile(r"^Active:\n((?: .*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RayStatus:
    """Active nodes, and slots for ranks (what Ray calls GPUs): used and in all; None where no node has any."""

    active: int
    slots_used: float | None
    slots: float | None


@dataclass(frozen=True)
class RayStatusFact:
    """The RayStatus of the cluster at `address`, asked on a node of it.

    Sample: "Active:\\n 1 node_227e…\\n 1 node_ae28…\\nPending:\\n…Total Usage:\\n 0.0/2.0 CPU\\n 2.0/2.0 GPU\\n…"
    """

    python: str
    address: str
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The tool itself, by its module: a script's first line can't hold a long path."""
        words = [f"{name}={shlex.quote(value)}" for name, value in sorted(self.env.items())]
        return (
            f"env {' '.join(words)} {shlex.quote(self.python)} -m ray.scripts.scripts status --address {self.address}"
        )

    @understood
    def parse(self, stdout: str) -> RayStatus:
        """Count the lines below Active, read the totals."""
        if "Autoscaler status:" not in stdout or (listed := _ACTIVE.search(stdout)) is None:
            raise ValueError("not a status")
        lines = [line.split() for line in listed[1].splitlines() if line.strip() != "(no active nodes)"]
        totals = {kind: (number(used), number(all_)) for used, all_, kind in _TOTAL.findall(stdout)}
        if "CPU" not in totals and "GPU" not in totals:
            raise ValueError("no totals")
        used, slots = totals.get("GPU", (None, None))
        return RayStatus(sum(whole(words[0]) for words in lines), used, slots)
