"""The engine's /metrics as numbers, read from its own port on the host's loopback: when it began, when it answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasks.releases import Slot
from tasks.site import Site

_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
CHAT = ("/v1/chat/completions", "/v1/completions")  # routes whose answer is a completion


@dataclass(frozen=True, slots=True)
class Metrics:
    """Prometheus' text format.  Sample: http_requests_created{handler="/v1/chat/completions",status="2xx"} 1.79e+09"""

    text: str

    def samples(self, name: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """Labels and value of every sample of that name; what does not read as one is passed over."""
        for line in self.text.splitlines():
            found = _SAMPLE.match(line) if line.startswith(name) else None
            if found is None or found[1] != name:
                continue
            try:
                yield dict(_LABEL.findall(found[2] or "")), float(found[3])
            except ValueError:
                continue

    def value(self, name: str) -> float | None:
        """The one sample without labels; None where there is none."""
        return next((value for labels, value in self.samples(name) if not labels), None)

    @property
    def process_began(self) -> float | None:
        """Start of the server's process, seconds since 1970 by the host's clock."""
        return self.value("process_start_time_seconds")

    @property
    def engine_ready(self) -> float | None:
        """When the server made its counters, which is once the engine is up and before it listens."""
        return min((value for _, value in self.samples("vllm:e2e_request_latency_seconds_created")), default=None)

    @property
    def first_completion(self) -> float | None:
        """When the first completion with status 2xx was finished."""
        found = self.samples("http_requests_created")
        told = (v for labels, v in found if labels.get("handler") in CHAT and labels.get("status") == "2xx")
        return min(told, default=None)


def metrics(site: Site, slot: Slot) -> Metrics | None:
    """The slot's own /metrics, which the gateway does not pass on; None where the engine has no such route."""
    with site.client(slot.port, timeout=30) as client:
        reply = client.expecting(200, "the engine's metrics").call("GET", "/metrics", key=False, timeout=30)
    return Metrics(reply.text) if reply.status == 200 else None
