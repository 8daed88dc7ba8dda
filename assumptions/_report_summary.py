"""The verdict for a terminal: what may block first, what the documents say in a line each."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from assumptions._core import Evidence, Severity
from assumptions._report_text import clean
from assumptions._report_words import meaning, obstacles, word
from assumptions._verdict import Verdict, blocks

COLUMNS = 100
ADVICE = "What the documents say (advice: none of it blocks):"


def summary_lines(verdict: Verdict, evidence: Sequence[Evidence], kind: str = "production") -> list[str]:
    """Plain text, no line over 100 columns.  Print it with markup off."""
    found = obstacles(verdict, evidence)
    remedies = {each.anchor: each.remedy for each in found if each.anchor}
    lines = _wrap(f"{word(verdict.decision, kind)}  {textwrap.shorten(verdict.because, 180, placeholder=' …')}")
    lines += [
        *_wrap(f"{meaning(verdict.decision, kind)}  Scope: {verdict.scope}."),
        *([""] if evidence or found else []),
    ]
    for n, e in enumerate(evidence, start=1):
        if e.severity is not Severity.ADVISORY:
            mark = "" if blocks(e) else " [does not block]"
            lines += _wrap(f"{e.finding.outcome:<14} {e.claim} ({e.stage}){mark}: {e.finding.because}", indent=15)
            if f"claim-{n}" in remedies:
                lines += _wrap(" " * 15 + f"next: {remedies[f'claim-{n}']}", indent=21)
    for each in found:
        if not each.anchor:
            lines += _wrap(f"{each.kind:<14} {each.what}: {each.because}", indent=15)
            lines += _wrap(" " * 15 + f"next: {each.remedy}", indent=21)
    return [*lines, *_advice(evidence)]


def _advice(evidence: Sequence[Evidence]) -> list[str]:
    """One line an advisory claim, cut to the columns; the report has the rest."""
    advisory = [e for e in evidence if e.severity is Severity.ADVISORY]
    lines = [f"{e.finding.outcome:<14} {e.claim}: {e.finding.because}" for e in advisory]
    return ["", ADVICE, *(_cut(line) for line in lines)] if lines else []


def _cut(text: str) -> str:
    """One line of at most COLUMNS, ending between words where it can."""
    start, rest = " ".join(clean(text[:15]).split()), clean(text[15:])
    return f"{start:<15}" + textwrap.shorten(rest, COLUMNS - 15, placeholder=" …")


def _wrap(text: str, indent: int = 0) -> list[str]:
    return textwrap.wrap(clean(text), COLUMNS, subsequent_indent=" " * indent)
