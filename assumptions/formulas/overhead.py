"""GPU memory that is neither weights nor KV cache, as a range: it depends on the version more than on the model.

overhead = the larger of the sampler's warm-up (requests x vocabulary x bytes) and one forward pass's activations,
plus CUDA context, NCCL and kernel workspaces, plus CUDA graphs where the version counts them in the budget.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.shapes import GIB, Range, UnsupportedConfig, whole_number

Version = tuple[int, int, int]
LOGS = "server logs collected in ashishkamra/vllm-memory-estimator@8b0e21d, H200 and MI300X, vLLM 0.11 to 0.20"
SPLITS = "llm-d-incubation/llm-d-planner@e50305a, H100 logs of vLLM ~0.11 that name activation and non-torch memory"
OLDEST_KNOWN: Version = (0, 4, 0)


@dataclass(frozen=True, slots=True)
class Era:
    """Versions that warm up alike.  `sampler` is bytes per request and vocabulary entry of the warm-up batch."""

    name: str
    until: Version  # the first version that no longer belongs
    sampler: Range
    graphs_counted: bool
    source: str


# H100, ~0.11: activation 4.76, 4.84 and 5.64 GiB / (1,024 requests x vocabulary) = 38.9, 39.6, 38.9 bytes.
# H100, Mistral Small, 0.11.0: 2.12 GiB / (1,024 x 131,072) = 17.0.  H200, 0.18: Llama 70B's overhead fell by 1.34 GiB.
ERAS = (
    Era("V0 engine", (0, 8, 0), Range(8.0, 17.0, 17.0), False, "vllm#10517, RTX 3090, vLLM ~0.6.4"),
    Era("0.8 to 0.11.0", (0, 11, 1), Range(17.0, 38.9, 40.0), False, f"{SPLITS}; {LOGS}"),
    Era("0.11.1 to 0.16", (0, 17, 0), Range(36.0, 38.9, 40.0), False, f"{SPLITS}; {LOGS}"),
    Era("0.17 to 0.19", (0, 20, 0), Range(17.0, 27.7, 30.0), False, LOGS),
    Era("0.20 and later", (1000, 0, 0), Range(17.0, 27.7, 30.0), True, LOGS + "; only 0.20.0 was measured"),
)
UNREAD = Era("version not readable", (0, 0, 0), Range(17.0, 27.7, 40.0), True, f"every era together: {SPLITS}; {LOGS}")

# (experts?, more than one rank?): what the same rows leave after the warm-up above, rounded outwards.
RESIDENT = {
    (False, False): Range(0.1, 0.2, 1.0),  # measured 0.13 to 0.25
    (False, True): Range(0.5, 0.75, 1.5),  # measured 0.54 to 1.06
    (True, True): Range(0.5, 2.2, 3.5),  # measured 1.0 to 3.1
    (True, False): Range(0.1, 1.0, 3.0),  # assumed: no measured row
}
GRAPHS = {
    False: Range(0.5, 0.95, 1.5),  # measured 0.85 to 0.96 (Llama 70B, 0.18 to 0.20)
    True: Range(1.0, 1.7, 2.5),  # measured 1.20 to 2.28 (GLM-5.3-Flash, Kimi K2.5, DeepSeek R1)
}
NONE = Range(0.0, 0.0, 0.0)
A100 = 8.0


def version_of(vllm: str) -> Version | None:
    """The version in a text such as "v0.11.2+rhai1" or "~0.11"; None for a build that names no release."""
    if not isinstance(vllm, str):
        raise UnsupportedConfig("vllm is not a text that names a version")
    found = re.search(r"(?<![\d.])(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?", vllm)
    version = (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
    return version if version and version >= OLDEST_KNOWN else None


def era_of(vllm: str) -> Era:
    """The era that `vllm` belongs to; one that covers all of them when the version can't be read."""
    version = version_of(vllm)
    return next((era for era in ERAS if version and version < era.until), UNREAD)


def default_utilization(vllm: str) -> float:
    """vLLM's own --gpu-memory-utilization: 0.90 up to 0.19, 0.92 from 0.25.

    Read in the wheels of 0.18.1, 0.19.0 and 0.33.0, and quoted publicly from config/cache.py at 0.25.0 and 0.30.0.
    When it changed between 0.19 and 0.25 was not found: 0.90 is assumed there, and for builds that name no release.
    """
    version = version_of(vllm)
    return 0.92 if version and version >= (0, 25, 0) else 0.90


def overhead_gib(
    vllm: str,
    arch: Architecture,
    *,
    tp: int,
    gpu_memory_gib: float,
    dp: int = 1,
    compute_capability: float | None = None,
    context_tokens: int | None = None,
    max_num_seqs: int | None = None,
    max_num_batched_tokens: int | None = None,
) -> Range:
    """GiB per GPU beside weights and KV; batch limits are vLLM's own for this GPU unless given."""
    era, moe = era_of(vllm), arch.moe is not None
    small, large = _batches(era, gpu_memory_gib, compute_capability, context_tokens)
    small, large = (_limited(batch, max_num_seqs, max_num_batched_tokens) for batch in (small, large))
    per_token = activation_bytes_per_token(arch, tp)

    def peak(batch: tuple[int, int], per_entry: float) -> float:
        return max(batch[0] * arch.vocab * per_entry, batch[1] * per_token) / GIB

    sampler = era.sampler
    warm_up = Range(peak(small, sampler.low), peak(large, sampler.mid), peak(large, sampler.high))
    graphs = GRAPHS[moe] if era.graphs_counted else NONE
    if era is UNREAD:
        graphs = Range(0.0, graphs.mid / 2, graphs.high)
    return warm_up + RESIDENT[moe, tp * dp > 1] + graphs


def activation_bytes_per_token(arch: Architecture, tp: int) -> int:
    """Bytes that one token of the largest batch needs at the peak of a forward pass, on one rank.

    Gate, up and their product (3 x width / tp) and three hidden vectors, in bf16; with experts the same for each
    routed copy.  Llama 8B: 6 x 14,336 + 6 x 4,096 = 110,592; the V0 rows measured 2.07 GiB / 20,000 = 111,132.
    """
    hidden = 6 * arch.hidden
    dense = 6 * (arch.dense_width // tp) + hidden
    if arch.moe is None:
        return dense
    routed = arch.moe.per_token * (2 * arch.hidden + 6 * -(-arch.moe.width // tp)) + hidden
    return max(dense, routed)


def _batches(era: Era, gpu_gib: float, capability: float | None, context: int | None) -> tuple[tuple[int, int], ...]:
    """(requests, tokens) that a server's warm-up uses by default: the least and the most that may apply.

    vLLM 0.33 `engine/arg_utils.py`: 256 and 2,048 below 70 GiB and on A100, 1,024 and 8,192 above,
    1,024 and 16,384 from 160 GiB.  Without a compute capability an 80 GB card may be either kind.
    """
    little, much, most = (256, 2048), (1024, 8192), (1024, 16384)
    if era is ERAS[0]:  # the V0 engine ran a prompt of full length
        return ((256, context or 2048),) * 2
    if gpu_gib < 70 or capability == A100:
        return little, little
    if gpu_gib >= 160:
        return most, most
    return (little if capability is None and gpu_gib < 85 else much), much


def _limited(batch: tuple[int, int], seqs: int | None, tokens: int | None) -> tuple[int, int]:
    return (
        batch[0] if seqs is None else whole_number("max_num_seqs", seqs),
        batch[1] if tokens is None else whole_number("max_num_batched_tokens", tokens),
    )
