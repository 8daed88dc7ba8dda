"""From evidence to a decision.  GO only if every expected claim was judged exactly once and none stands in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from assumptions._core import Evidence, Outcome, Severity, Stage

if TYPE_CHECKING:
    from assumptions._waivers import Waiver


class Decision(StrEnum):
    """HOLDS is what a part of the claims can say at best: nothing stands in the way so far.

    GO_WITH_WAIVERS is a GO but for failures that somebody accepted by name; it is never called GO.
    """

    GO = "GO"
    GO_WITH_WAIVERS = "GO-WITH-WAIVERS"
    NO_GO = "NO-GO"
    UNKNOWN = "UNKNOWN"
    HOLDS = "HOLDS"


Key = tuple[str, Stage]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, the sentence behind it, and the claims it rests on by outcome."""

    decision: Decision
    because: str
    scope: str
    counts: Mapping[str, int]
    blocking: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()  # failures that do not block because somebody accepted them

    @property
    def open(self) -> bool:
        """Whether a gate may let the flow pass."""
        return self.decision in (Decision.GO, Decision.GO_WITH_WAIVERS, Decision.HOLDS)


def decide(
    expected: Iterable[Key],
    evidence: Sequence[Evidence],
    *,
    whole: bool,
    scope: str,
    tables_ok: bool = True,
    needs_pass: bool = False,
    simulated: Sequence[str] = (),
    unsure: Sequence[str] = (),
    waivers: Sequence[Waiver] = (),
) -> Verdict:
    """Weigh `evidence` against the claims that were to be judged.

    `whole` says that `expected` is every claim of every stage; without it the answer is HOLDS at best.
    A missing record is UNKNOWN; a claim judged twice at one stage is UNKNOWN; NOT_APPLICABLE does not block, but a
    whole run in which no blocking claim passed has shown nothing and is UNKNOWN; `needs_pass` asks the same of a
    part, where an advisory claim counts too (a gate doesn't: a stage whose only claim is excused may be passed).
    Hosts whose hardware is `simulated` never make a GO, nor do hosts of which nobody could find out whether they
    are (`unsure`). Waivers cover failures alone: an UNKNOWN can't be waived, and a waived failure shows nothing.
    """
    wanted = set(expected)
    seen = Counter((e.claim, e.stage) for e in evidence)
    waived = _waived(evidence, waivers)
    failed = [e for e in evidence if blocks(e) and e.finding.outcome is Outcome.FAIL and id(e) not in waived]
    accepted = tuple(waived.values())
    unresolved = [
        f"{e.claim} ({e.stage}): {e.finding.because}"
        for e in evidence
        if blocks(e) and e.finding.outcome is Outcome.UNKNOWN
    ]
    unresolved += [f"{claim} ({stage}): not judged" for claim, stage in sorted(wanted - set(seen))]
    unresolved += [f"{claim} ({stage}): judged {n} times" for (claim, stage), n in sorted(seen.items()) if n > 1]
    unresolved += [f"{claim} ({stage}): judged but not expected" for claim, stage in sorted(set(seen) - wanted)]
    if not wanted:
        unresolved.append("no claim was expected: nothing was judged")
    passed = any((blocks(e) or not whole) and e.finding.outcome is Outcome.PASS for e in evidence)
    if (whole or needs_pass) and not (passed or failed or unresolved):
        unresolved.append(_nothing_shown(evidence, whole=whole))
    if not tables_ok:
        unresolved.append("evidence tables: a table does not agree with its own suite (see Data Docs)")
    if whole:
        unresolved += _scripted(simulated, unsure)
    counts = dict(Counter(str(e.finding.outcome) for e in evidence))
    blocking = tuple(f"{e.claim} ({e.stage}): {e.finding.because}" for e in failed)
    if failed:
        return Verdict(Decision.NO_GO, blocking[0], scope, counts, blocking, tuple(unresolved), accepted)
    if unresolved:
        return Verdict(Decision.UNKNOWN, unresolved[0], scope, counts, blocking, tuple(unresolved), accepted)
    if not whole:
        beside = f"beside {len(accepted)} waived," if accepted else ""
        said = f"{beside} nothing stands in the way within {scope}".strip()
        return Verdict(Decision.HOLDS, "; ".join((said, *_scripted(simulated, ()))), scope, counts, waived=accepted)
    unknown = [e for e in evidence if e.finding.outcome is Outcome.UNKNOWN]
    excused = sorted({e.claim for e in unknown if e.severity is Severity.BLOCKING})
    advice = {e.claim for e in unknown} - set(excused)
    said = "every claim that blocks was judged and holds or does not apply"
    if accepted:
        said = f"{len(accepted)} FAIL accepted by waiver ({accepted[0].partition(':')[0]}); every other {said[6:]}"
    said += f"; UNKNOWN and excused: {', '.join(excused)}" if excused else ""
    said += f"; UNKNOWN and advice: {len(advice)} more" if advice else ""
    decision = Decision.GO_WITH_WAIVERS if accepted else Decision.GO
    return Verdict(decision, said, scope, counts, waived=accepted)


def _nothing_shown(evidence: Sequence[Evidence], *, whole: bool) -> str:
    """Why no PASS is no GO; of a part that was asked for by name, its first UNKNOWN in the claim's own words."""
    unknown = () if whole else [e for e in evidence if e.finding.outcome is Outcome.UNKNOWN]
    first = f": {unknown[0].claim} ({unknown[0].stage}): {unknown[0].finding.because}" if unknown else ""
    return f"no {'blocking ' if whole else ''}claim passed: nothing was shown to hold{first}"


def _waived(evidence: Sequence[Evidence], waivers: Sequence[Waiver]) -> dict[int, str]:
    """The failures that a waiver covers, by the record's identity, each in words."""
    return {
        id(e): f"{e.claim} ({e.stage}): {e.finding.because} [waived by {w.owner} until {w.expires}: {w.reason}]"
        for w in waivers
        for e in evidence
        if w.covers(e)
    }


def _scripted(simulated: Sequence[str], unsure: Sequence[str]) -> list[str]:
    """What keeps scripted hardware from a GO, in words."""
    said = [f"simulated hosts: {', '.join(simulated)}: nothing was shown of real hardware"] if simulated else []
    asked = "could not find out whether their hardware is simulated"
    return said + ([f"hosts: {', '.join(unsure)}: {asked}"] if unsure else [])


def blocks(record: Evidence) -> bool:
    """Whether this record may stand in the way: an excuse must say something, and covers UNKNOWN alone."""
    excused = record.excused.strip() and record.finding.outcome is Outcome.UNKNOWN
    return record.severity is Severity.BLOCKING and not excused
