"""Whether a value fits a JSON schema, as far as the claims' own schemas go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def record(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object with exactly these properties, as strict schemas ask for it."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def misfit(value: Any, schema: dict[str, Any]) -> str:
    """The first thing about `value` that the schema does not allow; "" where it fits."""
    return next(_misfits(value, schema, "it"), "")


def read(text: str, schema: dict[str, Any]) -> tuple[Any, str]:
    """The JSON value of a text and what is wrong with it."""
    try:
        value = json.loads(text)
    except ValueError as error:
        return None, f"not JSON ({error}): {text[:80]!r}"
    return value, misfit(value, schema)


def _misfits(value: Any, schema: dict[str, Any], at: str) -> Iterator[str]:
    kind = schema.get("type")
    if kind is not None and (
        not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind in ("integer", "number"))
    ):
        yield f"{at} is {json.dumps(value)[:60]}, not of type {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is {json.dumps(value)[:60]}, none of {schema['enum']}"
    if isinstance(value, dict):
        yield from _object(value, schema, at)
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{at} has {len(value)} items"
        for number, item in enumerate(value):
            yield from _misfits(item, schema.get("items", {}), f"{at}[{number}]")


def _object(value: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    if missing := sorted(set(schema.get("required", ())) - set(value)):
        yield f"{at} lacks {', '.join(missing)}"
    if (extra := sorted(set(value) - set(known))) and schema.get("additionalProperties") is False:
        yield f"{at} has {', '.join(extra)} too"
    for name, inner in known.items():
        if name in value:
            yield from _misfits(value[name], inner, f"{at}.{name}")
