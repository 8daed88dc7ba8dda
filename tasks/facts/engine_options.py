"""What an engine's own command line takes and its /health route answers: asked on a host, or as recorded before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tasks.facts.base import NotUnderstood, script

RECORDED = Path(__file__).parents[1] / "engines" / "recorded"
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One option: every name that the parser takes, and what it takes behind them.

    `kind` is the name of the parser's own conversion ("" for text or none), `values` its nargs ("0": a switch).
    """

    names: tuple[str, ...]
    kind: str
    values: str
    choices: tuple[str, ...]
    default: str | int | float | None


@dataclass(frozen=True, slots=True)
class Trial:
    """Words that were given to the parser, and the error or the warning it gave."""

    words: Words
    taken: bool
    said: str


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """One engine version.  `how` says how it was learnt.

    `modules` maps what `python -m` may name to "" or "deprecated"; `health` maps alive and dead to status and body.
    """

    version: str
    how: str
    options: tuple[Option, ...]
    trials: Mapping[Words, Trial]
    modules: Mapping[str, str]
    health: Mapping[str, tuple[int, str]]

    def option(self, name: str) -> Option | None:
        """The option of that name, hidden names too."""
        return next((option for option in self.options if name in option.names), None)


@dataclass(frozen=True)
class EngineOptionsFact:
    """The answer of tasks/remote/engine_options.py: vLLM's real parser, asked with the engine's own Python.

    Sample: {"version":"0.32.0","options":[{"names":["--dtype"],"type":"str","choices":["auto",…],"default":"auto"},…],
    "trials":[{"words":["--dtype","int4"],"taken":false,"said":"… invalid choice: 'int4' …"}],"modules":{…},
    "health":{"alive":[200,""],"dead":[503,""]}} behind whatever the engine logs.
    """

    python: str
    trials: tuple[Words, ...] = ()

    @property
    def command(self) -> str:
        """Some 20 s of processor: it imports the engine's libraries, and starts nothing."""
        quiet = "env DO_NOT_TRACK=1 HF_HUB_OFFLINE=1 VLLM_LOGGING_LEVEL=WARNING VLLM_NO_USAGE_STATS=1"
        return f"{quiet} {script(self.python, 'engine_options.py', json.dumps(self.trials))}"

    def parse(self, stdout: str) -> EngineOptions:
        """The last JSON line."""
        for line in reversed(stdout.splitlines()):
            if line.startswith('{"version"'):
                try:
                    return read({**json.loads(line), "how": "asked on the host"})
                except (ValueError, TypeError, KeyError):
                    break
        raise NotUnderstood(self, stdout[-600:])


def read(told: Mapping[str, Any]) -> EngineOptions:
    """The value of one JSON object; raises KeyError, TypeError or ValueError where it is another shape."""
    trials = (Trial(tuple(each["words"]), bool(each["taken"]), str(each["said"])) for each in told["trials"])
    return EngineOptions(
        version=str(told["version"]),
        how=str(told["how"]),
        options=tuple(_option(each) for each in told["options"]),
        trials={trial.words: trial for trial in trials},
        modules={name: str(said) for name, said in told["modules"].items()},
        health={name: (int(status), str(body)) for name, (status, body) in told["health"].items()},
    )


def _option(told: Mapping[str, Any]) -> Option:
    return Option(
        names=tuple(told["names"]),
        kind=str(told.get("type", "")),
        values=str(told.get("nargs", "")),
        choices=tuple(told.get("choices", ())),
        default=told.get("default"),
    )


@cache
def recorded(engine: str, version: str) -> EngineOptions | None:
    """What was recorded of that engine's version; None where nothing was.  A broken recording is an error."""
    file = RECORDED / f"{engine}-{version}.json"
    return read(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def versions(engine: str) -> Iterable[str]:
    """The versions of `engine` that were recorded."""
    return sorted(file.stem.removeprefix(f"{engine}-") for file in RECORDED.glob(f"{engine}-*.json"))
