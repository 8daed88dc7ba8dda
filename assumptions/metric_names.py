"""Claim: the metrics that the guide's dashboard asks for are what the engine exposes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Outcome, Part, Severity, Stage
from assumptions._guide import applies, not_applicable
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from tasks.facts.engine_metrics import samples
from tasks.site import Site

# Guide §6.2 and §6.3 -> what vLLM has for it (0.18 to 0.33).
WANTED: Mapping[str, str] = {
    "kimi_k2_inference_latency_seconds_sum": "vllm:e2e_request_latency_seconds_sum",
    "kimi_k2_inference_latency_seconds_count": "vllm:e2e_request_latency_seconds_count",
    "kimi_k2_requests_total": "vllm:request_success_total",
    "kimi_k2_tokens_generated_total": "vllm:generation_tokens_total",
}
OTHERS: Mapping[str, str] = {
    "kimi_k2_health_status": "the guide's own watcher's (§6.1)",
    "kimi_k2_restart_total": "the guide's own watcher's (§6.1)",
    "nvidia_smi_utilization_gpu_ratio": "an exporter's of nvidia-smi (§6.3)",
}
SOURCE = "K2 Thinking guide §6.1, §6.2, §6.3: metrics and queries; the engine's own /metrics"


@dataclass(frozen=True, slots=True)
class Exposed:
    """The status of /metrics at the engine's own port, and the name of every sample; None where it does not read."""

    status: int
    names: tuple[str, ...] | None


def observe(site: Site, stage: Stage) -> Exposed:
    """One GET at the engine's own port: a gateway does not pass it on."""
    with served(site, stage) as at, site.client(at.slot.port, timeout=60) as engine:
        reply = engine.expecting(200, "the names of the metrics").call("GET", "/metrics", key=True, timeout=60)
    try:
        names = tuple(sorted({name for name, _, _ in samples(reply.text)})) if reply.status == 200 else None
    except ValueError:
        names = None
    return Exposed(reply.status, names)


def _part(name: str, instead: str, names: tuple[str, ...]) -> Part:
    if name in names:
        return check(name, True, "exposed", expected=name, measured=name)
    told = f"not exposed; instead: {instead}" + ("" if instead in names else ", which is not exposed either")
    return check(name, False, told, expected=name, measured=instead if instead in names else "")


def _parts(seen: Exposed) -> Iterator[Part]:
    if not seen.names:
        said = f"/metrics answers {seen.status}" + ("" if seen.status != 200 else " and nothing that reads as metrics")
        yield check("/metrics", None, said, expected=200, measured=seen.status)
        return
    for name, instead in WANTED.items():
        yield _part(name, instead, seen.names)
    for name, whose in OTHERS.items():
        yield Part(name, Outcome.NOT_APPLICABLE, f"{whose}, not the engine's", name)


def judge(seen: Exposed, inventory: Inventory) -> Finding:
    """Every name that the guide's queries use must be there; the part says what stands in its place."""
    if not applies(inventory):
        return not_applicable(inventory)
    there = sum(name in WANTED for name in seen.names or ())
    return finding(
        _parts(seen),
        good=f"all {len(WANTED)} names are exposed",
        expected=f"all {len(WANTED)} names of the guide's queries",
        source=SOURCE,
        value=float(there) if seen.names else None,
        unit="of the guide's names",
        limit=float(len(WANTED)),
        notes=(
            "The guide's own code defines these names and starts no exporter, so nothing exposes them; a query without "
            "a series stays empty, and an outage looks like silence.",
        ),
    )


ASSUMPTION = Assumption(
    id="metric-names",
    guide="K2 Thinking guide §6.1, §6.2, §6.3",
    states="The metrics that the guide's dashboard asks for are exposed by what is served.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Ask for the engine's own names (each part says which), for errors at the gateway by status, and for GPUs "
    "at an exporter (DCGM or nvidia-smi); alert on absent series too.",
    version=1,
    observe=observe,
    judge=judge,
)
