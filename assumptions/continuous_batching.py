"""Claim: several requests at once are faster together than one after another, and a new one need not wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from assumptions._core import Assumption, Finding, Part, Sense, Severity, Stage
from assumptions._parts import check
from assumptions._served import served
from assumptions._speed import answers, finding, spent
from assumptions._window import Window, watched
from assumptions.formulas.intervals import median_interval
from inventories.schema import Inventory
from serving.client import Client
from serving.closed_loop import Loop, Sample, closed_loop, request
from tasks.site import Site

ROUNDS = 6  # the fewest that hold a median at 95 %
AT_ONCE = 4
TOKENS = {"production": 64, "rehearsal": 12}
LONG = 16  # times a round's tokens: the answer during which others come and go
SECONDS = 60.0  # of one round
SOURCE = "K2 Thinking guide §3.3 gives no figure: faster together is more than 1 times as fast, in one run"


@dataclass(frozen=True, slots=True)
class Batches:
    """Rounds of the same requests, alone one after another and at once, in turn; and newcomers beside a long one."""

    alone: tuple[Loop, ...]
    together: tuple[Loop, ...]
    beside: Loop
    window: Window | None


def observe(site: Site, stage: Stage) -> Batches:
    """In turn, so that what drifts meanwhile meets both alike."""
    tokens = TOKENS[site.inventory.kind]
    with served(site, stage, timeout=SECONDS + 120) as at:
        request(at.client, tokens, 0.0)
        closed_loop(at.client, [tokens] * AT_ONCE, workers=AT_ONCE, seconds=SECONDS)
        with watched(site, at.slot, live=at.live) as watch:
            pairs = [(_round(at.client, tokens, 1), _round(at.client, tokens, AT_ONCE)) for _ in range(ROUNDS)]
            beside = closed_loop(
                at.client, [LONG * tokens, *[tokens] * 3], workers=2, seconds=SECONDS, timeout=SECONDS + 120
            )
    alone, together = zip(*pairs, strict=True)
    every = [each for loop in (*alone, *together, beside) for each in loop.samples]
    return Batches(alone, together, beside, watch.window(len(every), spent(every)))


def _round(client: Client, tokens: int, workers: int) -> Loop:
    return closed_loop(client, [tokens] * AT_ONCE, workers=workers, seconds=SECONDS)


def _whole(loop: Loop) -> bool:
    return len(loop.samples) == AT_ONCE and all(each.whole for each in loop.samples) and loop.wall_s > 0


def ratios(seen: Batches) -> list[float]:
    """How many times as fast each round was together; a round with an answer cut short has none."""
    rounds = zip(seen.alone, seen.together, strict=True)
    return [one.wall_s / many.wall_s for one, many in rounds if _whole(one) and _whole(many)]


def newcomers(samples: tuple[Sample, ...]) -> tuple[int, int] | None:
    """Of the requests sent while the first half of the longest answer came: how many were done before it, and how many.

    None where the long one is not there in full, or nobody came during it.
    """
    long = max(samples, key=lambda each: each.asked, default=None)
    if long is None or not long.whole or long.first_s is None:
        return None
    half = (long.first_s + long.ended_s) / 2
    after = [each for each in samples if each is not long and each.whole and long.first_s < each.began_s < half]
    return (sum(each.ended_s < long.ended_s for each in after), len(after)) if after else None


def _parts(seen: Batches) -> Iterator[Part]:
    every = [each for loop in (*seen.alone, *seen.together, seen.beside) for each in loop.samples]
    yield answers(every, 2 * ROUNDS * AT_ONCE + 4)
    found = newcomers(seen.beside.samples)
    if found is None:
        yield check("newcomers", None, "nobody came while a long answer was being written", expected="served beside it")
    else:
        done, came = found
        said = f"{done} of {came} requests that came during a long answer were done before it"
        yield check("newcomers", done > 0, said, expected="served beside it", measured=f"{done} of {came}")
    rates = ratios(seen)
    interval = median_interval(rates)
    if interval is None:
        yield check("together", None, f"only {len(rates)} of {ROUNDS} rounds were answered in full", expected="> 1")
        return
    holds = True if interval[0] > 1 else False if interval[1] <= 1 else None
    said = f"{median(rates):.2f} times as fast, {interval[0]:.2f} to {interval[1]:.2f} at 95 %, {AT_ONCE} at once"
    yield check("together", holds, said, expected="> 1", measured=f"{median(rates):.2f}")


def judge(seen: Batches, inventory: Inventory) -> Finding:
    """A ratio in one run, so it is judged of whatever model is served; that it is enough is another claim's."""
    rates = ratios(seen)
    quick = [each.total_s for loop in (*seen.alone, *seen.together) for each in loop.samples]
    return finding(
        _parts(seen),
        seen.window,
        inventory,
        good=f"{AT_ONCE} requests at once are {median(rates) if rates else 0:.2f} times as fast as one after another, "
        "and a new one need not wait for a long one",
        expected=f"> 1 times as fast with {AT_ONCE} at once, and newcomers served beside a long answer",
        source=SOURCE,
        value=median(rates) if rates else None,
        unit="times as fast as one after another",
        samples=len(rates),
        interval=median_interval(rates),
        limit=1.0,
        sense=Sense.LEAST,
        shortest_s=AT_ONCE * min(quick) if quick else None,
    )


ASSUMPTION = Assumption(
    id="continuous-batching",
    guide="K2 Thinking guide §3.3",
    states="Several requests at once are answered faster together than one after another.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Void: mend what is named and judge again at a quiet hour. No faster: raise max_num_seqs (1 takes one "
    "request at a time), and see whether the KV cache holds more than one of your requests.",
    version=1,
    observe=observe,
    judge=judge,
)
