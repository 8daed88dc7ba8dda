"""What a checkpoint stores, layer by layer, summed by what tensor parallelism does with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.quantization import quantization
from assumptions.formulas.shapes import UnsupportedConfig
from assumptions.formulas.tensors import (
    BF16,
    Tensor,
    draft_tensors,
    first_tensors,
    last_tensors,
    layer_tensors,
)


class Lot(NamedTuple):
    """`times` tensors alike, of `size` bytes each; one may stand for `copies` experts together.

    `split`: "tp" is divided, "kv" divided down to one key/value head, "expert" over every rank that shares experts,
    "whole" left whole on each rank.
    """

    split: str
    size: int
    copies: int
    times: int


Part = tuple[Lot, ...]


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity, which costs a cache nothing
class Stored:
    """Every weight of one checkpoint: what stands before the layers, each layer, and what stands after the last.

    `tied` is what the last pipeline stage holds a second time.  `vision_bytes` is None where there is a tower of
    unknown size.  `draft_bytes` lie on disk and are not loaded for ordinary serving.
    """

    first: Part
    layers: tuple[Part, ...]
    last: Part
    tied: Part
    vision_bytes: int | None
    draft_bytes: int

    @property
    def text_bytes(self) -> int:
        """The decoder, without draft layers and vision tower."""
        return _text_bytes(self)

    @property
    def total_bytes(self) -> int:
        """Every tensor of the checkpoint; UnsupportedConfig where the vision tower's size is not known."""
        if self.vision_bytes is None:
            raise UnsupportedConfig("the size of this model's vision tower is not known here")
        return self.text_bytes + self.draft_bytes + self.vision_bytes


@lru_cache(maxsize=64)
def _text_bytes(stored: Stored) -> int:
    return sum(bytes_of(part) for part in (stored.first, *stored.layers, stored.last))


def bytes_of(part: Part) -> int:
    """Bytes of the whole part, in one copy."""
    return sum(lot.size * lot.times for lot in part)


def stored_by(arch: Architecture, weight_quant: str | None = None) -> Stored:
    """What `arch` stores by its own config.json, or by the number format that `weight_quant` names instead."""
    if weight_quant is not None and not isinstance(weight_quant, str):
        raise UnsupportedConfig("weight_quant is not a text")
    return _stored_by(arch, weight_quant)


@lru_cache(maxsize=64)
def _stored_by(arch: Architecture, weight_quant: str | None) -> Stored:
    scheme = quantization(arch.quantization, weight_quant, arch.name)

    def part(tensors: Iterable[Tensor]) -> Part:
        return gathered((tensor.split, scheme.bytes_of(tensor), tensor.copies) for tensor in tensors)

    return Stored(
        first=part(first_tensors(arch)),
        layers=tuple(part(layer_tensors(arch, layer)) for layer in range(arch.layers)),
        last=part(last_tensors(arch)),
        tied=part(first_tensors(arch)) if arch.tied else (),
        vision_bytes=None if arch.vision_params is None else arch.vision_params * BF16,
        draft_bytes=sum(map(scheme.bytes_of, draft_tensors(arch))),
    )


def gathered(tensors: Iterable[tuple[str, int, int]]) -> Part:
    """(split, bytes, copies) of each tensor, with those that are alike counted."""
    return tuple(Lot(*alike, times) for alike, times in Counter(tensors).items())


def of_stage(stored: Stored, layers: range) -> Iterator[Part]:
    """The parts that one pipeline stage loads; a tied head needs the embedding on the last stage too."""
    if layers.start == 0:
        yield stored.first
    yield from stored.layers[layers.start : layers.stop]
    if layers.stop == len(stored.layers):
        yield stored.last
        if layers.start:
            yield stored.tied
