"""What a drill plays: a fault and the claim that should see it, and the same looks without a fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from assumptions._core import Finding, Outcome, Stage

Look = Callable[[], Finding]  # observe and judge once


@dataclass(frozen=True)
class Pair:
    """One fault and one claim.  `expected` are the outcomes that count as seen: FAIL, or UNKNOWN where right."""

    claim: str
    stage: Stage
    fault: str
    says: str
    expected: frozenset[Outcome]
    play: Look


@dataclass(frozen=True)
class Healthy:
    """A claim without a fault: it must not FAIL."""

    claim: str
    stage: Stage
    play: Look


class Ground(Protocol):
    """Where faults are played: `name` for people; `served` where the deployment itself is asked."""

    name: str
    served: bool

    def pairs(self) -> Sequence[Pair]:
        """Every pair that can be played here."""
        ...

    def healthy(self) -> Sequence[Healthy]:
        """One a claim and stage of the pairs."""
        ...

    def close(self) -> None:
        """Undo what the ground set up."""
        ...
