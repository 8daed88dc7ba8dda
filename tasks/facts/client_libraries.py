"""What huggingface_hub's command line and the openai library take, as recorded from the real ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tasks.facts.engine_options import RECORDED, Trial, Words


@dataclass(frozen=True, slots=True)
class Hub:
    """huggingface_hub: the commands that it installs, and what its own parsers said of words."""

    version: str
    scripts: tuple[str, ...]
    trials: Mapping[Words, Trial]


@dataclass(frozen=True, slots=True)
class Name:
    """One name of the openai library: is it there, what does a call raise, which parameters does it take."""

    there: bool
    raises: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenAi:
    """The openai library by dotted name."""

    version: str
    names: Mapping[str, Name]


@cache
def _newest(library: str) -> Mapping[str, Any] | None:
    def version(stem: str) -> tuple[int, ...]:
        return tuple(int(part) for part in stem.removeprefix(f"{library}-").split("."))

    files = sorted(RECORDED.glob(f"{library}-*.json"), key=lambda file: version(file.stem))
    if not files:
        return None
    told: Mapping[str, Any] = json.loads(files[-1].read_text(encoding="utf-8"))
    return told


def hub() -> Hub | None:
    """The newest recording; None where there is none."""
    if (told := _newest("huggingface-hub")) is None:
        return None
    trials = (Trial(tuple(each["words"]), bool(each["taken"]), str(each["said"])) for each in told["trials"])
    return Hub(str(told["version"]), tuple(told["scripts"]), {trial.words: trial for trial in trials})


def openai() -> OpenAi | None:
    """The newest recording; None where there is none."""
    if (told := _newest("openai")) is None:
        return None
    names = {
        name: Name(bool(each["there"]), str(each.get("raises", "")), tuple(each.get("parameters", ())))
        for name, each in told["names"].items()
    }
    return OpenAi(str(told["version"]), names)
