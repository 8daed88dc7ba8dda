"""What the two documents state, line by line, and which claims judge it: data, read from the YAML files beside this.

The documents are no part of this repository.  A statement stands here in our own words; line and section lead back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_NUMBER = re.compile(r"§(\d+(?:\.\d+)?)")
FILES = {"guide": "_documents_guide.yaml", "strategy": "_documents_strategy.yaml"}


class Kind(StrEnum):
    """How sure the document is of it, by its own words."""

    ASSUMPTION = "assumption"
    ESTIMATE = "estimate"
    UNKNOWN = "unknown"
    REQUIRES_TESTING = "requires-testing"
    VERIFIED = "verified"
    STATED = "stated"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a document says.  `no_claim` is why nothing judges it, where nothing does."""

    file: str  # which of FILES
    section: str
    first: int
    last: int
    kind: Kind
    says: str
    claims: tuple[str, ...] = ()
    no_claim: str = ""

    @property
    def lines(self) -> range:
        """The lines that it stands in."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class Document:
    """One document: how claims call it, its sections' titles in its own order, and what it states."""

    file: str
    name: str
    sections: Mapping[str, str]
    statements: tuple[Statement, ...]


@cache
def documents() -> tuple[Document, ...]:
    """Both documents."""
    return tuple(map(_document, FILES))


def statements() -> Iterator[Statement]:
    """Everything that they state."""
    for document in documents():
        yield from document.statements


def of_claim(claim_id: str) -> tuple[Statement, ...]:
    """What of the documents one claim judges."""
    return tuple(each for each in statements() if claim_id in each.claims)


def named(guide: str) -> tuple[tuple[Document, str], ...]:
    """The sections that a claim's `guide` names; ValueError where one is none of a document's.

    >>> [section for _, section in named("K2 Thinking guide §1.2, the table, and §9")]
    ['1.2', '9']
    """
    found: list[tuple[Document, str]] = []
    document = None
    for text in guide.split("; "):
        document = next((each for each in documents() if text.startswith(each.name)), document)
        if document is None:
            raise ValueError(f"{text!r} names no document")
        rest = text.removeprefix(document.name).strip(" ,")
        words = _NUMBER.findall(rest) or [rest]
        if wrong := [each for each in words if each not in document.sections]:
            raise ValueError(f"{document.name} has no section {', '.join(wrong)}")
        found += [(document, each) for each in words]
    return tuple(found)


def _document(file: str) -> Document:
    read = yaml.safe_load((Path(__file__).parent / FILES[file]).read_text(encoding="utf-8"))
    sections: dict[str, Any] = read["sections"]
    stated = (_statement(file, name, each) for name, section in sections.items() for each in section["statements"])
    titles = {name: section["title"] for name, section in sections.items()}
    return Document(file, read["document"], titles, tuple(stated))


def _statement(file: str, section: str, said: dict[str, Any]) -> Statement:
    first, _, last = str(said["lines"]).partition("-")
    return Statement(
        file=file,
        section=section,
        first=int(first),
        last=int(last or first),
        kind=Kind(said["kind"]),
        says=said["says"],
        claims=tuple(said.get("claims", ())),
        no_claim=said.get("no_claim", ""),
    )
