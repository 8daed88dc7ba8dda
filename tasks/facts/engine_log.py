"""The engine's log: memory, KV cache, how long its start took, what it switched off, why it died.

Each engine words this its own way (LogLines); a figure that the log doesn't give is None.  vLLM's lines as 0.18 to
0.33 print them (read in its source, and recorded from 0.32 for CPU).
"""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass

_NUMBER = r"([0-9][0-9,]*(?:\.[0-9]+)?)"
_NEVER = r"(?!)"


@dataclass(frozen=True, slots=True)
class LogLines:
    """Patterns of one engine; the first group of each is the figure, of `kv_tokens` the product of all groups.

    `fatal` names an error, unless the line matches `harmless`, or `points_up` to another line.  `prefix` is what a
    line begins with before the engine's own words.  `unit_gib` is what one unit of a memory figure is in GiB.
    """

    version: str = _NEVER
    kv_tokens: str = _NEVER
    kv_gib: str = _NEVER
    cpu_kv_gib: str = _NEVER
    load_gib: str = _NEVER
    load_s: str = _NEVER
    compile_s: str = _NEVER
    graph_s: str = _NEVER
    no_cache: str = _NEVER
    fatal: str = r"error: |Error: |Error\b.*:"
    harmless: str = _NEVER
    points_up: str = _NEVER
    prefix: str = _NEVER
    unit_gib: float = 1.0


VLLM = LogLines(
    version=r"(?:vLLM API server version|vLLM engine \(v|version) ?v?([0-9]+\.[0-9]+\.[0-9]+[^\s,)]*)",
    kv_tokens=rf"(?:GPU|CPU) KV cache size: {_NUMBER} tokens",
    kv_gib=rf"Available KV cache memory: {_NUMBER} GiB",
    cpu_kv_gib=rf"\({_NUMBER}/{_NUMBER}\) GiB for KV cache",
    load_gib=rf"Model loading took {_NUMBER} GiB",
    load_s=rf"Loading weights took {_NUMBER} seconds",
    compile_s=rf"torch\.compile took {_NUMBER} s in total",
    graph_s=rf"\bGraph capturing finished in {_NUMBER} secs",
    no_cache=r"prefix caching to be disabled|enable_prefix_caching=False",
    fatal=r"error: |Error: |Error\b.*:|No available memory|larger than the available KV cache|CUDA out of memory",
    harmless=r"^(?:\([^)]*\) )?(?:DEBUG|INFO|WARNING) [0-9]",  # a warning may quote an error
    points_up=r"See (?:root cause|stack trace)|initialization failed due to",
    prefix=r"^.*?(?:ERROR|CRITICAL) [0-9: -]+\[[^]]*\] *",
)


@dataclass(frozen=True, slots=True)
class EngineLog:
    """Figures of the newest start; seconds are the slowest rank's."""

    version: str | None
    kv_tokens: int | None
    kv_gib: float | None
    load_gib: float | None
    prefix_caching: bool | None  # False: the engine says that it switched it off; None: it says nothing
    fatal: str | None  # the line that says why it ended, as the engine words it
    text: str
    load_s: float | None = None
    compile_s: float | None = None
    graph_s: float | None = None


def _numbers(pattern: str, text: str) -> list[float]:
    found = (each[0] if isinstance(each, tuple) else each for each in re.findall(pattern, text))
    return [float(each.replace(",", "")) for each in found]


def _product(pattern: str, text: str) -> int | None:
    """Of the last match's groups: slots times tokens of each, or one figure alone."""
    groups = [found.groups() for found in re.finditer(pattern, text)]
    return math.prod(int(float(each.replace(",", ""))) for each in groups[-1]) if groups else None


def _number(pattern: str, text: str) -> float | None:
    """The last one: of a log that holds several starts, the newest counts."""
    found = _numbers(pattern, text)
    return found[-1] if found else None


def _least(pattern: str, text: str) -> float | None:
    """The smallest: ranks log their own figure, and the smallest rank decides for all."""
    return min(_numbers(pattern, text), default=None)


def _most(pattern: str, text: str) -> float | None:
    """The greatest: the slowest rank decides for all."""
    return max(_numbers(pattern, text), default=None)


def _in_gib(figure: float | None, lines: LogLines) -> float | None:
    return None if figure is None else round(figure * lines.unit_gib, 6)


def fatal_line(text: str, lines: LogLines = VLLM) -> str | None:
    """The last line that names an error, without the log's own prefixes."""
    fatal, harmless = re.compile(lines.fatal), re.compile(lines.harmless)
    named = [line for line in text.splitlines() if fatal.search(line) and not harmless.match(line)]
    named = [line for line in named if not re.search(lines.points_up, line)] or named
    return re.sub(lines.prefix, "", named[-1]).strip()[:500] if named else None


@dataclass(frozen=True)
class EngineLogFact:
    """The EngineLog at `path`, which is begun anew at every start, in the words of one engine."""

    path: str
    lines: LogLines = VLLM

    @property
    def command(self) -> str:
        """The first and last megabyte: start-up lines come first, the fatal one last."""
        path = shlex.quote(self.path)
        return f"head -c 1000000 {path}; [ $(stat -c %s {path}) -le 1000000 ] || tail -c 1000000 {path}"

    def parse(self, stdout: str) -> EngineLog:
        """Pick the figures out."""
        return read_log(stdout, self.lines)


def read_log(text: str, lines: LogLines = VLLM) -> EngineLog:
    """The figures of a log that is here already."""
    version, least = re.search(lines.version, text), _least(lines.kv_gib, text)
    return EngineLog(
        version=version.group(1) if version else None,
        kv_tokens=_product(lines.kv_tokens, text),
        kv_gib=_in_gib(_number(lines.cpu_kv_gib, text) if least is None else least, lines),
        load_gib=_in_gib(_number(lines.load_gib, text), lines),
        prefix_caching=False if re.search(lines.no_cache, text) else None,
        fatal=fatal_line(text, lines),
        text=text,
        load_s=_most(lines.load_s, text),
        compile_s=_most(lines.compile_s, text),
        graph_s=_most(lines.graph_s, text),
    )
