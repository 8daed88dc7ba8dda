"""The memory model beside what the engine logged: KV bytes per token, weights and overhead, predicted and actual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assumptions._core import Part
from assumptions._parts import check
from assumptions.formulas.memory import GIB, Fit
from inventories.schema import Inventory
from tasks.facts.engine_log import EngineLog

TOLERANCE = 0.005  # 93 of 94 public vLLM logs with both figures agree within 0.5 %


def deviation(per_token: int, log: EngineLog) -> float | None:
    """How far the logged tokens are from the logged GiB / `per_token`, as a share; None where the log lacks one."""
    if log.kv_tokens is None or log.kv_gib is None:
        return None
    wanted = log.kv_gib * GIB / per_token
    return abs(log.kv_tokens - wanted) / wanted


def against_log(per_token: int, log: EngineLog, inventory: Inventory) -> Iterator[Part]:
    """The two parts of the claim that a log can settle."""
    share = deviation(per_token, log)
    if share is None:
        yield check("kv-per-token", None, "the log does not give both KV GiB and tokens", expected=f"{per_token} bytes")
    else:
        said = f"{log.kv_tokens:,} tokens logged in {log.kv_gib:g} GiB: {share:.3%} from {per_token:,} bytes a token"
        yield check("kv-per-token", share <= TOLERANCE, said, expected=f"<= {TOLERANCE:.1%}", measured=f"{share:.3%}")
    wanted = inventory.serving.context_tokens * inventory.serving.concurrent_requests
    enough = None if log.kv_tokens is None else log.kv_tokens >= wanted
    yield check(
        "context", enough, f"room for {log.kv_tokens} tokens", expected=f">= {wanted:,}", measured=log.kv_tokens
    )


def overhead_gib(log: EngineLog, answer: Fit) -> float | None:
    """GiB of one GPU's budget that went neither to weights nor to KV; None where the log lacks a figure."""
    if log.load_gib is None or log.kv_gib is None:
        return None
    return answer.budget_gib - log.load_gib - log.kv_gib


def notes(log: EngineLog, answer: Fit) -> tuple[str, ...]:
    """Predicted and actual overhead in a sentence, so that the next plan can be given the measured one."""
    actual, modelled = overhead_gib(log, answer), answer.overhead_gib
    if actual is None or modelled is None or answer.weights_gib_per_gpu is None:
        return ()
    inside = "inside" if modelled.low <= actual <= modelled.high else "OUTSIDE"
    return (
        f"overhead measured here {actual:.2f} GiB per GPU, {inside} the modelled {modelled.low:.2f} to "
        f"{modelled.high:.2f}; weights {log.load_gib:.2f} GiB loaded, {answer.weights_gib_per_gpu:.2f} predicted",
    )


def rows(per_token: int, log: EngineLog) -> list[dict[str, Any]]:
    """Predicted beside measured, where the log has both figures."""
    if log.kv_tokens is None or log.kv_gib is None:
        return []
    logged = log.kv_gib * GIB
    found = [
        ("bytes per token", per_token, logged / log.kv_tokens, "B"),
        ("tokens", logged / per_token, log.kv_tokens, "tokens"),
    ]
    return [dict(zip(("name", "predicted", "measured", "unit"), row, strict=True)) for row in found]
