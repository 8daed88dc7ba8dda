"""Claim: the served model scores what its vendor says that it scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._quality import HOW, beside, made_up
from assumptions._quality_scores import SCORES, Score, score
from assumptions._quality_suites import Result, results
from assumptions.formulas.intervals import at_least, wilson
from inventories.schema import Inventory
from tasks.hosts import now
from tasks.site import Site

MARGIN = 3.0  # points below the vendor's score: what K2 Vendor Verifier allows (73 % where the vendor reaches 76 %)
SOURCE = (
    "the vendor's scores (model card of moonshotai/Kimi-K2-Thinking), less the 3 points that K2 Vendor Verifier's "
    "README allows between the vendor's own service and another"
)
DAYS = 90  # assumed: as long as evidence of a served engine is kept at most
COMMAND = (
    "inspect eval inspect_evals/gpqa_diamond --model openai-api/vllm/{model} --epochs 8 --temperature 1.0 "
    "--max-tokens 98304 --log-format json, with VLLM_BASE_URL and VLLM_API_KEY of the deployment"
)


@dataclass(frozen=True, slots=True)
class Suites:
    """The declared files' results, and when they were read."""

    read_at: datetime
    results: tuple[Result, ...]


def observe(site: Site, stage: Stage) -> Suites:
    """Reads the declared result files; a suite itself takes hours, and is not run here."""
    files = [beside(site, path) for path in site.inventory.quality.suite_results]
    return Suites(now(), tuple(result for file in files for result in results(file)))


def _part(result: Result, vendor: Score, model: str, read_at: datetime) -> Part:
    name = f"{vendor.name} ({result.task})"
    floor = (vendor.percent - MARGIN) / 100
    expected = f">= {floor:.3f}: {vendor.percent} % less {MARGIN:g} points"
    measured = f"{result.share:.4f} over {result.answers}"
    taken = f"{result.suite}, {result.taken_at:%Y-%m-%d}, {result.metric}"
    age = read_at - result.taken_at
    why = (
        f"it was taken of {result.model!r}, and {model!r} is served here"
        if result.model != model
        else "not all of its questions were asked and answered: the vendor's score is of all"
        if not result.whole
        else f"it was taken on {result.taken_at:%Y-%m-%d}: older than {DAYS} days, or not yet"
        if not timedelta() <= age <= timedelta(days=DAYS)
        else f"{result.share} over {result.answers} answers is no rate"
        if not 0 <= result.share <= 1 or result.answers < 1
        else ""
    )
    if why:
        return check(name, None, why, expected=expected, measured=measured)
    ends = wilson(round(result.share * result.answers), result.answers)
    said = f"{result.share:.2%} of {result.answers} answers, 95 % from {ends[0]:.2%} to {ends[1]:.2%} ({taken})"
    return check(name, at_least(ends, floor), said, expected=expected, measured=measured)


def _parts(seen: Suites, inventory: Inventory) -> Iterator[Part]:
    model = inventory.model.catalog
    told = [(result, vendor) for result in seen.results if (vendor := score(model, result.task))]
    for result, vendor in told:
        yield _part(result, vendor, model, seen.read_at)
    if not any(vendor.in_guide for _, vendor in told):
        known = ", ".join(each.name for each in SCORES.get(model, ()) if each.in_guide)
        other = f"no result of one of the guide's is declared in quality.suite_results: {known or 'none is known'}"
        said = f"{other}; for example {COMMAND.format(model=model)} ({HOW})"
        yield check("guide's benchmarks", None, said, expected="one of them at least")
    yield from made_up(inventory)


def judge(seen: Suites, inventory: Inventory) -> Finding:
    """No declared score is more than 3 points below the vendor's by its lower end; one of the guide's is declared."""
    parts = tuple(_parts(seen, inventory))
    chosen = next(
        ((r, s) for r in seen.results if (s := score(inventory.model.catalog, r.task)) and s.in_guide and r.answers),
        None,
    )
    result, vendor = chosen or (None, None)
    missing = [s.name for s in SCORES.get(inventory.model.catalog, ()) if s.in_guide and s is not vendor]
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"{len(parts)} declared scores are the vendor's within {MARGIN:g} points"),
        expected=f"the vendor's scores, less {MARGIN:g} points",
        measured="; ".join(f"{part.name}: {part.measured}" for part in parts if part.measured) or "nothing",
        threshold=f"the vendor's score less {MARGIN:g} points",
        threshold_source=SOURCE,
        provenance=Provenance.MEASURED_ELSEWHERE,
        value=round(100 * result.share, 2) if result else None,
        unit=f"% {vendor.name}" if vendor else "",
        parts=parts,
        samples=result.answers if result else None,
        interval=_percent(result) if result else None,
        limit=vendor.percent - MARGIN if vendor else None,
        notes=(
            "The answers are counted as if each were drawn anew: on the vendor's own questions that is too cautious.",
            *([f"Not judged here: {', '.join(missing)}."] if result else []),
        ),
    )


def _percent(result: Result) -> tuple[float, float] | None:
    if not 0 <= result.share <= 1:
        return None
    low, high = wilson(round(result.share * result.answers), result.answers)
    return 100 * low, 100 * high


ASSUMPTION = Assumption(
    id="model-quality",
    guide="K2 Thinking guide §1.3",
    states="The served model scores what its vendor says that it scores.",
    stages=(Stage.LIVE,),
    severity=Severity.ADVISORY,
    remedy="Run a suite against the deployment and name its result file in quality.suite_results: "
    f"{COMMAND.format(model='MODEL')}. Where it fails, compare sampling, chat template and thinking budget "
    "with the vendor's first.",
    version=1,
    observe=observe,
    judge=judge,
)
