"""Tools that the claims offer to the model, and reading the calls that come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assumptions._api import message
from assumptions._api_schema import read, record
from serving.client import Reply

WEATHER, TRAIN = "get_weather", "find_train"
SCHEMAS: Mapping[str, dict[str, Any]] = {
    WEATHER: record(city={"type": "string"}, days={"type": "integer"}),
    TRAIN: record(to={"type": "string"}),
}
MARKS = ("<|tool_call", "functions.")  # Kimi's own words for a call: the parser's matter, never the reader's
SECTION_BEGINS, SECTION_ENDS = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"


def tools(*names: str, strict: bool = True) -> list[dict[str, Any]]:
    """The offer, as a request carries it."""
    return [
        {"type": "function", "function": {"name": name, "strict": strict, "parameters": SCHEMAS[name]}}
        for name in names
    ]


def named(name: str) -> dict[str, Any]:
    """The tool_choice that names one tool."""
    return {"type": "function", "function": {"name": name}}


def calls(reply: Reply) -> tuple[Any, ...]:
    """The calls of an answer."""
    found = message(reply).get("tool_calls")
    return tuple(found) if isinstance(found, list) else ()


def leaked(text: str) -> str:
    """Kimi's mark of a call that stands in a text for readers; "" where none does."""
    return next((mark for mark in MARKS if mark in text), "")


def broken(call: Any) -> str:
    """What is wrong with a call: its shape, its name, its arguments; "" where a client can run it."""
    function = call.get("function") if isinstance(call, dict) else None
    name, arguments = (function.get("name"), function.get("arguments")) if isinstance(function, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(arguments, str):
        return f"not a call of a function: {str(call)[:80]}"
    if name not in SCHEMAS:
        return f"calls {name[:60]!r}, which was not offered"
    if not call.get("id"):
        return f"the call of {name} has no id, so its result can't be sent back"
    wrong = read(arguments, SCHEMAS[name])[1]
    return f"{name}: {wrong}" if wrong else ""


def names(found: Sequence[Any]) -> tuple[str, ...]:
    """What each call calls; "" where it names nothing."""
    functions = [call.get("function") if isinstance(call, dict) else None for call in found]
    return tuple(str(each.get("name", "")) if isinstance(each, dict) else "" for each in functions)


def told(found: Sequence[Any]) -> str:
    """The calls as one reads them."""
    said = [call["function"] for call in found if isinstance(call, dict) and isinstance(call.get("function"), dict)]
    return ", ".join(f"{each.get('name')}({each.get('arguments')})" for each in said)[:160] or "no call"


def results(*named_cities: tuple[str, str]) -> list[dict[str, Any]]:
    """A conversation in which tools were called and answered: id and city of each call."""
    made = [
        {"id": key, "type": "function", "function": {"name": WEATHER, "arguments": f'{{"city": "{city}", "days": 1}}'}}
        for key, city in named_cities
    ]
    return [
        {"role": "user", "content": f"What is the weather tomorrow in {' and '.join(c for _, c in named_cities)}?"},
        {"role": "assistant", "content": "", "tool_calls": made},
        *({"role": "tool", "tool_call_id": key, "content": f"{city}: 12 degrees, rain"} for key, city in named_cities),
    ]
