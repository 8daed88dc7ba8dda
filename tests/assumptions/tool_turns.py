"""Answers to requests with tools, as the claims about tool calls observe them."""

from collections.abc import Iterator

from assumptions._quality_requests import OWN_SET
from assumptions._quality_tools import Played, Turn

CALLED = Turn("weather", 200, "", "tool_calls", 1, True, "", False, False, True)
TALKED = Turn("poem", 200, "", "stop", 0, None, "", False, False, False)
INVALID = Turn("lights", 200, "", "tool_calls", 1, False, "set_lights: 'on' is a required property", False, False, True)
LEAKED = Turn("weather", 200, "", "stop", 0, None, "", True, False, True)
FORCED = Turn("weather", 200, "", "stop", 1, True, "", False, True, True)
REFUSED = Turn("web", 400, "tools are not switched on", "None", 0, None, "", False, False, True)
SILENT = Turn("web", 0, "ConnectTimeout", "", 0, None, "", False, False, True)


def played(*turns: Turn, source: str = OWN_SET) -> Played:
    return Played(source, () if source == OWN_SET else ("ab" * 32,), turns)


def many(**counts: int) -> Iterator[Turn]:
    """called=40, talked=30 … of each kind."""
    kinds = {"called": CALLED, "talked": TALKED, "invalid": INVALID}
    needless = Turn("poem", 200, "", "tool_calls", 1, True, "", False, False, False)
    missed = Turn("weather", 200, "", "stop", 0, None, "", False, False, True)
    for name, count in counts.items():
        yield from [{**kinds, "needless": needless, "missed": missed}[name]] * count
