"""The arguments of one memory question, checked once."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.draft import Draft
from assumptions.formulas.overhead import default_utilization
from assumptions.formulas.shapes import UnsupportedConfig, quantity, whole_number
from assumptions.formulas.stored import Stored

WHOLE = ("gpus", "tp", "pp", "dp", "dcp", "context_tokens", "concurrent_requests", "hosts")
OPTIONAL = ("max_num_seqs", "max_num_batched_tokens")
_CARD = {8.0: " (A100)", 10.0: " (B200)"}
BLOCK = 16  # tokens in a block of KV cache, on each of the ranks that share one
MEASURED_CAPABILITIES = (8.6, 8.9, 9.0, 12.0)  # 10.0 (B200): no row in the table that the ranges rest on


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What `fit` was asked; creating one with a bad argument raises UnsupportedConfig."""

    gpu_memory_gib: float
    gpus: int
    tp: int
    pp: int
    dp: int
    ep: bool
    dcp: int
    utilization: float
    context_tokens: int
    concurrent_requests: int
    kv_dtype: str
    weight_quant: str | None
    vllm: str
    compute_capability: float | None
    mm_encoder: str
    cpu_offload_gib: float
    max_num_seqs: int | None
    max_num_batched_tokens: int | None
    hosts: int
    overhead_gib: float | None
    disk_gib_per_s: float | None
    checkpoint_gib: float | None
    stored: Stored | None
    draft: Draft | None

    def __post_init__(self) -> None:
        quantity("gpu_memory_gib", self.gpu_memory_gib, least=0.01)
        quantity("utilization", self.utilization, least=0.01, most=1.0)
        quantity("cpu_offload_gib", self.cpu_offload_gib)
        default_utilization(self.vllm)
        for name, least in (("overhead_gib", 0.0), ("disk_gib_per_s", 0.001), ("checkpoint_gib", 0.0)):
            if getattr(self, name) is not None:
                quantity(name, getattr(self, name), least=least)
        for name, kind in (("stored", Stored), ("draft", Draft)):
            if getattr(self, name) is not None and not isinstance(getattr(self, name), kind):
                raise UnsupportedConfig(f"{name} is not a {kind.__name__}")
        if self.compute_capability is not None:
            quantity("compute_capability", self.compute_capability, most=100.0)
        if not isinstance(self.ep, bool):
            raise UnsupportedConfig("ep is neither true nor false")
        for name in WHOLE:
            whole_number(name, getattr(self, name))
        for name in OPTIONAL:
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name))
        if self.ranks > self.gpus:
            raise UnsupportedConfig(
                f"tp {self.tp} x pp {self.pp} x dp {self.dp} = {self.ranks} ranks need more than {self.gpus} GPUs"
            )

    @property
    def ranks(self) -> int:
        """GPUs that the split takes."""
        return self.tp * self.pp * self.dp

    @property
    def ranks_per_host(self) -> int:
        """GPUs that the split takes on the fullest host."""
        return -(-self.ranks // self.hosts)

    @property
    def budget_gib(self) -> float:
        """What vLLM may use of one GPU: its whole memory, as CUDA reports it, times the utilisation."""
        return self.gpu_memory_gib * self.utilization

    @property
    def per_replica(self) -> int:
        """Requests that the busiest data-parallel replica serves at once."""
        return -(-self.concurrent_requests // self.dp)

    @property
    def block(self) -> int:
        """Tokens in one block, over all ranks that share it."""
        return BLOCK * self.dcp

    @property
    def request_tokens(self) -> int:
        """KV tokens of one request, rounded up to whole blocks as vLLM allots them."""
        return -(-self.context_tokens // self.block) * self.block

    @property
    def needed_tokens(self) -> int:
        """KV tokens on that replica."""
        return self.per_replica * self.request_tokens

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """What no measured run among the sources stands behind."""
        measured = self.overhead_gib is not None  # then it was measured on such a card
        capability = None if measured else self.compute_capability
        notes = (
            (self.pp > 1, "pipeline parallelism"),
            (self.cpu_offload_gib > 0, "weights offloaded to host memory"),
            (self.draft is not None, "a draft model's cache and graphs on this engine version"),
            (
                capability is not None and capability not in MEASURED_CAPABILITIES,
                f"compute capability {capability}{_CARD.get(capability or 0.0, '')}",
            ),
        )
        return tuple(note for applies, note in notes if applies)
