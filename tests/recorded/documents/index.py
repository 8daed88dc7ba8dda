"""What stands in which line of the two documents, without their words.

    python -m tests.recorded.documents.index FOLDER [--write]

FOLDER holds the documents as .txt or .md; they are no part of this repository.  One row for each line that is not
empty: its number, its section, its SHA-256, and the marks found in it.
"""

from __future__ import annotations

import csv
import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

HERE = Path(__file__).parent
TITLES = {"guide": "# Kimi K2 Thinking", "strategy": "# Strategic Analysis: Kimi K2.5"}
MARKS = {
    "warning": re.compile("⚠"),
    "assumption": re.compile(r"(?i)\bassum|educated guess"),
    "estimate": re.compile(r"(?i)\bestimat"),
    "unknown": re.compile(r"(?i)\bunknown"),
    "requires-testing": re.compile(
        r"(?i)requires testing|must test|must be (verified|validated)|not (tested|benchmarked)"
    ),
    "verified": re.compile(r"(?i)\bverified\b"),
    "about": re.compile(r"~\s?\$?\d"),
    "figure": re.compile(r"\d"),
}
_NUMBERED = re.compile(r"#+ (?:Option|(\d+(?:\.\d+)?)\.?) ")
_OPTION = re.compile(r"\*\*OPTION (\d)")


@dataclass(frozen=True)
class Line:
    """One line of a document.  `section` is the guide's number, or the strategy's heading in small letters."""

    line: int
    section: str
    sha256: str
    marks: tuple[str, ...]


def lines(document: str, text: str) -> Iterator[Line]:
    """Every line that is not empty."""
    section, fenced = "", False
    for number, said in enumerate(text.splitlines(), start=1):
        fenced ^= said.startswith("```")
        if not fenced:
            section = _section(document, said, section)
        if said.strip():
            marks = tuple(mark for mark, words in MARKS.items() if words.search(said))
            yield Line(number, section, hashlib.sha256(said.encode()).hexdigest(), marks)


def _section(document: str, said: str, before: str) -> str:
    if document == "guide":
        found = _NUMBERED.match(said)
        return found[1] if found and found[1] else before
    if said.startswith("##"):
        return re.split(r"[:&]| - ", said.lstrip("# "))[0].strip().strip('"').casefold()
    found = _OPTION.match(said)
    return f"{before.partition(',')[0]}, option {found[1]}" if found else before


def written(rows: Iterator[Line]) -> str:
    """As CSV."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("line", "section", "sha256", "marks"))
    table.writerows((row.line, row.section, row.sha256, " ".join(row.marks)) for row in rows)
    return text.getvalue()


def index(document: str) -> tuple[Line, ...]:
    """The index that is kept here."""
    with (HERE / f"{document}.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return tuple(Line(int(r["line"]), r["section"], r["sha256"], tuple(r["marks"].split())) for r in rows)


def documents(folder: Path) -> Iterator[tuple[str, str]]:
    """The name and text of each document in a folder."""
    for file in sorted((*folder.glob("*.txt"), *folder.glob("*.md"))):
        text = file.read_text(encoding="utf-8")
        yield from ((name, text) for name, title in TITLES.items() if text.startswith(title))


def main(words: list[str]) -> int:
    """0 where the index is that of the documents; --write makes it so."""
    found = dict(documents(Path(words[0]))) if words else {}
    if set(found) != set(TITLES):
        print(f"usage: index FOLDER [--write]; FOLDER must hold both documents, not {sorted(found)}", file=sys.stderr)
        return 2
    wrong = 0
    for name, text in found.items():
        told, file = written(lines(name, text)), HERE / f"{name}.csv"
        if "--write" in words:
            file.write_text(told, encoding="utf-8")
        wrong += not file.exists() or file.read_text(encoding="utf-8") != told
    print("another one" if wrong else "as the documents", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
