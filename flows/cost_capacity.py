"""What a machine serves at the SLO: from the inventory's measurement, or given on the command line."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.capacity import CLASSES, Capacity
from assumptions.formulas.money import Quantity
from flows.cost_inputs import Inputs
from inventories.errors import BadInput
from inventories.money import Throughput

GIVEN = "given on the command line"
WHERE = "--tokens-per-second"


@dataclass(frozen=True, slots=True)
class Rates:
    """Tokens per second by class, as typed; None for a class that was left empty."""

    input: float | None
    cached_input: float | None
    output: float | None

    @classmethod
    def read(cls, text: str) -> Rates:
        """From IN,CACHED,OUT; each a number or nothing."""
        parts = [part.strip() for part in text.split(",")]
        if len(parts) != len(CLASSES) or not any(parts):
            raise BadInput(f"{text!r} is not IN,CACHED,OUT", where=WHERE, fix="such as 8000,,700")
        try:
            return cls(*(float(part) if part else None for part in parts))
        except ValueError:
            raise BadInput(
                f"{text!r} holds something else than numbers", where=WHERE, fix="such as 8000,,700"
            ) from None


def capacity(declared: Throughput | None, asked: Rates | None, inputs: Inputs) -> Capacity | None:
    """The command line's rates, or the inventory's; None where neither has any."""
    if asked is None and declared is None:
        return None
    found: dict[str, Quantity | None] = {}
    for name in CLASSES:
        key = f"{name}_tokens_per_second"
        if asked is not None:
            found[key] = _typed(f"capacity.{key}", getattr(asked, name), inputs)
        elif declared is not None:
            found[key] = _declared(f"capacity.{key}", key, declared, inputs)
    share = declared.utilisation_share if declared else None
    return Capacity(
        **{key: found[key] for key in ("input_tokens_per_second", "cached_input_tokens_per_second")},
        output_tokens_per_second=found["output_tokens_per_second"],
        utilisation_share=inputs.or_default("capacity.utilisation_share", share, "utilisation-share"),
        measured=declared.measured if declared and asked is None else "together",
    )


def _typed(name: str, rate: float | None, inputs: Inputs) -> Quantity | None:
    return None if rate is None else inputs.add(name, rate, "tokens/s", "assumed", GIVEN, None)


def _declared(name: str, key: str, declared: Throughput, inputs: Inputs) -> Quantity | None:
    given = getattr(declared, key)
    if given is None:
        return None
    sourced = given.model_copy(update={"source": declared.source, "as_of": declared.as_of, "basis": declared.basis})
    return inputs.take(name, sourced, None, "tokens/s")
