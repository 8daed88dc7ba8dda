"""A recorded reference: what another engine says of the same passages, token by token, with its own spread.

One JSON file.  `sha256` is the digest of all else in it, spelled without spaces and with sorted keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from inventories.errors import BadInput

FORMAT = "beachhead-reference/1"
PASSAGES = Path(__file__).with_name("_quality_passages.json")
KINDS = {
    "bf16": "the model in 16 bits, as it was before it was rounded to INT4",
    "dequantised": "the INT4 weights written out in 16 bits: shows the engine's kernels, not what rounding cost",
    "vendor": "the vendor's own service",
    "other": "nobody said what weights it serves",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a passage: its spelling, its own log-probability, and the likeliest at its place."""

    text: str
    logprob: float
    top: Mapping[str, float]


Run = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class About:
    """Whose answers a reference holds."""

    model: str  # id in the catalog
    endpoint: str
    endpoint_model: str
    engine: str
    kind: str
    recorded_at: datetime
    tokens: str  # ids or text: how tokens are spelled
    temperature: float
    passages_sha256: str
    repeats: int


@dataclass(frozen=True, slots=True)
class Reference:
    """The file's content: for each passage one run a repeat."""

    about: About
    runs: Mapping[str, tuple[Run, ...]]


@cache
def passages() -> Mapping[str, str]:
    """The product's fixed passages, by id."""
    return {each["id"]: each["text"] for each in json.loads(PASSAGES.read_bytes())}


@cache
def passages_sha256() -> str:
    """Their digest: two references of different passages can't be compared."""
    return hashlib.sha256(_spelled(dict(passages()))).hexdigest()


def written(reference: Reference) -> str:
    """The file's text."""
    about = reference.about
    head: dict[str, Any] = {name: getattr(about, name) for name in About.__slots__}
    runs = {name: [[_row(token) for token in run] for run in found] for name, found in reference.runs.items()}
    body = {"format": FORMAT, **head, "recorded_at": about.recorded_at.isoformat(), "passages": runs}
    body["sha256"] = hashlib.sha256(_spelled(body)).hexdigest()
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")) + "\n"


def read(content: bytes, where: str) -> Reference:
    """The reference of a file.  BadInput where it is none, or not what was recorded."""
    try:
        body = json.loads(content)
        said = body.pop("sha256")
        if body.pop("format") != FORMAT:
            raise BadInput(f"it is not of the form {FORMAT}", where=where, fix=_FIX)
        if said != hashlib.sha256(_spelled({"format": FORMAT, **body})).hexdigest():
            raise BadInput("its digest is not that of its content: it was changed", where=where, fix=_FIX)
        runs = body.pop("passages")
        about = About(**{**body, "recorded_at": datetime.fromisoformat(body["recorded_at"])})
        return Reference(about, {name: tuple(map(_run, found)) for name, found in runs.items()})
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise BadInput(f"it holds no reference: {type(error).__name__}", where=where, fix=_FIX) from None


_FIX = "record it again: beachhead reference record INVENTORY --endpoint URL"


def _row(token: Token) -> list[Any]:
    return [token.text, token.logprob, dict(token.top)]


def _run(rows: list[list[Any]]) -> Run:
    return tuple(Token(str(text), float(logprob), {k: float(v) for k, v in top.items()}) for text, logprob, top in rows)


def _spelled(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
