"""Claim: the server gives its first completion before the guide's liveness probe would kill it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Sense, Severity, Stage
from assumptions._guide import parsed
from assumptions._guide_text import MANIFEST, MODEL
from assumptions._parts import because, check, worst
from assumptions._served import slot
from assumptions._serving_metrics import metrics
from assumptions.formulas.start import Probe, killed_after_s
from inventories.figures import model
from inventories.schema import Inventory
from tasks.site import Site

PATIENCE_S = (300.0, 600.0)  # guide §7.1: "wait 5-10 min"
SAME_SIZE = 0.9  # share of the guide's checkpoint from which a start tells something of the guide's
SOURCE = "livenessProbe of the guide's manifest (§4.2) with Kubernetes' default of 3 failures; §7.1 says 5 to 10 min"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the process's start by the host's clock; None where the engine's metrics do not tell."""

    ready_s: float | None  # until the engine was up
    first_completion_s: float | None  # until the first completion was finished, whoever asked for it
    checkpoint_bytes: float
    guide_bytes: float


def observe(site: Site, stage: Stage) -> Start:
    """The served process's own metrics: when it began, when its engine was up, when it first completed a request."""
    told = metrics(site, slot(site, stage))
    began = told.process_began if told else None
    sizes = model(site.inventory.model.catalog).checkpoint_bytes.value, model(MODEL).checkpoint_bytes.value
    if told is None or began is None:
        return Start(None, None, *sizes)

    def since(at: float | None) -> float | None:
        return None if at is None or at < began else at - began

    return Start(since(told.engine_ready), since(told.first_completion), *sizes)


def killed_s() -> float:
    """The earliest second at which the guide's liveness probe kills a server that has not answered."""
    (container,) = parsed(MANIFEST)["spec"]["template"]["spec"]["containers"]
    told = container["livenessProbe"]
    return killed_after_s(Probe(told["initialDelaySeconds"], told["periodSeconds"]))[0]


def _within(seen: Start, limit: float) -> bool | None:
    """True where a completion came in time, False where even the engine was not up; None between the two."""
    if seen.first_completion_s is not None and seen.first_completion_s <= limit:
        return True
    if seen.ready_s is not None and seen.ready_s > limit:
        return False
    return None


def _parts(seen: Start) -> Iterator[Part]:
    limit, first = killed_s(), seen.first_completion_s
    said = "the engine's metrics do not tell when it began and first answered"
    if first is not None:
        said = f"{first:.0f} s from the process's start to its first completion"
    elif seen.ready_s is not None:
        said = f"the engine was up after {seen.ready_s:.0f} s; no completion has been asked for since"
    measured = "" if first is None else f"{first:.0f} s"
    yield check("guide's liveness probe", _within(seen, limit), said, expected=f"<= {limit:g} s", measured=measured)
    patience = PATIENCE_S[1]
    yield check("guide's patience", _within(seen, patience), said, expected=f"<= {patience:g} s", measured=measured)
    holds = True if seen.checkpoint_bytes >= SAME_SIZE * seen.guide_bytes else None
    told = f"{seen.checkpoint_bytes / 1e9:.3f} GB were loaded here"
    if holds is None:
        told = f"only {told}; a start with the guide's {seen.guide_bytes / 1e9:.0f} GB was not seen"
    yield check("guide's weights", holds, told, expected=f">= {SAME_SIZE * seen.guide_bytes / 1e9:.0f} GB")


def judge(seen: Start, inventory: Inventory) -> Finding:
    """The measured start against the probe; a checkpoint much smaller than the guide's leaves it UNKNOWN."""
    parts = tuple(_parts(seen))
    limit, first = killed_s(), seen.first_completion_s
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"the first completion came {first or 0:.0f} s after the process's start"),
        expected=f"first completion <= {limit:g} s after the process's start, with weights of the guide's size",
        measured="not told" if first is None else f"{first:.1f} s",
        threshold=f"{limit:g} s",
        threshold_source=SOURCE,
        provenance=Provenance.MEASURED_HERE,
        value=None if first is None else round(first, 1),
        unit="s to the first completion",
        samples=None if first is None else 1,
        limit=limit,
        sense=Sense.MOST,
        parts=parts,
        notes=(f"This start: {first:.0f} s to the first completion.",) if first is not None else (),
    )


ASSUMPTION = Assumption(
    id="start-within-probe-delay",
    guide="K2 Thinking guide §4.2, §7.1",
    states="The server answers before the guide's liveness probe, which waits 300 s, kills it.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Give the start a startupProbe (or start_period) of at least twice the measured time, and let liveness "
    "begin only after it; Beachhead's own manifests take it from serving.start_budget_s.",
    version=1,
    observe=observe,
    judge=judge,
)
