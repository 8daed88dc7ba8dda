"""Our own flags beside what a running engine logs that it was given and how it is configured."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assumptions._core import Part
from assumptions._parts import check
from tasks.facts.engine_options import EngineOptions, Option, Words

_NON_DEFAULT = re.compile(r"non-default args: (\{.*\})\s*$", re.MULTILINE)
_CONFIG = re.compile(r"Initializing a V\d+ LLM engine .*? with config: (.*)$", re.MULTILINE)
_FIELD = re.compile(r"'(\w+)': ('[^']*'|\[[^\[\]]*\]|True|False|-?[0-9.]+)(?=, '|\}$)")
# What the engine's configuration calls a flag's value, where that shows that the flag had its effect.
CONFIGURED = {
    "--max-model-len": "max_seq_len",
    "--tensor-parallel-size": "tensor_parallel_size",
    "--pipeline-parallel-size": "pipeline_parallel_size",
    "--decode-context-parallel-size": "decode_context_parallel_size",
    "--enforce-eager": "enforce_eager",
    "--trust-remote-code": "trust_remote_code",
}


def telling(log: str) -> str:
    """The newest lines of a log that say what was given and configured; a whole log is no observation."""
    found = (list(pattern.finditer(log))[-1:] for pattern in (_NON_DEFAULT, _CONFIG))
    return "\n".join(match[0].strip() for newest in found for match in newest)


def logged_arguments(log: str) -> Mapping[str, Any] | None:
    """The newest `non-default args` of a log as a mapping; None where it has none that can be read."""
    found = _NON_DEFAULT.findall(log)
    if not found:
        return None
    try:
        value = ast.literal_eval(found[-1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # an object in it: take the plain fields alone
        value = {name: ast.literal_eval(text) for name, text in _FIELD.findall(found[-1])}
    return value if isinstance(value, dict) and value else None


def configured(log: str, name: str) -> str | None:
    """One plain field of the configuration that the engine logs at its start; None where it is not told."""
    lines = _CONFIG.findall(log)
    found = re.search(rf"(?:^|[ ,(]){re.escape(name)}=([^,()\[\]]*)(?:,|$)", lines[-1]) if lines else None
    return found[1].strip().strip("'\"") if found else None


def in_effect(options: EngineOptions | None, given: Sequence[Words], log: str) -> Iterator[Part]:
    """A part a flag: what the running engine logged for it, and where it is told, the engine's configuration."""
    logged = logged_arguments(log)
    for words in given:
        name, label = words[0], " ".join(words)
        if logged is None:
            yield check(label, None, "the log has no readable line of non-default args", expected=_wanted(words))
            continue
        option = options.option(name) if options else None
        key = next((each for each in _keys(name, option) if each in logged), None)
        value = logged[key] if key else option.default if option else None
        holds = None if key is None and (option is None or option.default is None) else _same(words, value)
        said = f"logged as {value!r}" if key else f"not logged; the parser's default is {value!r}"
        if key is None and option is not None and option.default is None:
            holds, said = False, "not among the arguments that the engine says it was given"
        yield check(label, holds, said, expected=_wanted(words), measured=value)
        yield from _configured(words, log)


def _configured(words: Words, log: str) -> Iterator[Part]:
    field = CONFIGURED.get(words[0])
    value = configured(log, field) if field else None
    if field and value is not None:
        said = f"the engine's configuration says {field}={value}"
        yield check(f"{words[0]}: in effect", _same(words, value), said, expected=_wanted(words), measured=value)


def _keys(name: str, option: Option | None) -> Iterator[str]:
    """What the parser may call the option: its own name first, then its others."""
    names = (name, *(option.names if option else ()))
    return (each.removeprefix("--").replace("-", "_") for each in names if each.startswith("--"))


def _wanted(words: Words) -> str:
    return " ".join(words[1:]) or str(not words[0].startswith("--no-"))


def _same(words: Words, value: object) -> bool:
    """Whether a logged value is what the words ask for: a switch, a number, a text or a list of texts."""
    wanted: list[str] = list(words[1:]) or [_wanted(words)]
    have = [str(each) for each in value] if isinstance(value, (list, tuple)) else [str(value)]
    return len(have) == len(wanted) and all(map(_equal, have, wanted))


def _equal(have: str, wanted: str) -> bool:
    try:
        return have == wanted or float(have) == float(wanted)
    except ValueError:
        return False
