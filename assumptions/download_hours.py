"""Claim: the download takes 1.1 hours at 1 Gbit/s and 7 minutes at 10.  Exact bytes over the bare line, at best."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._paper import GUIDE, GUIDE_MODEL, ROUNDED, figure, finding
from assumptions._parts import check
from inventories.figures import model
from inventories.schema import Inventory
from tasks.site import Site

SAID_HOURS = (1.0, 1.1)  # Gbit/s, hours: K2 Thinking guide §4.1, Estimated Download Time
SAID_MINUTES = (10.0, 7.0)  # Gbit/s, minutes: the same place


@dataclass(frozen=True, slots=True)
class Download:
    """What is said, the bytes, and the rate at which a hub was seen to give them; None where nobody measured it."""

    said_hours: tuple[float, float]
    said_minutes: tuple[float, float]
    checkpoint_bytes: float
    hub_gbit_s: float | None
    source: str


def observe(site: Site, stage: Stage) -> Download:
    """The catalog's bytes; no host is asked, so that the hub's own rate is not known."""
    size = model(GUIDE_MODEL).checkpoint_bytes
    return Download(SAID_HOURS, SAID_MINUTES, size.value, None, size.source)


def seconds(checkpoint_bytes: float, gbit_s: float) -> float:
    """On a line that carries nothing else and has no overhead."""
    return checkpoint_bytes * 8 / (gbit_s * 1e9)


def judge(seen: Download, _inventory: Inventory) -> Finding:
    """Bytes over the line's rate; then whether the hub gives that much."""
    (slow, said_hours), (fast, said_minutes) = seen.said_hours, seen.said_minutes
    hours, minutes = seconds(seen.checkpoint_bytes, slow) / 3600, seconds(seen.checkpoint_bytes, fast) / 60
    size, rate = f"{seen.checkpoint_bytes / 1e9:,.1f} GB", seen.hub_gbit_s
    told = "was not measured" if rate is None else f"was measured at {rate:g} Gbit/s"
    parts = (
        figure("hours", hours, said_hours, "h", f"{size} over {slow:g} Gbit/s take {hours:.2f} h at the least"),
        figure(
            "minutes", minutes, said_minutes, "min", f"{size} over {fast:g} Gbit/s take {minutes:.1f} min at the least"
        ),
        check(
            "hub",
            None if rate is None else rate >= fast,
            f"what the hub gives to one host {told}",
            expected=f">= {fast:g} Gbit/s",
            measured="not measured" if rate is None else f"{rate:g} Gbit/s",
        ),
    )
    return finding(
        parts,
        good=f"{hours:.2f} h and {minutes:.1f} min, and the hub gives as much",
        expected=f"{said_hours:g} h at {slow:g} Gbit/s, {said_minutes:g} min at {fast:g} Gbit/s",
        measured=f"{hours:.2f} h, {minutes:.1f} min",
        source=f"{GUIDE} §4.1; {ROUNDED}",
        value=round(hours, 3),
        unit=f"hours at {slow:g} Gbit/s",
        notes=(f"checkpoint: {seen.source}", "at 10 Gbit/s the disk must write 1.25 GB/s all the while"),
    )


ASSUMPTION = Assumption(
    id="download-hours",
    guide=f"{GUIDE} §4.1",
    states="The weights are downloaded in 1.1 hours at 1 Gbit/s, and in 7 minutes at 10 Gbit/s.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Allow 1.4 hours at 1 Gbit/s; fetch one shard on the host first, and take the rate from that.",
    version=1,
    observe=observe,
    judge=judge,
)
