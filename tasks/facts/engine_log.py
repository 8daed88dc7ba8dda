"""What the engine's log says of its start: memory, KV cache, what it switched off, why it died.

Lines as vLLM 0.18 to 0.33 print them (read in its source); a figure that the log doesn't give is None.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

_NUMBER = r"([0-9][0-9,]*(?:\.[0-9]+)?)"
_VERSION = re.compile(r"(?:vLLM API server version|vLLM engine \(v|version) ?v?([0-9]+\.[0-9]+\.[0-9]+[^\s,)]*)")
_KV_TOKENS = re.compile(rf"(?:GPU|CPU) KV cache size: {_NUMBER} tokens")
_KV_GIB = re.compile(rf"Available KV cache memory: {_NUMBER} GiB")
_CPU_KV_GIB = re.compile(rf"\({_NUMBER}/{_NUMBER}\) GiB for KV cache")
_LOAD_GIB = re.compile(rf"Model loading took {_NUMBER} GiB")
_NO_CACHE = re.compile(r"prefix caching to be disabled|enable_prefix_caching=False")
_FATAL = re.compile(
    r"error: |Error: |Error\b.*:|No available memory|larger than the available KV cache|CUDA out of memory"
)
_NOT_FATAL = re.compile(r"^(?:\([^)]*\) )?(?:DEBUG|INFO|WARNING) [0-9]")  # a warning may quote an error
_POINTS_UP = re.compile(r"See (?:root cause|stack trace)|initialization failed due to")


@dataclass(frozen=True, slots=True)
class EngineLog:
    """Figures of the newest start."""

    version: str | None
    kv_tokens: int | None
    kv_gib: float | None
    load_gib: float | None
    prefix_caching: bool | None  # False: the engine says that it switched it off; None: it says nothing
    fatal: str | None  # the line that says why it ended, as the engine words it
    text: str


def _numbers(pattern: re.Pattern[str], text: str) -> list[float]:
    found = (each[0] if isinstance(each, tuple) else each for each in pattern.findall(text))
    return [float(each.replace(",", "")) for each in found]


def _number(pattern: re.Pattern[str], text: str) -> float | None:
    """The last one: of a log that holds several starts, the newest counts."""
    found = _numbers(pattern, text)
    return found[-1] if found else None


def _least(pattern: re.Pattern[str], text: str) -> float | None:
    """The smallest: ranks log their own figure, and the smallest rank decides for all."""
    return min(_numbers(pattern, text), default=None)


def fatal_line(text: str) -> str | None:
    """The last line that names an error, without the log's own prefixes."""
    named = [line for line in text.splitlines() if _FATAL.search(line) and not _NOT_FATAL.match(line)]
    named = [line for line in named if not _POINTS_UP.search(line)] or named
    if not named:
        return None
    return re.sub(r"^.*?(?:ERROR|CRITICAL) [0-9: -]+\[[^]]*\] *", "", named[-1]).strip()[:500]


@dataclass(frozen=True)
class EngineLogFact:
    """The EngineLog at `path`, which is begun anew at every start."""

    path: str

    @property
    def command(self) -> str:
        """The first and last megabyte: start-up lines come first, the fatal one last."""
        path = shlex.quote(self.path)
        return f"head -c 1000000 {path}; [ $(stat -c %s {path}) -le 1000000 ] || tail -c 1000000 {path}"

    def parse(self, stdout: str) -> EngineLog:
        """Pick the figures out."""
        tokens = _number(_KV_TOKENS, stdout)
        version = _VERSION.search(stdout)
        return EngineLog(
            version=version.group(1) if version else None,
            kv_tokens=int(tokens) if tokens is not None else None,
            kv_gib=_least(_KV_GIB, stdout) or _number(_CPU_KV_GIB, stdout),
            load_gib=_number(_LOAD_GIB, stdout),
            prefix_caching=False if _NO_CACHE.search(stdout) else None,
            fatal=fatal_line(stdout),
            text=stdout,
        )
