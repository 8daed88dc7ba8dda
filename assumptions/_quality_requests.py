"""Requests with tools: the product's own, whose answers were decided by hand, and the vendor's published ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from assumptions._quality import Beside, beside
from inventories.errors import BadInput
from tasks.site import Site

OWN = Path(__file__).with_name("_quality_requests.json")
OWN_SET = "the product's own requests"
_SENT = ("messages", "tools", "tool_choice")  # of a published request; sampling is the claim's own


@dataclass(frozen=True, slots=True)
class Request:
    """A chat with tools; `calls` says whether a tool should be called, None where nobody told."""

    id: str
    body: Mapping[str, Any]
    calls: bool | None


@dataclass(frozen=True, slots=True)
class RequestSet:
    """Requests, where they come from, and the digests of the files."""

    source: str
    sha256: tuple[str, ...]
    requests: tuple[Request, ...]


@cache
def own_set() -> RequestSet:
    """The product's own: every other one needs no tool."""
    read = json.loads(OWN.read_bytes())
    tools = {each["function"]["name"]: each for each in read["tools"]}
    found = (
        Request(each["id"], {"messages": each["messages"], "tools": [tools[n] for n in each["tools"]]}, each["calls"])
        for each in read["requests"]
    )
    return RequestSet(OWN_SET, (), tuple(found))


def vendor_set(site: Site, *, results: bool) -> RequestSet | None:
    """The inventory's published set, thinned evenly; None where none (or, asked for, no results of it) is declared."""
    quality = site.inventory.quality
    if quality.vendor_set is None or (results and quality.vendor_results is None):
        return None
    file = beside(site, quality.vendor_set)
    files, said = [file], dict[int, bool]()
    if results and quality.vendor_results:
        told = beside(site, quality.vendor_results)
        files.append(told)
        said = {int(row["data_index"]): row["finish_reason"] == "tool_calls" for row in _rows(told, "data_index")}
    known = [(n, row) for n, row in enumerate(_rows(file, "messages"), start=1) if not results or n in said]
    step = max(1, -(-len(known) // quality.vendor_requests))
    chosen = tuple(Request(str(n), _sent(row), said.get(n)) for n, row in known[::step])
    return RequestSet(Path(file.path).name, tuple(each.sha256 for each in files), chosen)


def _rows(file: Beside, needs: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file.content.decode("utf-8", "replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or needs not in row:
            fix = "name a file of K2 Vendor Verifier: one JSON object a line"
            raise BadInput(f"line {number} is no object with {needs!r}", where=file.path, fix=fix)
        yield row


def _sent(row: dict[str, Any]) -> dict[str, Any]:
    """What is sent of a published request; the verifier's own `_input` role is sent as `system`, as it does."""
    body = {name: row[name] for name in _SENT if name in row}
    body["messages"] = [
        {**message, "role": "system"} if message.get("role") == "_input" else message for message in row["messages"]
    ]
    return body
