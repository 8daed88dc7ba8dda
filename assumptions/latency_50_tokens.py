"""Claim: a request for 50 tokens takes the 0.5 to 2 s that the guide expects, one request at a time."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from assumptions._core import Assumption, Finding, Part, Sense, Severity, Stage
from assumptions._guide_text import EXPECTED_LATENCY_S
from assumptions._speed import TOKENS, Measured, answers, figure, finding, measure
from assumptions.formulas.intervals import Interval, at_most, bootstrap, median_interval, quantile
from inventories.schema import Inventory
from serving.closed_loop import Sample
from tasks.site import Site

REQUESTS = {"production": 30, "rehearsal": 6}  # six are the fewest that hold a median at 95 %
SECONDS = {"production": 120.0, "rehearsal": 10.0}
SOURCE = "K2 Thinking guide §4.4: 0.5-2 s a request of 50 tokens, marked as an assumption there"


def observe(site: Site, stage: Stage) -> Measured:
    """The guide's own request with exactly 50 tokens, again and again, one at a time."""
    kind = site.inventory.kind
    return measure(site, stage, [TOKENS] * REQUESTS[kind], workers=1, seconds=SECONDS[kind])


def _times(seen: Measured) -> list[float]:
    return [each.total_s for each in seen.loop.samples if each.whole]


def _parts(seen: Measured, interval: Interval | None, inventory: Inventory) -> Iterator[Part]:
    yield answers(seen.loop.samples, REQUESTS[inventory.kind])
    most = EXPECTED_LATENCY_S[1]
    holds = at_most(interval, most)
    if holds is False and interval is not None and interval[0] - seen.way_s <= most:
        holds = None  # the way to the engine is no part of the guide's figure
    times = _times(seen)
    said = f"too few of them: {len(times)}"
    if interval is not None:
        said = f"median {median(times):.2f} s, {interval[0]:.2f} to {interval[1]:.2f} at 95 %, n = {len(times)}, "
        said += f"{seen.way_s:.3f} s of it for the way there"
    measured = f"{median(times):.2f} s" if times else ""
    yield figure("latency", holds, said, inventory, expected=f"<= {most:g} s", measured=measured)


def _notes(samples: tuple[Sample, ...]) -> tuple[str, ...]:
    """The tail and the first words, which the guide gives no figure for."""
    firsts = [each.first_s - each.began_s for each in samples if each.first_s is not None and each.whole]
    totals = [each.total_s for each in samples if each.whole]
    if not firsts:
        return ()
    found = []
    for name, values in (("p95", totals), ("p50 of the first word", firsts), ("p95 of the first word", firsts)):
        share = 0.5 if name.startswith("p50") else 0.95
        low, high = bootstrap(values, lambda each, share=share: quantile(each, share))  # type: ignore[misc]
        found.append(f"{name} {quantile(values, share):.2f} s ({low:.2f} to {high:.2f})")
    return (f"{'; '.join(found)}; by bootstrap, n = {len(firsts)}.",)


def judge(seen: Measured, inventory: Inventory) -> Finding:
    """PASS where the median's upper end is within 2 s, FAIL where its lower end without the way there is not."""
    times = _times(seen)
    interval = median_interval(times)
    fast = "" if not times or median(times) >= EXPECTED_LATENCY_S[0] else " and quicker than the guide expects"
    return finding(
        _parts(seen, interval, inventory),
        seen.window,
        inventory,
        good=f"{TOKENS} tokens in {median(times) if times else 0:.2f} s (median), within the guide's figure{fast}",
        expected=f"median of {TOKENS} tokens <= {EXPECTED_LATENCY_S[1]:g} s, one request at a time",
        source=SOURCE,
        value=median(times) if times else None,
        unit="s",
        samples=len(times),
        interval=interval,
        limit=EXPECTED_LATENCY_S[1],
        sense=Sense.MOST,
        notes=_notes(seen.loop.samples),
    )


ASSUMPTION = Assumption(
    id="latency-50-tokens",
    guide="K2 Thinking guide §4.4",
    states="A request for 50 tokens is answered within 2 s when it is alone.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Void: mend what is named and judge again at a quiet hour. Too slow: see gpu-throttling and "
    "gpu-interconnect, leave CUDA graphs on, split over fewer hosts; a thinking model needs far more than 50 tokens "
    "for an answer, so plan with tokens a second.",
    version=1,
    observe=observe,
    judge=judge,
)
