"""The shape of one answer of the memory model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from assumptions.formulas.shapes import Range

Verdict = Literal["fits", "tight", "does-not-fit", "unsupported"]


class BudgetRow(NamedTuple):
    """One line of one GPU's budget, in GiB; `stage` is the pipeline stage, counted from 1."""

    stage: int
    component: str
    low: float
    mid: float
    high: float
    basis: str


@dataclass(frozen=True, slots=True)
class Fit:
    """One answer.  GiB are per GPU of the tightest pipeline stage; tokens are per data-parallel replica.

    `kv_gib_per_gpu` is what is left for KV, below zero when something is missing.  `concurrent_requests` are those of
    the wanted context over all replicas.  `host_ram_gib`, `pinned_gib` and `shm_gib` are per host.  `load_seconds` is
    None unless a disk speed was given.  `unmeasured` names what no measured run stands behind; while it holds
    anything the verdict is never `fits`.  All figures but the budget are None when the verdict is `unsupported`.
    """

    verdict: Verdict
    budget_gib: float
    weights_gib_per_gpu: float | None = None
    overhead_gib: Range | None = None
    kv_gib_per_gpu: Range | None = None
    kv_bytes_per_token_per_rank: int | None = None
    kv_tokens: Range | None = None
    max_context_tokens: Range | None = None
    concurrent_requests: Range | None = None
    host_ram_gib: Range | None = None
    pinned_gib: float | None = None
    shm_gib: float | None = None
    checkpoint_gib: float | None = None
    load_seconds: Range | None = None
    budget_table: tuple[BudgetRow, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # on the host: RAM and load time
    unmeasured: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
