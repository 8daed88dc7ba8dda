"""docs/claims.md, from the documents to the claims and back: `python -m assumptions._documents_page --write`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from assumptions._core import Severity
from assumptions._documents import Document, Statement, documents, of_claim, statements
from assumptions._documents_cpu import UNKNOWN_ON_A_CPU
from assumptions._registry import Claim, claims

PAGE = Path(__file__).parents[1] / "docs" / "claims.md"
HEAD = """\
<!-- made by `python -m assumptions._documents_page --write`; tests hold it to the code -->
# From the documents to the claims

Two documents are judged: a deployment guide for Kimi K2 Thinking, and a hardware strategy for Kimi K2.5. They are no
part of this repository; what they state stands here in our own words, with line and section. {stated} statements,
{judged} of them judged by {claims} claims; beside the others stands why nothing judges them. What each claim looks at
is on [a page of its own](reference/claims.md).

*Kind* is the document's own word: an assumption, an estimate, unknown, requires testing, or verified; *stated* where
it says no such thing. **B** blocks a GO, A is advisory.
"""
BACK = """\
## From a claim to the documents

| claim | severity | stages | stands in |
|---|---|---|---|
"""
CPU = """\
## UNKNOWN on a CPU host, and why

In a rehearsal nothing is bought, and no GPU is ordered: claims about either do not apply there. These apply, and can't
be found out about without the hardware or the model itself.

| claim | why |
|---|---|
"""


def page() -> str:
    """The whole page."""
    known = {each.id: each for each in claims()}
    stated = tuple(statements())
    judged = sum(bool(each.claims) for each in stated)
    parts = [HEAD.format(stated=len(stated), judged=judged, claims=len(known))]
    for document in documents():
        parts.append(f"## {document.name}\n")
        parts += _sections(document, known)
    parts.append(BACK + "\n".join(map(_back, known.values())) + "\n")
    rows = (f"| {_link(known, name)} | {why} |" for name, why in sorted(UNKNOWN_ON_A_CPU.items()))
    parts.append(CPU + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _sections(document: Document, known: dict[str, Claim]) -> Iterator[str]:
    for section, title in document.sections.items():
        said = [each for each in document.statements if each.section == section]
        if said:
            rows = "\n".join(_row(each, known) for each in said)
            number = f"§{section} " if section[:1].isdigit() else ""
            yield f"### {number}{title}\n\n| line | says | kind | judged by |\n|---|---|---|---|\n{rows}\n"


def _row(said: Statement, known: dict[str, Claim]) -> str:
    by = "; ".join(_with_stages(known, each) for each in said.claims) or f"nothing: {said.no_claim}"
    return f"| {_lines(said)} | {said.says} | {said.kind} | {by} |"


def _lines(said: Statement) -> str:
    return str(said.first) if said.first == said.last else f"{said.first}-{said.last}"


def _link(known: dict[str, Claim], claim_id: str) -> str:
    """To the claim's file; a claim that is not there yet is its name alone."""
    return f"[`{claim_id}`](../assumptions/{claim_id.replace('-', '_')}.py)" if claim_id in known else f"`{claim_id}`"


def _with_stages(known: dict[str, Claim], claim_id: str) -> str:
    if claim_id not in known:
        return _link(known, claim_id)
    each = known[claim_id]
    severity = "**B**" if each.severity is Severity.BLOCKING else "A"
    return f"{_link(known, claim_id)} {severity} {', '.join(each.stages)}"


def _back(claim: Claim) -> str:
    names = {document.file: document.name for document in documents()}
    where: dict[str, list[str]] = {}
    for said in of_claim(claim.id):
        where.setdefault(names[said.file], []).append(_lines(said))
    told = "; ".join(f"{name}, lines {', '.join(dict.fromkeys(lines))}" for name, lines in where.items())
    link = f"[`{claim.id}`](../assumptions/{claim.id.replace('-', '_')}.py)"
    return f"| {link} | {claim.severity} | {', '.join(claim.stages)} | {told or claim.guide} |"


def main(arguments: list[str]) -> int:
    """0 where the page says what the code says; --write makes it so."""
    made = page()
    if arguments == ["--write"]:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if arguments:
        print("usage: python -m assumptions._documents_page [--write]", file=sys.stderr)
        return 2
    same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == made
    print("up to date" if same else f"{PAGE} differs from the code: run it with --write", file=sys.stderr)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
