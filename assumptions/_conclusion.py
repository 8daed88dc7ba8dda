"""From a run's records to its verdict, by what the ledger says alone: the run and whoever checks it ask here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from assumptions._core import Evidence, Stage
from assumptions._terms import Terms
from assumptions._verdict import Decision, Verdict, decide
from assumptions._waivers import Waiver


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a ledger: what is to be judged, and by what; written before anything is looked at."""

    format: int
    run: str
    flow: str
    inventory: str
    inventory_sha256: str
    catalog_sha256: str
    product: str
    started_at: datetime
    whole: bool  # `expected` is every claim there is, at every stage
    expected: tuple[tuple[str, Stage], ...]
    claims: dict[str, Terms]
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What weighs in a verdict beside the records."""

    tables_ok: bool = True
    stopped: str = ""  # why the run ended early
    next_step: str = ""  # what to do about that
    simulated: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """The last line of a ledger."""

    ended_at: datetime
    circumstances: Circumstances
    verdict: Verdict
    trail_head: str  # digest of the last raw record
    files: dict[str, str] = field(default_factory=dict)  # digests of what lies beside the ledger


def concluded(header: Header, records: Sequence[Evidence], around: Circumstances) -> Verdict:
    """The verdict over what was expected; a run that stopped early is UNKNOWN unless it is NO-GO."""
    scope = "every claim at every stage" if header.whole else f"what {header.flow} judges"
    if header.expected:
        verdict = decide(
            header.expected,
            records,
            whole=header.whole,
            scope=scope,
            tables_ok=around.tables_ok,
            needs_pass=header.flow == "validate",
            simulated=around.simulated,
            unsure=around.unsure,
            waivers=header.waivers,
        )
    else:
        verdict = Verdict(Decision.HOLDS, f"{header.flow} ended without an error; it judges no claim", scope, {})
    if around.stopped and verdict.decision is not Decision.NO_GO:
        next_step = f" Next: {around.next_step}" if around.next_step else ""
        left = (f"the run stopped: {around.stopped}{next_step}", *verdict.unresolved)
        return Verdict(Decision.UNKNOWN, left[0], scope, verdict.counts, verdict.blocking, left, verdict.waived)
    return verdict
