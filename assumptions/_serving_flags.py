"""Our own flags beside the table of an engine's parser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from assumptions._core import Part
from assumptions._guide import flags
from assumptions._parts import check
from tasks.engines.base import PORT
from tasks.facts.engine_options import EngineOptions, Words

_COUNT = re.compile(r"[0-9]+(\.[0-9]+)?[kKmMgGtT]?")
CONVERSIONS: Mapping[str, Callable[[str], object]] = {  # the parser's own conversions that are known here
    "": str,
    "str": str,
    "parse_reasoning_parser": str,
    "int": int,
    "float": float,
    "human_readable_int": lambda word: _count(word),
    "human_readable_int_or_auto": lambda word: word if word in ("auto", "-1") else _count(word),
}
# The recording calls every option that may be None by one name; of these it is known that they are texts.
TEXTS = frozenset({"--host", "--served-model-name", "--tool-call-parser", "--distributed-executor-backend"})


def _count(word: str) -> str:
    if not _COUNT.fullmatch(word):
        raise ValueError(f"not a count: {word!r}")
    return word


def grouped(arguments: Sequence[str], port: int) -> tuple[Words, ...]:
    """Each flag of a release with the values behind it, the slot's port in its place."""
    return tuple(flags(str(port) if word == PORT else word for word in arguments))


def narrowed(options: EngineOptions | None, given: Sequence[Words]) -> EngineOptions | None:
    """What a recording says of these flags alone: a parser's 300 others are no part of an observation."""
    if options is None:
        return None
    names = {words[0] for words in given}
    kept = tuple(option for option in options.options if names & set(option.names))
    return replace(options, options=kept, trials={w: trial for w, trial in options.trials.items() if w[0] in names})


def refusal(options: EngineOptions, words: Words) -> str | None:
    """Why the recorded parser would refuse these words, "" where it takes them; None where its table can't tell."""
    name, *values = words
    option = options.option(name)
    if option is None:
        return "unrecognized argument"
    if option.values == "0":
        return f"takes no value, given {values}" if values else ""
    wrong = not values if option.values == "+" else len(values) > 1 if option.values == "?" else len(values) != 1
    if wrong:
        return f"{len(values)} values where the parser takes {option.values or '1'}"
    if option.choices and not set(values) <= set(option.choices):
        return f"invalid choice: {values[0]!r} (choose from {', '.join(option.choices)})"
    convert = str if name in TEXTS else CONVERSIONS.get(option.kind)
    if convert is None:
        return None
    try:
        for value in values:
            convert(value)
    except ValueError:
        return f"invalid {option.kind} value: {values}"
    return ""


def taken(options: EngineOptions, given: Sequence[Words]) -> Iterator[Part]:
    """A part a flag, by the recorded table."""
    for words in given:
        why = refusal(options, words)
        said = "taken" if why == "" else why or f"the parser's own conversion {_kind(options, words)} is not known here"
        yield check(" ".join(words), None if why is None else why == "", said, expected="taken", measured=said)


def _kind(options: EngineOptions, words: Words) -> str:
    option = options.option(words[0])
    return option.kind if option else ""
