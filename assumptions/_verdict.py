"""From evidence to a decision.  GO only if every expected claim was judged exactly once and none stands in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assumptions._core import Evidence, Outcome, Severity, Stage


class Decision(StrEnum):
    """HOLDS is what a part of the claims can say at best: nothing stands in the way so far."""

    GO = "GO"
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

    @property
    def open(self) -> bool:
        """Whether a gate may let the flow pass."""
        return self.decision in (Decision.GO, Decision.HOLDS)


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
) -> Verdict:
    """Weigh `evidence` against the claims that were to be judged.

    `whole` says that `expected` is every claim of every stage; without it the answer is HOLDS at best.
    A missing record is UNKNOWN; a claim judged twice at one stage is UNKNOWN; NOT_APPLICABLE does not block,
    but a whole run in which no blocking claim passed has shown nothing and is UNKNOWN; `needs_pass` asks the same
    of a part (a gate doesn't: a stage whose only claim is excused may be passed).  Hosts whose hardware is `simulated`
    never make a GO, nor do hosts of which nobody could find out whether they are (`unsure`).
    """
    wanted = set(expected)
    seen = Counter((e.claim, e.stage) for e in evidence)
    failed = [e for e in evidence if blocks(e) and e.finding.outcome is Outcome.FAIL]
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
    if not tables_ok:
        unresolved.append("evidence tables: a table does not agree with its own suite (see Data Docs)")
    passed = any(blocks(e) and e.finding.outcome is Outcome.PASS for e in evidence)
    if (whole or needs_pass) and not (passed or failed or unresolved):
        unresolved.append("no blocking claim passed: nothing was shown")
    if whole:
        unresolved += _scripted(simulated, unsure)
    counts = dict(Counter(str(e.finding.outcome) for e in evidence))
    blocking = tuple(f"{e.claim} ({e.stage}): {e.finding.because}" for e in failed)
    if failed:
        return Verdict(Decision.NO_GO, blocking[0], scope, counts, blocking, tuple(unresolved))
    if unresolved:
        return Verdict(Decision.UNKNOWN, unresolved[0], scope, counts, blocking, tuple(unresolved))
    if not whole:
        said = "; ".join((f"nothing stands in the way within {scope}", *_scripted(simulated, ())))
        return Verdict(Decision.HOLDS, said, scope, counts)
    excused = sorted({e.claim for e in evidence if e.finding.outcome is Outcome.UNKNOWN and not blocks(e)})
    said = "every claim that blocks was judged and holds or does not apply"
    return Verdict(
        Decision.GO, said + (f"; UNKNOWN and excused: {', '.join(excused)}" if excused else ""), scope, counts
    )


def _scripted(simulated: Sequence[str], unsure: Sequence[str]) -> list[str]:
    """What keeps scripted hardware from a GO, in words."""
    said = [f"simulated hosts: {', '.join(simulated)}: nothing was shown of real hardware"] if simulated else []
    asked = "could not find out whether their hardware is simulated"
    return said + ([f"hosts: {', '.join(unsure)}: {asked}"] if unsure else [])


def blocks(record: Evidence) -> bool:
    """Whether this record may stand in the way: an excuse must say something, and covers UNKNOWN alone."""
    excused = record.excused.strip() and record.finding.outcome is Outcome.UNKNOWN
    return record.severity is Severity.BLOCKING and not excused
