"""How the overhead's resident part follows from the table, and how it would do on rows that it has not seen."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil, floor, sqrt
from pathlib import Path
from statistics import mean

from assumptions.formulas.architecture import read as architecture
from assumptions.formulas.eras import ERAS, UNREAD, era_of, version_of
from assumptions.formulas.overhead import GRAPHS, Cell, standing_gib
from assumptions.formulas.shapes import Range
from assumptions.formulas.warm_up import warm_up_gib
from bench.measured_rows import Row
from bench.scoring import Answer
from flows.fit import named_card

# Row m304: non-torch 1.74 + activation 4.04 - sampler 512 x 154,880 x 17 bytes (1.26): its config.json is not here.
BESIDE_THE_TABLE = {Cell(recent=True, experts=True, several=True): {"GLM-5.3-Flash": 4.52}}
# Overhead of every model in the same logs, H200, several GPUs, 0.17 to 0.19: 4.0 to 7.0 GiB by logged weights.  Of the
# least, the largest vocabulary there (gpt-oss) warms up with 2.88; of the most, the smallest (Llama 3) with 1.83, and
# our weights may be 0.45 below the logged ones (DeepSeek R1).
PUBLISHED = (1.1, 5.6)
UNCERTAIN_SAMPLER = (ERAS[0], ERAS[1], UNREAD)
# Student's t, two-sided 95 %, by degrees of freedom.
T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
Spread = dict[Cell, dict[str, list[float]]]


class TooFewModels(ValueError):
    """The rows don't tell how much models differ."""


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run with what is needed to take its overhead apart.  GiB per GPU; `overhead` by our own weights."""

    row: Row
    cell: Cell
    overhead: float
    warm_up: Range

    @property
    def resident(self) -> float | None:
        """What is left after the warm-up and graphs; None where the warm-up itself is uncertain."""
        era, logged = era_of(self.row.text("vllm_version")), self.row.number("activation_gib")
        if (logged is None and era in UNCERTAIN_SAMPLER) or era is ERAS[0]:
            return None
        graphs = GRAPHS[self.cell.experts, self.cell.several].mid if era.graphs_counted else 0.0
        return self.overhead - (self.warm_up.mid if logged is None else logged) - graphs

    def predicted(self, resident: Mapping[Cell, Range]) -> Range:
        """The overhead that this calibration gives."""
        version = self.row.text("vllm_version")
        return self.warm_up + standing_gib(
            version, experts=self.cell.experts, several=self.cell.several, resident=resident
        )


def runs(rows: Iterable[Row], answers: Mapping[str, Answer], configs: Path) -> tuple[Run, ...]:
    """The rows that log their KV GiB and that we answer."""
    found = []
    for row in rows:
        left, answer = row.number("available_kv_gib_per_gpu"), answers[row.id]
        if left is not None and answer.weights_gib is not None and answer.budget_gib is not None:
            found.append(_run(row, answer.budget_gib - answer.weights_gib - left, configs))
    return tuple(found)


def calibrated(measured: Iterable[Run], published: tuple[float, float] | None = PUBLISHED) -> dict[Cell, Range]:
    """The resident part of every cell: where the next model is expected with 95 % probability.

    Mean of the models +- t x spread x sqrt(1 + 1/n); the spread is that between models of one cell, pooled over all
    cells; never inside what was measured.  A cell without a model takes that of its nearest neighbour.  Where there
    are `published` ends, the low one stands instead, and the high one is not passed.
    """
    spread = _by_model(measured)
    deviations = [value - mean(models) for cell in spread for models in [_means(spread[cell])] for value in models]
    freedom = sum(len(models) - 1 for models in spread.values())
    if not freedom:
        raise TooFewModels("no two models of one kind are among these rows, so their spread is not known")
    sigma = sqrt(sum(each**2 for each in deviations) / freedom)
    reach = T95[min(freedom, len(T95)) - 1] * sigma
    ends = {cell: published if cell.recent and cell.several else None for cell in _cells()}
    return {cell: _interval(spread[_nearest(cell, spread)], reach, ends[cell]) for cell in _cells()}


def left_out(measured: tuple[Run, ...], key: Callable[[Run], str]) -> list[tuple[Run, Range]]:
    """Each run beside the overhead predicted for it by a calibration that saw no run with the same key.

    Runs whose absence leaves too few models are not among them.

    The published ends are not used: the logs that they sum up hold the left-out runs too.
    """
    found = []
    for name in sorted({key(run) for run in measured}):
        try:
            table = calibrated((run for run in measured if key(run) != name), published=None)
        except TooFewModels:
            continue
        found += [(run, run.predicted(table)) for run in measured if key(run) == name]
    return found


KEYS: dict[str, Callable[[Run], str]] = {
    "model": lambda run: run.row.text("config"),
    "group": lambda run: run.row.text("group"),
    "version": lambda run: str(version_of(run.row.text("vllm_version"))),
    "card": lambda run: run.row.text("gpu"),
}


def _run(row: Row, overhead: float, configs: Path) -> Run:
    version, tp, gpu = row.text("vllm_version"), row.whole("tp", 1), named_card(row.text("gpu"))
    arch = architecture(json.loads((configs / row.text("config")).read_text(encoding="utf-8")))
    memory = row.number("total_gpu_gib") or (gpu.memory_gib.value if gpu and gpu.memory_gib else 0.0)
    warm_up = warm_up_gib(
        version,
        arch,
        tp=tp,
        gpu_memory_gib=memory,
        compute_capability=gpu.compute_capability.value if gpu and gpu.compute_capability else None,
        context_tokens=row.whole("max_model_len", 2048),
        max_num_seqs=row.whole("max_num_seqs", 0) or None,
        max_num_batched_tokens=row.whole("max_num_batched_tokens", 0) or None,
    )
    return Run(row, Cell(era_of(version).recent, arch.moe is not None, tp * row.whole("dp", 1) > 1), overhead, warm_up)


def _cells() -> list[Cell]:
    yes_no = (False, True)
    return [Cell(recent, experts, several) for recent in yes_no for experts in yes_no for several in yes_no]


def _by_model(measured: Iterable[Run]) -> Spread:
    spread: Spread = defaultdict(lambda: defaultdict(list))
    for run in measured:
        if run.resident is not None:
            spread[run.cell][run.row.base].append(run.resident)
    for cell, models in BESIDE_THE_TABLE.items():
        spread[cell].update({name: [value] for name, value in models.items()})
    return spread


def _means(models: Mapping[str, list[float]]) -> list[float]:
    return [mean(values) for values in models.values()]


def _nearest(cell: Cell, spread: Spread) -> Cell:
    other_kind, other_time = cell._replace(experts=not cell.experts), cell._replace(recent=not cell.recent)
    both = other_kind._replace(recent=not cell.recent)
    order = (cell, other_kind, other_time, both) if cell.several else (cell, other_time, other_kind, both)
    return next(each for each in (*order, *sorted(spread, reverse=True)) if spread.get(each))


def _interval(models: Mapping[str, list[float]], reach: float, ends: tuple[float, float] | None) -> Range:
    middle, half = mean(_means(models)), reach * sqrt(1 + 1 / len(models))
    seen = [value for values in models.values() for value in values]
    low, high = min(middle - half, *seen), max(middle + half, *seen)
    if ends:
        low, high = ends[0], min(ends[1], high)
    return Range(max(0.0, floor(10 * low) / 10), round(middle, 1), ceil(10 * high) / 10)
