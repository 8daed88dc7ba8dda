"""From plain values to a declared shape, or to one BadInput with a line for each thing that is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from inventories.errors import BadInput

SECRET = re.compile(r"password|passphrase|secret|token(?!s)|api_?key|private_?key|credential", re.IGNORECASE)
M = TypeVar("M", bound=BaseModel)


def validated(shape: type[M], data: object, where: str) -> M:
    """`data` as a `shape`, or one BadInput with a line for each thing that is wrong."""
    if not isinstance(data, dict):
        what = f"expected a mapping of keys, got {_shown(data)}"
        raise BadInput(what, where=where, fix=f"start with {next(iter(shape.model_fields))}: …")
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        found = _own_faults(error)
    lines = "".join(f"\n  {_path(e['loc'])}: {_message(e)}" for e in found)
    advice = [list(_fixes(shape, e)) for e in found]
    fixes = list(dict.fromkeys(fix for each in advice for fix in each))
    if not all(advice):
        fixes.append("mend the other lines named above" if fixes else "mend what is named above")
    raise BadInput(f"{_count(len(found))}:{lines}", where=where, fix="; ".join(fixes))


def _own_faults(error: ValidationError) -> list[Mapping[str, Any]]:
    """What is wrong, without the "too short" that pydantic adds for a list whose items were all refused."""
    found = error.errors(include_url=False, include_context=False)

    def echoes(fault: Mapping[str, Any]) -> bool:
        at = fault["loc"]
        return fault["type"] == "too_short" and any(e["loc"][: len(at)] == at and e["loc"] != at for e in found)

    return [fault for fault in found if not echoes(fault)]


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The known words that look like `word`, best first."""
    return difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)


def _count(n: int) -> str:
    return "1 value is not right" if n == 1 else f"{n} values are not right"


def _path(loc: tuple[int | str, ...]) -> str:
    return ".".join(map(str, loc)) or "the whole"


def _message(error: Mapping[str, Any]) -> str:
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        text = "unknown key"
    if error["type"] == "missing" or isinstance(error["input"], BaseModel):
        return text
    if SECRET.search(_path(error["loc"])):
        return f"{text} (the value is not shown)"
    if error["type"] in ("value_error", "assertion_error") and isinstance(error["input"], dict | list | tuple):
        return text
    return f"{text} (got {_shown(error['input'])})"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return f"a mapping of {len(value)} keys"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _fixes(shape: type[BaseModel], error: Mapping[str, Any]) -> Iterator[str]:
    loc = error["loc"]
    if error["type"] == "extra_forbidden":
        keys = _keys_at(shape, loc[:-1])
        near = nearest(str(loc[-1]), keys)
        yield f"did you mean {near[0]!r} instead of {loc[-1]!r}?" if near else f"known keys here: {', '.join(keys)}"
    elif error["type"] == "missing":
        yield f"add {_path(loc)}"
    elif error["type"] == "string_type" and isinstance(error["input"], int | float):
        yield f"put {_path(loc)} in quotes"
    elif "[0-9a-f]{40}" in str(error["msg"]):
        yield f"{_path(loc)}: give the commit, 40 lower-case hex digits, never a branch or tag; or leave it out"


def _keys_at(shape: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that `shape` knows at `loc`."""
    for part in loc:
        if isinstance(part, int):
            continue
        field = shape.model_fields.get(str(part))
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        shape = inner
    return list(shape.model_fields)


def _model_in(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((m for m in map(_model_in, getattr(kind, "__args__", ())) if m), None)
