"""Writes docs/reference/drill.md: the catalogue, and what a drill printed.

python -m tests.liars.page --write [DRILL.JSON]     with another drill's table; without one the table stays
python -m tests.liars.page                          1 where the catalogue on the page is not the code's
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.drill_print import lines
from tests.liars import catalogue
from tests.liars.checkpoint import SPOILT
from tests.liars.figures import CHANGED
from tests.liars.grounds import WEIGHTS
from tests.liars.scripted import lies as scripted

PAGE = Path(__file__).parents[2] / "docs/reference/drill.md"
BEGIN, END = "<!-- the drill -->\n", "<!-- the catalogue -->\n"
HEAD = """\
# The drill

Written by `python -m tests.liars.page --write`, do not edit. [How to drill](../how-to/drill.md);
[why it is built so](../decisions/0021-liars-live-with-the-tests.md).

## What a drill printed

"""
COLUMNS = "| fault | what is changed | seen by, expected outcome |\n|---|---|---|"


def measured(drill: dict[str, Any]) -> str:
    """The table as it was printed, and what it was printed by."""
    rows = drill["claims"]
    product = ", ".join(sorted({row["product"] for row in rows}))
    at = max((row["at"] for row in rows), default="")
    table = "\n".join(line.rstrip() for line in lines(drill))
    return f"`beachhead drill {drill['inventory']}`, {at[:10]}, {product}.\n\n```text\n{table}\n```\n"


def _seen(claims: dict[str, frozenset[Any]]) -> str:
    return ", ".join(f"`{name}` {' or '.join(sorted(seen))}" for name, seen in sorted(claims.items()))


def _served() -> Iterator[str]:
    lies = catalogue.lies(str, "", 1)
    for name, lie in sorted(lies.items()):
        claims = {claim: seen for claim, _, fault, seen in catalogue.cases() if fault == name}
        told = _seen(claims) or f"nobody here: {catalogue.UNPLAYED[name]}"
        yield f"| `{name}` | {lie.says} | {told} |"


def _scripted() -> Iterator[str]:
    for name, says, _, claims in scripted():
        yield f"| `{name}` | {says} | {_seen(claims)} |"


def _spoilt() -> Iterator[str]:
    for name, says, _ in SPOILT:
        yield f"| `{name}` | {says} | {', '.join(f'`{claim}` FAIL' for claim, its in WEIGHTS.items() if name in its)} |"


def catalogued() -> str:
    """Every ground's faults."""
    changed = [f"| `{name}` | {says} | {_seen({claim: seen})} |" for claim, name, says, _, seen in CHANGED]
    parts = [
        ("The served engine", "A proxy before what is served, or one command's output on its host.", list(_served())),
        ("A scripted host", "Eight H200 from recorded outputs: nothing is shown of a real card.", list(_scripted())),
        ("A copy of the checkpoint", "On the serving host; up to 1 GiB.", list(_spoilt())),
        ("A changed inventory", "`h200x8`, which fits, with one thing changed.", changed),
    ]
    tables = [f"### {title}\n\n{about}\n\n{COLUMNS}\n" + "\n".join(rows) for title, about, rows in parts]
    recorded = "### A recorded observation\n\nEach claim's recorded failure beside its recorded success "
    recorded += "(`tests/recorded/claims/`): the judge alone."
    return "## What is played\n\n" + "\n\n".join([*tables, recorded]) + "\n"


def page(drill: dict[str, Any] | None) -> str:
    """The page; with `drill` its table is new, else the one on the page stays."""
    if drill is None:
        kept = PAGE.read_text(encoding="utf-8") if PAGE.exists() else f"{BEGIN}{END}"
        table = kept.partition(BEGIN)[2].partition(END)[0]
    else:
        table = measured(drill) + "\n"
    return f"{HEAD}{BEGIN}{table}{END}\n{catalogued()}"


def main(words: list[str]) -> int:
    """As the module says."""
    if words[:1] == ["--write"]:
        PAGE.write_text(page(json.loads(Path(words[1]).read_text("utf-8")) if words[1:] else None), encoding="utf-8")
        return 0
    same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page(None)
    print("up to date" if same else f"{PAGE} differs from the code: run it with --write", file=sys.stderr)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
