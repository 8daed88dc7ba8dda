"""What an engine counts, as one record: Prometheus' text with each engine's own names.

A metric that is not there is None, never 0.  Names: vLLM 0.32 and llama.cpp 0.7.0 as they really answered
(tests/recorded), SGLang 0.5.23 and TGI 3.3.7 from their source.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasks.facts.base import NotUnderstood

_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
Sample = tuple[str, Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class MetricNames:
    """How one engine calls each count; "" where it has none.  `ttft_s`, time to the first token, is a histogram.

    `cached_apart`: its prompt tokens are those that were reckoned, and the cached ones come on top.
    """

    running: str = ""
    waiting: str = ""
    kv_cache_usage: str = ""
    prompt_tokens: str = ""
    cached_tokens: str = ""
    generation_tokens: str = ""
    ttft_s: str = ""
    preemptions: str = ""
    cached_apart: bool = False


@dataclass(frozen=True, slots=True)
class EngineMetrics:
    """Counts since the engine began, and what it does now.  `prompt_tokens` counts what the cache gave too.

    `kv_cache_usage` is a share from 0 to 1; tokens are whole counts; `first_token_s_sum` is seconds over all the
    `first_token_count` requests.
    """

    running: float | None
    waiting: float | None
    kv_cache_usage: float | None
    prompt_tokens: float | None
    cached_tokens: float | None
    generation_tokens: float | None
    first_token_s_sum: float | None
    first_token_count: float | None
    preemptions: float | None

    @property
    def mean_first_token_s(self) -> float | None:
        """Mean time to the first token; None before the first one."""
        if self.first_token_s_sum is None or not self.first_token_count:
            return None
        return self.first_token_s_sum / self.first_token_count


def samples(text: str) -> Iterator[Sample]:
    """Name, labels and value of every line that is a sample; ValueError for another line that is no comment."""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        found = _SAMPLE.match(line.strip())
        if found is None:
            raise ValueError(f"not Prometheus' text: {line[:80]!r}")
        yield found[1], dict(_LABEL.findall(found[2] or "")), float(found[3])


def read(text: str, names: MetricNames) -> EngineMetrics:
    """The record; of several engines or ranks behind one port, counts are added and the fullest cache is told."""
    by_name: dict[str, list[float]] = {}
    for name, _, value in samples(text):
        if math.isfinite(value):
            by_name.setdefault(name, []).append(value)

    def total(name: str) -> float | None:
        return sum(by_name[name]) if name in by_name else None

    prompt, cached = total(names.prompt_tokens), total(names.cached_tokens)
    if names.cached_apart:
        prompt = None if prompt is None or cached is None else prompt + cached
    return EngineMetrics(
        running=total(names.running),
        waiting=total(names.waiting),
        kv_cache_usage=max(by_name.get(names.kv_cache_usage, ()), default=None),
        prompt_tokens=prompt,
        cached_tokens=cached,
        generation_tokens=total(names.generation_tokens),
        first_token_s_sum=total(f"{names.ttft_s}_sum"),
        first_token_count=total(f"{names.ttft_s}_count"),
        preemptions=total(names.preemptions),
    )


@dataclass(frozen=True)
class EngineMetricsFact:
    """The EngineMetrics of the engine at a port of the host's loopback.

    `key_file` is the engine.env that holds its key as `key_variable`: llama.cpp and SGLang guard /metrics too.  The
    shell reads the key from there, and curl its header from a pipe: no command line holds it.
    Sample: 'vllm:num_requests_running{engine="0",model_name="tiny-k2"} 0.0'
    """

    port: int
    names: MetricNames
    key_file: str = ""
    key_variable: str = ""

    @property
    def command(self) -> str:
        """Ask as curl does; a status other than 2xx is an error."""
        url = f"http://127.0.0.1:{int(self.port)}/metrics"
        ask = "curl -sS --fail --max-time 20 --noproxy '*'"
        if not self.key_file:
            return f"{ask} {url}"
        header = f'printf \'header = "Authorization: Bearer %s"\' "${self.key_variable}"'
        return f". {shlex.quote(self.key_file)} && {header} | {ask} -K - {url}"

    def parse(self, stdout: str) -> EngineMetrics:
        """Every line must read as Prometheus' text, and one at least must be there."""
        try:
            if next(samples(stdout), None) is None:
                raise ValueError("no sample")
            return read(stdout, self.names)
        except ValueError:
            raise NotUnderstood(self, stdout) from None
