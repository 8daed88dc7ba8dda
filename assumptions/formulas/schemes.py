"""Bytes of one quantised matrix in each known format."""

from __future__ import annotations

from typing import NamedTuple

from assumptions.formulas.shapes import UnsupportedConfig
from assumptions.formulas.tensors import Tensor

BLOCK = 128  # DeepSeek and Qwen FP8: one float32 scale for each 128 x 128 block


class Scheme(NamedTuple):
    """Bytes of a quantised matrix: `bits` per number, plus a scale per group, per block or per row.

    `group` 0 means one scale of `scale_bytes` for each row; `square` puts it on a `group` x `group` block.
    `zero_bits` is the width of a stored zero point per group; `extra` are bytes per matrix (weight_shape).
    """

    name: str
    bits: int
    group: int = 0
    scale_bytes: int = 2
    zero_bits: int = 0
    square: bool = False
    extra: int = 0

    @property
    def family(self) -> str:
        """The number format without its grouping: int4, fp8, mxfp4."""
        return self.name.split()[0].rstrip(",")

    def bytes_of(self, tensor: Tensor) -> int:
        """Bytes of all `tensor.copies` matrices in this scheme."""
        rows, columns = tensor.rows, tensor.columns
        packed = -(-rows * columns * self.bits // 8)
        if self.square:
            scales = -(-rows // self.group) * -(-columns // self.group)
        else:
            scales = rows * (-(-columns // self.group) if self.group else 1)
        zeros = -(-scales * self.zero_bits // 8)
        return tensor.copies * (packed + scales * self.scale_bytes + zeros + self.extra)


FP8_BLOCK = Scheme("fp8 block 128x128", 8, group=BLOCK, scale_bytes=4, square=True)
FP8_CHANNEL = Scheme("fp8 per channel", 8, scale_bytes=4)
MXFP4 = Scheme("mxfp4", 4, group=32, scale_bytes=1)
NVFP4 = Scheme("nvfp4", 4, group=16, scale_bytes=1, extra=4)


def packed(bits: int, group: int, *, symmetric: bool = True) -> Scheme:
    """weight_packed, a bf16 weight_scale per group, and weight_shape as two int32, as Kimi K2's shards hold them."""
    name = f"int{bits} packed, group {group or 'channel'}"
    return Scheme(name, bits, group=group, scale_bytes=2, zero_bits=0 if symmetric else bits, extra=8)


def gptq(bits: int, group: int) -> Scheme:
    """qweight, float16 scales and qzeros per group, as GPTQ and AWQ store them; group -1 is one per row."""
    if bits not in (4, 8):
        raise UnsupportedConfig(f"{bits}-bit GPTQ or AWQ is not known here")
    return Scheme(f"int{bits}, group {group}", bits, group=max(group, 0), scale_bytes=2, zero_bits=bits)
