"""The verdict for a terminal: what may block first, what the documents say in a line each."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from assumptions._core import Evidence, Outcome, Severity
from assumptions._report_records import anchors
from assumptions._report_text import clean
from assumptions._report_words import meaning, obstacles, word
from assumptions._verdict import Verdict, blocks

COLUMNS = 100
WAIVED = "WAIVED"
ADVICE = "What the documents say (advice: none of it blocks):"


def summary_lines(
    verdict: Verdict, evidence: Sequence[Evidence], kind: str = "production", *, advice: bool = True
) -> list[str]:
    """Plain text, no line over 100 columns; `advice` is the documents' sentences.  Print it with markup off."""
    found = obstacles(verdict, evidence)
    remedies = {each.anchor: each.remedy for each in found if each.anchor}
    lines = _wrap(f"{word(verdict.decision, kind)}  {textwrap.shorten(verdict.because, 180, placeholder=' …')}")
    lines += [
        *_wrap(f"{meaning(verdict.decision, kind)}  Scope: {verdict.scope}."),
        *(line for each in verdict.waived for line in _wrap(f"{WAIVED:<14} {each}", indent=15)),
        *([""] if evidence or found else []),
    ]
    for anchor, e in zip(anchors(evidence), evidence, strict=True):
        if e.severity is not Severity.ADVISORY and e.finding.outcome is not Outcome.NOT_APPLICABLE:
            mark = "" if blocks(e) else " [does not block]"
            lines += _wrap(f"{e.finding.outcome:<14} {e.claim} ({e.stage}){mark}: {e.finding.because}", indent=15)
            if anchor in remedies:
                lines += _wrap(" " * 15 + f"next: {remedies[anchor]}", indent=21)
    lines += _left_out([e for e in evidence if e.severity is not Severity.ADVISORY])
    for each in found:
        if not each.anchor:
            lines += _wrap(f"{each.kind:<14} {each.what}: {each.because}", indent=15)
            lines += _wrap(" " * 15 + f"next: {each.remedy}", indent=21)
    return [*lines, *_advice(evidence)] if advice else lines


def _advice(evidence: Sequence[Evidence]) -> list[str]:
    """One line an advisory claim, cut to the columns; the report has the rest."""
    advisory = [e for e in evidence if e.severity is Severity.ADVISORY]
    said = [e for e in advisory if e.finding.outcome is not Outcome.NOT_APPLICABLE]
    lines = [_cut(f"{e.finding.outcome:<14} {e.claim}: {e.finding.because}") for e in said]
    return ["", ADVICE, *lines, *_left_out(advisory)] if advisory else []


def advice_lines(evidence: Sequence[Evidence]) -> list[str]:
    """The same in full: each claim's reason, and what is wrong in it part by part with the right form."""
    advisory = [e for e in evidence if e.severity is Severity.ADVISORY]
    lines = ["", ADVICE] if advisory else []
    for e in advisory:
        if e.finding.outcome is not Outcome.NOT_APPLICABLE:
            lines += _wrap(f"{e.finding.outcome:<8} {e.claim}: {e.finding.because}", indent=9)
            worth_saying = [p for p in e.finding.parts if p.outcome is Outcome.FAIL or "Instead:" in p.because]
            if len(worth_saying) > 1 or any("Instead:" in p.because for p in worth_saying):
                for part in worth_saying:
                    lines += _wrap(" " * 9 + f"- {part.name}: {part.because}", indent=11)
    return [*lines, *_left_out(advisory)]


def _left_out(advisory: Sequence[Evidence]) -> list[str]:
    """The claims that do not apply, by reason, in a line each reason."""
    reasons: dict[str, list[str]] = {}
    for e in advisory:
        if e.finding.outcome is Outcome.NOT_APPLICABLE:
            reasons.setdefault(e.finding.because, []).append(e.claim)
    return [
        line for why, names in reasons.items() for line in _wrap(f"not judged, {why}: {', '.join(names)}", indent=9)
    ]


def _cut(text: str) -> str:
    """One line of at most COLUMNS, ending between words where it can."""
    start, rest = " ".join(clean(text[:15]).split()), clean(text[15:])
    return f"{start:<15}" + textwrap.shorten(rest, COLUMNS - 15, placeholder=" …")


def _wrap(text: str, indent: int = 0) -> list[str]:
    return textwrap.wrap(clean(text), COLUMNS, subsequent_indent=" " * indent)
