"""When a measured time is worth nothing: the one place that says so.  What is void is UNKNOWN, never PASS nor FAIL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assumptions._core import Outcome, Part
from assumptions._parts import check
from assumptions._window import Counts, Totals, Window
from inventories.schema import Inventory
from tasks.facts.gpu_throttle import GpuThrottleTotals

MOST_CORES = 0.9  # Locust warns of its figures above 90 % of one core, which is all that a Python process has
SHORTEST_S = 0.5  # guide §4.4: the shortest time that it names
LATE_SHARE = 0.1  # assumed: a client that woke late by a tenth of a time can't tell that time
PROBE_TOKENS = 100  # assumed: "Say one sentence." in a chat template, and one token of an answer
SOURCE = (
    "void rules: GPU clocks, compiling, replicas, others' requests, client (<= 90 % of a core as Locust warns; "
    "p99 lag <= a tenth of the shortest time)"
)
NOTHING = "nothing is known of what went on around the measurement"
_HELD = (("hardware_thermal_us", "hardware heat"), ("power_brake_us", "power brake"), ("software_thermal_us", "heat"))


def reasons(seen: Window | None, inventory: Inventory, shortest_s: float = SHORTEST_S) -> tuple[str, ...]:
    """Why the times of this window are void; empty where they count.  `shortest_s` is the shortest that matters."""
    if seen is None:
        return (NOTHING,)
    return (
        *(why for host, (before, after) in seen.clocks.items() for why in _clocks(host, before, after)),
        *(f"{host}: nobody looked at its GPUs' clocks" for host in _gpu_hosts(inventory) - seen.clocks.keys()),
        *_compiled(seen),
        *_replicas(seen.before, seen.after),
        *_client(seen, shortest_s),
        *_others(seen, inventory),
    )


def weighed(parts: Iterable[Part], void: tuple[str, ...]) -> tuple[Part, ...]:
    """The parts with one on the window; where that is void, none of them stands."""
    parts = tuple(parts)
    if not void:
        return (*parts, check("undisturbed", True, "nothing was seen that voids the times", expected="undisturbed"))
    kept = (part if part.outcome is Outcome.NOT_APPLICABLE else _voided(part) for part in parts)
    return (check("undisturbed", None, "; ".join(void)[:400], expected="undisturbed"), *kept)


def _voided(part: Part) -> Part:
    return replace(part, outcome=Outcome.UNKNOWN, because=f"void; it said: {part.because}")


def _gpu_hosts(inventory: Inventory) -> set[str]:
    return {host.name for host in inventory.hosts if host.gpus}


def _clocks(host: str, before: Totals, after: Totals) -> Iterator[str]:
    if before.value is None or after.value is None:
        why = before.why_not if before.value is None else after.why_not
        yield f"{host}: whether its GPUs were held back can't be told: {why}"
        return
    first = {gpu.uuid: gpu for gpu in before.value}
    if set(first) != {gpu.uuid for gpu in after.value}:
        yield f"{host}: other GPUs after than before"
        return
    for gpu in after.value:
        yield from _held(host, first[gpu.uuid], gpu)


def _held(host: str, before: GpuThrottleTotals, after: GpuThrottleTotals) -> Iterator[str]:
    for field, words in _HELD:
        then, now = getattr(before, field).value, getattr(after, field).value
        if then is None or now is None:
            yield f"{host} {after.uuid}: the driver does not count {words}"
        elif now != then:
            yield f"{host} {after.uuid}: {words} held its clocks down for {(now - then) / 1e3:g} ms of it"


def _compiled(seen: Window) -> Iterator[str]:
    if seen.compiled is None:
        yield "what the engine logged meanwhile can't be told"
    elif seen.compiled:
        yield f"the engine compiled or captured meanwhile: {seen.compiled[0]}"


def _replicas(before: Counts | None, after: Counts | None) -> Iterator[str]:
    if before is None or after is None:
        yield f"the engine's counters could not be read {'before' if before is None else 'after'} it"
    elif not before.engines or not after.engines:
        yield "the engine does not tell how many of it answer"
    elif before.engines != after.engines:
        yield f"{before.engines} engines answered before it, {after.engines} after"
    elif before.began is not None and before.began != after.began:
        yield "the engine was started anew meanwhile"


def _client(seen: Window, shortest_s: float) -> Iterator[str]:
    own, most = seen.client, LATE_SHARE * shortest_s
    if own.cores > MOST_CORES:
        yield f"the client itself used {own.cores:.2f} of a core, more than {MOST_CORES:g}"
    if not own.ticks or own.late_p99_s > most:
        yield f"the client woke {own.late_p99_s * 1e3:.0f} ms late (p99), more than {most * 1e3:.0f} ms"


def _others(seen: Window, inventory: Inventory) -> Iterator[str]:
    """Requests that are not ours; the watchdog's own small ones are allowed as often as it sends them."""
    if seen.before is None or seen.after is None:
        return
    before, after = seen.before, seen.after
    told = (before.in_flight, after.in_flight, before.requests, after.requests, before.tokens, after.tokens)
    if seen.tokens is None or any(each is None for each in told):
        yield "whether others asked meanwhile can't be told: requests or tokens are not counted"
        return
    if any(told[:2]):
        yield f"another's requests were in flight: {told[0]:g} before it, {told[1]:g} after"
    watch = inventory.serving.watch
    allowed = int(seen.seconds / watch.every_s) + 1 if watch.enabled else 0
    more = (after.requests or 0) - (before.requests or 0) - seen.requests
    work = (after.tokens or 0) - (before.tokens or 0) - seen.tokens
    if more > allowed or work > allowed * PROBE_TOKENS:
        yield f"others asked meanwhile: {more:g} requests and {work:,.0f} tokens are not ours"
    elif more < 0 or work < 0:
        yield f"the engine counted {-min(more, 0):g} requests and {-min(work, 0):,.0f} tokens fewer than were ours"
