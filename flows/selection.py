"""Which claims `validate` judges, and at which stage."""

from __future__ import annotations

from collections.abc import Sequence

from assumptions._core import Stage
from assumptions._registry import claim
from flows.run import Run


def known(only: Sequence[str]) -> None:
    """Raise BadInput for a name that is no claim's, before anything is opened."""
    for name in only:
        claim(name)


def due(run: Run, only: Sequence[str]) -> dict[Stage, tuple[str, ...]]:
    """Without `only` every claim at every stage; a named claim once, at the latest stage that it is judged at."""
    if only:
        run.expected = tuple((name, claim(name).stages[-1]) for name in dict.fromkeys(only))
    else:
        run.expect(tuple(Stage))
    at = {stage: tuple(name for name, when in run.expected if when is stage) for stage in Stage}
    return {stage: names for stage, names in at.items() if names}
