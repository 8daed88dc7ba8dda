"""What the claims about the guide's speed share: measuring in a watched window, the protocol's part, the finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from assumptions._core import Finding, Part, Provenance, Sense, Stage
from assumptions._guide_text import MODEL
from assumptions._parts import because, check, worst
from assumptions._served import ABSENT, served
from assumptions._void import SOURCE as VOID
from assumptions._void import reasons, weighed
from assumptions._window import Window, watched
from assumptions.formulas.intervals import Interval
from inventories.figures import model
from inventories.schema import Inventory
from serving.client import Client
from serving.closed_loop import Loop, Sample, closed_loop, request
from tasks.site import Site

TOKENS = 50  # guide §4.4: max_tokens of its load test
SAME_SIZE = 0.9  # share of the guide's checkpoint from which a time tells something of the guide's model
LOOKS = 5  # empty requests by which the way there is timed
NOT_OURS = (None, 401, 403, 429, *ABSENT)  # of the connection or of what stands before the engine: no word of its speed


@dataclass(frozen=True, slots=True)
class Measured:
    """A closed loop, what went on around it, and seconds of the way to the engine and back (no tokens)."""

    way_s: float
    loop: Loop
    window: Window | None


def measure(site: Site, stage: Stage, tokens: Sequence[int], *, workers: int, seconds: float) -> Measured:
    """One request that nobody counts, then the loop."""
    with served(site, stage, timeout=seconds + 120) as at:
        request(at.client, min(tokens), 0.0)
        way = way_s(at.client)
        with watched(site, at.slot, live=at.live) as watch:
            loop = closed_loop(at.client, tokens, workers=workers, seconds=seconds)
    return Measured(way, loop, watch.window(len(loop.samples), spent(loop.samples)))


def way_s(client: Client) -> float:
    """Seconds of a request that the engine need not think about: the median of a few."""
    return median(client.expecting(200, "the way there").call("GET", "/health").seconds for _ in range(LOOKS))


def spent(samples: Iterable[Sample]) -> int | None:
    """Tokens of all prompts and answers; None where one of them does not tell."""
    told = [(each.prompt_tokens, each.tokens) for each in samples]
    return None if any(None in each for each in told) else sum(int(count or 0) for each in told for count in each)


def answers(samples: Sequence[Sample], wanted: int) -> Part:
    """The protocol's part: every request was answered with as many tokens as it asked for."""
    name, expected = "answers", f"{wanted} answers in full"
    whole = sum(each.whole for each in samples)
    odd = next((each for each in samples if not each.whole), None)
    if odd is None:
        said = f"{whole} of {wanted} requests answered in full"
        return check(name, True if whole == wanted else None, said, expected=expected, measured=whole)
    refused = odd.status not in NOT_OURS and odd.status != 200
    told = f"status {odd.status}, {odd.tokens} of {odd.asked} tokens{f': {odd.said}' if odd.said else ''}"
    return check(name, False if refused else None, told, expected=expected, measured=whole)


def stand_in(inventory: Inventory) -> str:
    """Why the speed of what is served says nothing of the guide's model; empty where it does."""
    if inventory.kind == "rehearsal":
        return "a rehearsal serves a stand-in: its speed says nothing of the guide's model"
    own, guides = (model(name).checkpoint_bytes.value for name in (inventory.model.catalog, MODEL))
    if own < SAME_SIZE * guides:
        return f"the model has {own / 1e9:.1f} GB of weights, the guide's {guides / 1e9:.0f}: its speed says nothing"
    return ""


def figure(name: str, holds: bool | None, said: str, inventory: Inventory, *, expected: str, measured: str) -> Part:
    """A figure of the guide against what was measured; UNKNOWN where another model was served."""
    why = stand_in(inventory)
    return check(name, None if why else holds, f"{why} ({said})" if why else said, expected=expected, measured=measured)


def finding(
    parts: Iterable[Part],
    window: Window | None,
    inventory: Inventory,
    *,
    good: str,
    expected: str,
    source: str,
    value: float | None,
    unit: str,
    samples: int,
    interval: Interval | None,
    limit: float,
    sense: Sense,
    shortest_s: float | None = None,
    notes: tuple[str, ...] = (),
) -> Finding:
    """The parts, unless the window is void: then UNKNOWN with the reason, and the figures stay for a reader."""
    void = reasons(window, inventory) if shortest_s is None else reasons(window, inventory, shortest_s)
    parts = weighed(parts, void)
    told = "nothing" if value is None else f"{value:.3g} {unit}"
    if value is not None and interval is not None:
        told += f", {interval[0]:.3g} to {interval[1]:.3g} at 95 %, n = {samples}"
    return Finding(
        outcome=worst(parts),
        because=because(parts, good),
        expected=expected,
        measured=told,
        threshold=expected,
        threshold_source=f"{source}; {VOID}",
        provenance=Provenance.MEASURED_HERE,
        value=None if value is None else round(value, 4),
        unit=unit,
        parts=parts,
        notes=notes,
        samples=samples,
        limit=limit,
        sense=sense,
        interval=None if interval is None else (round(interval[0], 4), round(interval[1], 4)),
    )
