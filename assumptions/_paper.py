"""What the claims that are judged from printed figures share: when a figure counts as right, and the finding."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from assumptions._core import Finding, Outcome, Part, Provenance, Sense
from assumptions._parts import because, check, worst

GUIDE = "K2 Thinking guide"
GUIDE_MODEL, STRATEGY_MODEL = "kimi-k2-thinking", "kimi-k2.5"  # ids in catalog/models.yaml
ROUNDED = "what rounds to the printed figure at its last digit that is not zero"
LONGEST = 200  # characters of a finding's reason; the parts carry the rest


def half_step(figure: float) -> float:
    """How far the truth may lie from a printed figure: half of its last digit that is not zero (500: 50; 1.1: 0.05)."""
    exponent = Decimal(f"{figure:.10g}").normalize().as_tuple().exponent
    return 0.5 * 10.0 ** int(exponent)


def close(found: float, said: float) -> bool:
    """Whether `found` rounds to the printed `said`."""
    return abs(found - said) <= half_step(said) * (1 + 1e-9)


def figure(name: str, found: float | None, said: float, unit: str, why: str) -> Part:
    """A printed figure beside the true one; None where that is not known."""
    step = half_step(said)
    return check(
        name,
        None if found is None else close(found, said),
        why,
        expected=f"{said:,.6g} +- {step:,.6g} {unit}",
        measured="not known" if found is None else f"{found:,.6g} {unit}",
    )


def finding(
    parts: Iterable[Part],
    *,
    good: str,
    expected: str,
    measured: str,
    source: str,
    threshold: str = "",
    value: float | None = None,
    unit: str = "",
    notes: tuple[str, ...] = (),
    provenance: Provenance = Provenance.MODELLED,
    limit: float | None = None,
    sense: Sense = Sense.LEAST,
) -> Finding:
    """The worst part decides; `good` is said when all hold."""
    parts = tuple(parts)
    said = because(parts, good)
    return Finding(
        outcome=worst(parts),
        because=said if len(said) <= LONGEST else said[: LONGEST - 1] + "…",
        expected=expected,
        measured=measured,
        threshold=threshold or expected,
        threshold_source=source,
        provenance=provenance,
        value=value,
        unit=unit,
        parts=parts,
        notes=notes,
        limit=limit,
        sense=sense,
    )


def another_model(served: str, meant: str, source: str) -> Finding:
    """NOT_APPLICABLE: the checkpoint on the host is not the one that the document speaks of."""
    why = f"this inventory serves {served}; the sentence is about {meant}"
    return Finding(Outcome.NOT_APPLICABLE, why, meant, served, "", source, Provenance.VENDOR)
