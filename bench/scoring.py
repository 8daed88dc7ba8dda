"""What is scored: an answer beside a measured row, a summary over rows, and the targets that we hold ourselves to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import mean, median

from assumptions.formulas.shapes import Range
from bench.measured_rows import Row, scored


@dataclass(frozen=True, slots=True)
class Answer:
    """What one planner says about one row.  GiB per GPU, bytes per token and rank; None: it gives no such figure."""

    verdict: str = ""
    weights_gib: float | None = None
    kv_gib: Range | None = None
    bytes_per_token: float | None = None
    budget_gib: float | None = None
    why_none: str = ""

    @property
    def answered(self) -> bool:
        """It gave at least one figure."""
        return any(each is not None for each in (self.weights_gib, self.kv_gib, self.bytes_per_token))


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of one figure over the rows where both sides have it."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        """None when there is none."""
        return mean(self.values) if self.values else None

    @property
    def median(self) -> float | None:
        """None when there is none."""
        return median(self.values) if self.values else None

    @property
    def most(self) -> float | None:
        """None when there is none."""
        return max(self.values, default=None)


@dataclass(frozen=True, slots=True)
class Score:
    """One planner over all scored rows.  Shares are of one; widths and KV errors are GiB per GPU."""

    rows: int
    answered: int
    weights: Errors
    kv: Errors
    inside: int
    with_range: int
    widths: Errors
    tokens: Errors
    failing: int
    failing_said_to_fit: tuple[str, ...]


def score(rows: tuple[Row, ...], answers: Mapping[str, Answer]) -> Score:
    """The score of `answers` (by row id) on the scored rows, and on the failing ones."""
    pairs = [(row, answers[row.id]) for row in scored(rows)]
    failing = [row.id for row in rows if row.failed]
    ranges = [(found, left) for row, answer in pairs if (found := answer.kv_gib) and (left := _left(row)) is not None]
    return Score(
        rows=len(pairs),
        answered=sum(answer.answered for _, answer in pairs),
        weights=_relative((answer.weights_gib, row.number("model_load_gib_per_gpu")) for row, answer in pairs),
        kv=Errors(tuple(abs(found.mid - left) for found, left in ranges)),
        inside=sum(found.low <= left <= found.high for found, left in ranges if found.width),
        with_range=sum(bool(found.width) for found, _ in ranges),
        widths=Errors(tuple(found.width for found, _ in ranges if found.width)),
        tokens=_relative((answer.bytes_per_token, row.bytes_per_token) for row, answer in pairs),
        failing=len(failing),
        failing_said_to_fit=tuple(each for each in failing if answers[each].verdict == "fits"),
    )


def missed(ours: Score) -> list[str]:
    """Our targets that this score misses, as sentences; empty when all hold.  No figure at all misses its target."""
    held = {
        "at most a quarter of the rows unanswered": ours.rows > 0 and ours.answered >= 0.75 * ours.rows,
        "weights per GPU: mean error at most 1 %": _most(ours.weights.mean, 0.01),
        "measured KV GiB inside the range for 9 in 10": ours.with_range > 0 and ours.inside >= 0.9 * ours.with_range,
        "mean width of that range at most 6 GiB": _most(ours.widths.mean, 6.0),
        "KV bytes per token: mean error at most 0.5 %": _most(ours.tokens.mean, 0.005),
        "no failing row said to fit": ours.failing > 0 and not ours.failing_said_to_fit,
    }
    return [target for target, holds in held.items() if not holds]


def _left(row: Row) -> float | None:
    return row.number("available_kv_gib_per_gpu")


def _most(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


def _relative(pairs: Iterable[tuple[float | None, float | None]]) -> Errors:
    return Errors(tuple(abs(said / true - 1) for said, true in pairs if said is not None and true))
