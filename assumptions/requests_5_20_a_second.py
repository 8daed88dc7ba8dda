"""Claim: ten requests of 50 tokens at once make 5 to 20 requests a second, by wall time."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from assumptions._core import Assumption, Finding, Part, Sense, Severity, Stage
from assumptions._guide_text import EXPECTED_REQUESTS_PER_S
from assumptions._speed import TOKENS, Measured, answers, figure, finding, measure
from assumptions.formulas.intervals import Interval, at_least, batch_rates, median_interval
from inventories.schema import Inventory
from tasks.site import Site

WORKERS = 10  # guide §4.4: max_workers of its load test
ROUNDS = {"production": 10, "rehearsal": 6}  # 10 as guide-throughput-formula asks; 6 hold a median at 95 %
SECONDS = {"production": 300.0, "rehearsal": 20.0}
SOURCE = (
    "K2 Thinking guide §4.4: 5-20 req/s, with its load test's 10 requests of 50 tokens at once; marked as an "
    "assumption there"
)


def observe(site: Site, stage: Stage) -> Measured:
    """The guide's load test in rounds enough; its own sum of latencies is not used."""
    kind = site.inventory.kind
    return measure(site, stage, [TOKENS] * (WORKERS * ROUNDS[kind]), workers=WORKERS, seconds=SECONDS[kind])


def rate(seen: Measured) -> float | None:
    """Requests answered in full a second, from the first request to the last answer."""
    whole = sum(each.whole for each in seen.loop.samples)
    return whole / seen.loop.wall_s if whole and seen.loop.wall_s > 0 else None


def without_the_way(seen: Measured, found: float) -> float:
    """The rate at an engine next door: in a closed loop each answer would come sooner by the way there and back."""
    mean = fmean(each.total_s for each in seen.loop.samples)
    return found * mean / (mean - seen.way_s) if mean > seen.way_s else float("inf")


def _parts(seen: Measured, interval: Interval | None, inventory: Inventory) -> Iterator[Part]:
    yield answers(seen.loop.samples, WORKERS * ROUNDS[inventory.kind])
    (least, most), found = EXPECTED_REQUESTS_PER_S, rate(seen)
    holds, said = at_least(interval, least), "too few rounds were answered"
    if interval is not None and found is not None:
        if holds is False and without_the_way(seen, interval[1]) >= least:
            holds = None
        said = f"{found:.2f} req/s, {interval[0]:.2f} to {interval[1]:.2f} in the rounds at 95 %"
        said += ", more than the guide expects" if interval[0] > most else ""
    measured = "" if found is None else f"{found:.2f} req/s"
    yield figure("throughput", holds, said, inventory, expected=f">= {least:g} req/s", measured=measured)


def judge(seen: Measured, inventory: Inventory) -> Finding:
    """PASS where even the slow end of the rounds' median makes 5 a second, FAIL where even the quick end does not."""
    ends = [each.ended_s for each in seen.loop.samples if each.whole]
    rates, found = batch_rates(ends, WORKERS), rate(seen)
    interval = median_interval(rates)
    tokens = 0.0 if found is None else found * TOKENS
    return finding(
        _parts(seen, interval, inventory),
        seen.window,
        inventory,
        good=f"{found or 0:.1f} requests a second, {WORKERS} at once: {tokens:.0f} tokens a second",
        expected=f">= {EXPECTED_REQUESTS_PER_S[0]:g} requests of {TOKENS} tokens a second, {WORKERS} at once",
        source=SOURCE,
        value=found,
        unit="req/s",
        samples=len(ends),
        interval=interval,
        limit=EXPECTED_REQUESTS_PER_S[0],
        sense=Sense.LEAST,
        notes=(f"{tokens:.0f} tokens a second in all; the interval is the median's of {len(rates)} rounds.",),
    )


ASSUMPTION = Assumption(
    id="requests-5-20-a-second",
    guide="K2 Thinking guide §4.4",
    states="Ten requests of 50 tokens at once make five requests a second or more.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Void: mend what is named and judge again at a quiet hour. Too slow: raise max_num_seqs, let several "
    "requests share a step (continuous-batching), or plan with the measured rate; answers that think are far longer.",
    version=1,
    observe=observe,
    judge=judge,
)
