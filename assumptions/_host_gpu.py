"""Which GPU a name is, and what its board should have."""

from __future__ import annotations

import re

from inventories.figures import Gpu as CatalogGpu
from tasks.facts.gpu import Gpu

OTHER_MODELS = r"(?! ?(?:D|Ti|SUPER|Laptop|Max-Q)\b)"  # suffixes that make another model of the same number
# Boards whose GPUs are all joined by NVLink through switches; PCIe and NVL cards have bridges between some, or none.
_ALL_TO_ALL = re.compile(r"SXM|HBM3\b|NVIDIA (H200|B200|B300|GB200|GB300|H20|H800|A800-SXM\S*)$")
MEMORY_TOLERANCE = 0.07  # GDDR6 with ECC gives up 1/16; the sizes on offer differ by more (assumed)


def model_words(card: CatalogGpu) -> str:
    """The catalog's title without maker and memory: "NVIDIA A100 80 GB" -> "A100"."""
    return re.sub(r" \d+ GB$", "", re.sub(r"^NVIDIA (GeForce )?", "", card.title))


def is_model(card: CatalogGpu, name: str) -> bool:
    """Whether the driver's `name` is that card; memory tells the sizes apart."""
    return re.search(rf"\b{re.escape(model_words(card))}\b{OTHER_MODELS}", name) is not None


def memory_fits(card: CatalogGpu, gpu: Gpu) -> bool | None:
    """Whether its memory is the ordered one's; None where the driver does not tell."""
    if gpu.memory_mib.value is None:
        return None
    ordered = card.memory_gib.value * 1024
    return abs(gpu.memory_mib.value - ordered) <= MEMORY_TOLERANCE * ordered


def joined_by_switches(name: str) -> bool:
    """Whether a board of this name has NVLink from every GPU to every other."""
    return _ALL_TO_ALL.search(name) is not None
