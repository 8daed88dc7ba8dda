"""Claim: what watches the guide's server lets it start and knows when it is ill.  Delays against logged start times."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide import applies, finding, not_applicable, parsed
from assumptions._guide_code import sleeps_s
from assumptions._guide_text import COMPOSE, HEALTH_BODY, HEALTH_CHECK, MANIFEST, MODEL
from assumptions._parts import check
from assumptions.formulas.start import Probe, killed_after_s, needed_gigabytes_per_s, outlives
from inventories.figures import model
from inventories.schema import Inventory
from tasks.facts.engine_options import EngineOptions, recorded
from tasks.site import Site

READY_S = 420.0  # from start to ready; 330 s of it for the weights, which are 595 GB
READY_SOURCE = "a public log of 2026-02-09: Kimi K2.5 on 8x H100 80 GB, vLLM 0.15.0, weights on local NVMe"
SOURCE = f"Kubernetes' and Docker's documentation; {READY_SOURCE}"


@dataclass(frozen=True, slots=True)
class Watched:
    """The guide's two files, its watching program, the health body it expects; the engine's, the model's, a log's."""

    manifest: Mapping[str, Any]
    compose: Mapping[str, Any]
    watcher: str
    body: str
    engine: EngineOptions | None
    checkpoint_bytes: float
    ready_s: float | None


def observe(site: Site, stage: Stage) -> Watched:
    """The guide's text, the recording of the engine version, the catalog and one public log; no host."""
    kind, version = site.inventory.engine.kind, site.inventory.engine.version
    size = model(MODEL).checkpoint_bytes.value
    return Watched(parsed(MANIFEST), parsed(COMPOSE), HEALTH_CHECK, HEALTH_BODY, recorded(kind, version), size, READY_S)


def probe(told: Mapping[str, Any]) -> Probe:
    """A probe of a manifest, with Kubernetes' defaults for what it does not say."""
    own = {"initialDelaySeconds": "initial_delay_s", "periodSeconds": "period_s", "failureThreshold": "failures"}
    return Probe(**{name: told[key] for key, name in own.items() if key in told})


def _liveness(seen: Watched) -> Iterator[Part]:
    (container,) = seen.manifest["spec"]["template"]["spec"]["containers"]
    name = "startupProbe" if "startupProbe" in container else "livenessProbe"
    if name in container:
        killed = killed_after_s(probe(container[name]))
        rate = needed_gigabytes_per_s(seen.checkpoint_bytes, killed[0])
        ready = "no start was logged" if seen.ready_s is None else f"a start of {seen.ready_s:g} s was logged"
        said = (
            f"killed after {killed[0]:g} to {killed[1]:g} s without an answer; {ready}; the weights alone need "
            f"{rate:.2f} GB/s from disk to be read by then"
        )
        alive = outlives(seen.ready_s, killed)
        right = ". Instead: a startupProbe with failureThreshold x periodSeconds well above the longest start"
        yield check(
            name, alive, said + ("" if alive else right), expected=f">= {seen.ready_s} s", measured=f"{killed[0]:g} s"
        )
    ready_probe = "readinessProbe" in container
    yield check("readinessProbe", ready_probe, "it only holds traffic back, whatever its delay", expected="present")


def seconds(text: str) -> float:
    """A duration of a Compose file, such as 30s, 10m or 1h; ValueError for another form."""
    units = {"s": 1, "m": 60, "h": 3600}
    if text[-1:] not in units:
        raise ValueError(f"not a duration: {text!r}")
    return float(text[:-1]) * units[text[-1]]


def _compose(seen: Watched) -> Iterator[Part]:
    (service,) = seen.compose["services"].values()
    told = service.get("healthcheck")
    if told is None:
        return
    grace = seconds(told.get("start_period", "0s"))
    unhealthy = grace + seconds(told.get("interval", "30s")) * told.get("retries", 3)
    said = f"unhealthy after {unhealthy:g} s, while it still loads"
    enough = None if seen.ready_s is None else seen.ready_s <= unhealthy
    right = "it is given time" if enough else f"{said}. Instead: start_period above the longest start"
    yield check("healthcheck", enough, right, expected=f">= {seen.ready_s} s", measured=f"{unhealthy:g} s")
    if told["test"][1:2] == ["curl"]:
        yield check("curl", None, "whether the image has curl was not looked at; a test in Python needs none")


def _watcher(seen: Watched) -> Iterator[Part]:
    patience = sleeps_s(ast.parse(seen.watcher))
    enough = None if seen.ready_s is None else seen.ready_s <= patience
    said = f"restarts the server {patience:g} s after the last restart, so one that loads for minutes never gets ready"
    right = "waits for longer than a start" if enough else f"{said}. Instead: wait until it was ready once"
    yield check("restart loop", enough, right, expected=f">= {seen.ready_s} s", measured=f"{patience:g} s")


def _health(seen: Watched) -> Iterator[Part]:
    if seen.engine is None:
        yield check("health body", None, "no recording of this vLLM version", expected=seen.body)
        return
    status, body = seen.engine.health["alive"]
    try:
        same = json.loads(body) == json.loads(seen.body)
    except ValueError:
        same = body == seen.body
    said = f"the answer is {status} with {body!r}" + ("" if same else ". Instead: look at the status alone")
    yield check("health body", same, said, expected=seen.body, measured=body)
    dead = seen.engine.health["dead"][0]
    yield check("503 when it crashed", dead == 503, f"a dead engine answers {dead}", expected=503, measured=dead)


def judge(seen: Watched, inventory: Inventory) -> Finding:
    """Each watcher's patience against a logged start, and what /health says in this version."""
    if not applies(inventory):
        return not_applicable(inventory)
    return finding(
        (*_liveness(seen), *_compose(seen), *_watcher(seen), *_health(seen)),
        expected="every watcher waits longer than a start takes; /health answers as the guide says",
        source=SOURCE,
        provenance=Provenance.MEASURED_ELSEWHERE,
        notes=(
            "While it loads vLLM refuses connections: it listens only once the engine is up, so /health gives no 503.",
            "/health says nothing of the model: a stuck worker still answers 200; ask for a completion with a limit.",
        ),
    )


ASSUMPTION = Assumption(
    id="guide-probes",
    guide="K2 Thinking guide §4.2, §4.3, §6.1, §7.1",
    states="The guide's probes and health checks let the server start, and tell whether it is well.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="A startupProbe (or start_period) well above the longest measured start, liveness only after it, the "
    "status of /health alone, and one real completion with a time limit as the deep check.",
    version=1,
    observe=observe,
    judge=judge,
)
