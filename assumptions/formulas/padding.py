"""How much larger gpt-oss's experts are on a GPU than on disk: each kernel wants its own multiples."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.eras import version_of
from assumptions.formulas.quantization import quantization
from assumptions.formulas.schemes import MXFP4

HOPPER, BLACKWELL = 9, 10  # major compute capability: H100 and H200, B200
SWIZZLED_FROM = (0, 11, 1)  # vLLM mxfp4_utils.py swizzles from torch 2.8.1; 0.11.0 came with 2.8.0
ALIGNED_FROM = (0, 17, 0)  # 0.18.1 and 0.19.0 wheels, hopper_value.py pads values to 64 x 64; 0.17 is assumed
ALIGNED_UNTIL = (0, 20, 0)  # the 0.32.0 and 0.33.0 wheels don't; where it ended is assumed


class Kernel(NamedTuple):
    """Multiples that a kernel wants of one rank's expert width and of the hidden size, and of what it swizzles."""

    width: int
    hidden: int = 1
    value_rows: int = 1
    value_bytes: int = 1
    scale_rows: int = 1
    scales: int = 1
    bias_bytes: int = 4


# vLLM 0.19 fused_moe/oracle/mxfp4.py, mxfp4_round_up_hidden_size_and_intermediate_size, and triton_kernels.
MARLIN = Kernel(width=128, hidden=256, bias_bytes=2)
FLASHINFER = Kernel(width=256, hidden=256)
PLAIN = Kernel(width=64)
SWIZZLED = PLAIN._replace(scale_rows=256, scales=2)
ALIGNED = SWIZZLED._replace(value_rows=64, value_bytes=64)


def expert_growth(
    arch: Architecture, *, ranks: int, ep: bool, weight_quant: str | None, vllm: str, compute_capability: float | None
) -> float:
    """Bytes of the experts on a GPU over their share of the checkpoint; 1 for every model but gpt-oss in MXFP4."""
    if arch.kind != "gpt_oss" or arch.moe is None or not _is_mxfp4(arch, weight_quant):
        return 1.0
    width, hidden = arch.moe.width if ep else arch.moe.width // ranks, arch.hidden
    share = arch.moe.width / width
    stored = 3 * arch.moe.width * hidden * MXFP4.bits / 8 * (1 + 1 / 16) + 2 * (2 * arch.moe.width + hidden)
    return loaded_expert_bytes(width, hidden, kernel(vllm, compute_capability)) * share / stored


def loaded_expert_bytes(width: int, hidden: int, kernel: Kernel) -> int:
    """One expert on one rank: gate and up as one matrix, down, and their biases."""
    inner, outer = _up(width, kernel.width), _up(hidden, kernel.hidden)
    total = kernel.bias_bytes * (2 * inner + outer)
    for rows, columns in ((2 * inner, outer), (outer, inner)):
        total += _up(rows, kernel.value_rows) * _up(columns // 2, kernel.value_bytes)
        total += _up(rows, kernel.scale_rows) * _up(-(-columns // MXFP4.group), kernel.scales)
    return total


def kernel(vllm: str, compute_capability: float | None) -> Kernel:
    """The one that vLLM takes by default on this card; a card that is not known is taken for a Hopper."""
    major = HOPPER if compute_capability is None else int(compute_capability)
    if major == BLACKWELL:
        return FLASHINFER
    if major != HOPPER:
        return MARLIN
    version = version_of(vllm)
    if version is None or version >= ALIGNED_UNTIL:
        return SWIZZLED
    return PLAIN if version < SWIZZLED_FROM else ALIGNED if version >= ALIGNED_FROM else SWIZZLED


@lru_cache(maxsize=64)
def _is_mxfp4(arch: Architecture, weight_quant: str | None) -> bool:
    rules = quantization(arch.quantization, weight_quant).rules
    return bool(rules) and rules[0][1] is MXFP4


def _up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
