"""What a verdict says in words: its heading, its meaning, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assumptions._core import Evidence, Outcome
from assumptions._report_records import anchors
from assumptions._verdict import Decision, Verdict, blocks

MEANING = {
    Decision.GO: "Every claim that could stop this deployment was judged once, and each one holds or does not apply.",
    Decision.GO_WITH_WAIVERS: "Claims that this deployment depends on do not hold; somebody answers for them by name.",
    Decision.NO_GO: "At least one claim that this deployment depends on was judged and does not hold.",
    Decision.UNKNOWN: "Something that this deployment depends on could not be found out. Unknown is not a yes.",
    Decision.HOLDS: "Only a part of the claims was judged. Nothing in that part stands in the way; this is not a GO.",
}
REHEARSED = (
    "Everything that this machine can judge was judged once and holds. No GPU was seen: this is no GO for hardware."
)
DISAGREE = "Open the Data Docs, see which rows disagree, mend their cause and run again."
SCRIPTED = "Run the flow on the real hosts: scripted hardware can show that Beachhead works, never that a machine does."
UNTOLD = "Run the flow again. A GO needs exactly one record of every expected claim, and tables that agree."


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing between this run and a GO, and what to do about it."""

    kind: str  # FAIL, UNKNOWN or WAIVED
    what: str
    title: str
    because: str
    remedy: str
    anchor: str = ""


def obstacles(verdict: Verdict, evidence: Sequence[Evidence]) -> list[Obstacle]:
    """Failed claims first, then what could not be found out, then what has no record of its own."""
    found, told, named = [], set(), anchors(evidence)
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN):
        for anchor, e in zip(named, evidence, strict=True):
            if blocks(e) and e.finding.outcome is outcome:
                what = f"{e.claim} ({e.stage})"
                told.add(f"{what}: {e.finding.because}")
                waived = next((line for line in verdict.waived if line.startswith(f"{what}: ")), "")
                kind, because = ("WAIVED", waived.partition(": ")[2]) if waived else (str(outcome), e.finding.because)
                found.append(Obstacle(kind, what, e.states, because, e.remedy, anchor))
    unjudged = [line for line in verdict.unresolved if line.endswith(": not judged")]
    if len(unjudged) > 1:
        names = ", ".join(line.removesuffix(": not judged") for line in unjudged)
        told.update(unjudged)
        what = f"{len(unjudged)} claims were not judged"
        found.append(Obstacle(str(Outcome.UNKNOWN), what, what, names, UNTOLD))
    for line in (*verdict.blocking, *verdict.unresolved):
        if line not in told:
            what, _, because = line.partition(": ")
            remedy = {"evidence tables": DISAGREE, "simulated hosts": SCRIPTED}.get(what, UNTOLD)
            found.append(Obstacle(str(Outcome.UNKNOWN), what, what, because or what, remedy))
    return found


def word(decision: Decision, kind: str) -> str:
    """The decision as it is headed: a rehearsal's GO must not be taken for one about hardware."""
    return f"{decision} (rehearsal)" if kind == "rehearsal" else str(decision)


def meaning(decision: Decision, kind: str) -> str:
    """What the decision says, in a sentence."""
    if kind == "rehearsal" and decision is Decision.GO:
        return REHEARSED
    return MEANING[decision]
