"""docs/reference/claims.md, made from the claims themselves: `python -m assumptions._claims_page --write`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from assumptions._core import Severity, Stage
from assumptions._registry import Claim, claims
from assumptions._report_text import escape_markdown

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "claims.md"
GROUPS = {
    Stage.PLAN: "From the inventory alone",
    Stage.HOST: "On the hosts, before anything is fetched",
    Stage.WEIGHTS: "On the fetched weights",
    Stage.STAGING: "On the staged engine",
    Stage.LIVE: "Through the gateway",
}
HEAD = """\
<!-- made by `python -m assumptions._claims_page --write`; tests hold it to the code -->
# The claims

{count} claims, one file in [`assumptions/`](../../assumptions) each; {blocking} of them block. `beachhead assumptions`
lists them too. Sections are those of the Kimi K2 Thinking deployment guide, or of the Kimi K2.5 hardware strategy;
[from the documents to the claims](../claims.md) leads from each of their lines to what judges it. What the claims
about the served model look at, part by part, is [a page of its own](claims-in-detail.md).

Common to all: an error while looking makes a claim UNKNOWN, with the error's words, and UNKNOWN never rounds up. A
claim about GPUs does not apply where none is ordered. With several hosts, each one is looked at, and a part of the
finding names its host. Where nothing is served, claims of `staging` and `live` are UNKNOWN.

*Blocking*: GO is impossible while it fails or is UNKNOWN. *Advisory*: what the documents say; told, and nothing more.
"""


def page() -> str:
    """The whole page."""
    known = claims()
    blocking = sum(claim.severity is Severity.BLOCKING for claim in known)
    parts = [HEAD.format(count=len(known), blocking=blocking), *_tables(known)]
    return "\n".join([*parts, "## Each claim\n", *(_about(claim) for claim in known)]).rstrip() + "\n"


def _tables(known: tuple[Claim, ...]) -> Iterator[str]:
    """A table for each stage, by the first stage that a claim is judged at."""
    for stage, title in GROUPS.items():
        due = [claim for claim in known if claim.stages[0] is stage]
        if due:
            rows = "\n".join(_row(claim) for claim in due)
            yield f"## {title}\n\n| claim | sentence | severity | stages | source |\n|---|---|---|---|---|\n{rows}\n"


def _row(claim: Claim) -> str:
    stages = ", ".join(claim.stages)
    states, guide = escape_markdown(claim.states), escape_markdown(claim.guide)
    return f"| [`{claim.id}`](#{claim.id}) | {states} | {claim.severity} | {stages} | {guide} |"


def _about(claim: Claim) -> str:
    """What its file says: the sentence, the judge's own, and the remedy."""
    judged = " ".join((claim.judge.__doc__ or "").split())
    looked = " ".join((claim.observe.__doc__ or "").split())
    file = f"{claim.id.replace('-', '_')}.py"
    lines = (
        f"### {claim.id}\n",
        f"*{escape_markdown(claim.states)}* [{file}](../../assumptions/{file}), version {claim.version}.\n",
        f"- Looks: {escape_markdown(looked)}",
        f"- Judges: {escape_markdown(judged)}",
        f"- If it fails: {escape_markdown(claim.remedy)}\n",
    )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """0 where the page says what the code says; --write makes it so."""
    made = page()
    if arguments == ["--write"]:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if arguments:
        print("usage: python -m assumptions._claims_page [--write]", file=sys.stderr)
        return 2
    same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == made
    print("up to date" if same else f"{PAGE} differs from the code: run it with --write", file=sys.stderr)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
