"""Helpers that judges share: weighing parts, and findings for what could not be seen."""

from __future__ import annotations

from collections.abc import Iterable

from assumptions._core import Outcome, Part

_ORDER = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)


def worst(parts: Iterable[Part]) -> Outcome:
    """FAIL before UNKNOWN before PASS; UNKNOWN where there is no part at all."""
    seen = {part.outcome for part in parts}
    return next((outcome for outcome in _ORDER if outcome in seen), Outcome.UNKNOWN)


def because(parts: Iterable[Part], otherwise: str) -> str:
    """The first part's reason among the worst, or `otherwise` when all pass."""
    parts = tuple(parts)
    outcome = worst(parts)
    if outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE):
        return otherwise
    return next((f"{part.name}: {part.because}" for part in parts if part.outcome is outcome), "nothing was looked at")


def check(name: str, holds: bool | None, because: str, *, expected: object = "", measured: object = "") -> Part:
    """A part from a condition; None means that it could not be seen."""
    outcome = Outcome.UNKNOWN if holds is None else Outcome.PASS if holds else Outcome.FAIL
    return Part(name, outcome, because, str(expected), str(measured))
