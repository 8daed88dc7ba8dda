"""How long a start may take: what the inventory declares, or bytes by disk speed plus warm-up, times a margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inventories.figures import model
from inventories.schema import Inventory
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.disk_read import DiskReadFact, FioReadFact
from tasks.facts.largest_file import LargestFileFact
from tasks.hosts import Host, HostError

MARGIN = 2.0  # stated in advance: a start that takes twice as long as reckoned is still waited for
LEAST_S = 120.0  # a smaller checkpoint has imports and a first request too
# vLLM read 595 GB in 330 s from local NVMe (8x H100, 0.15.0): a disk that is faster than that is not used faster.
LOADER_BYTES_PER_S = 1.80e9
# 595 GB in 944 s (8x H200, a cloud's volume): the slower of the two public loads that are known.
ASSUMED_BYTES_PER_S = 0.63e9
READ_MIB, FIO_SECONDS, LONGEST_S = 256, 3, 20

Provenance = Literal["declared", "measured here", "modelled", "assumed"]


@dataclass(frozen=True, slots=True)
class StartBudget:
    """Seconds from start to the first real completion, and what they are made of.

    `read_s` and `warm_up_s` are without the margin; None where the budget was not reckoned.  `assumed` means that the
    disk's speed was not measured; `modelled` that it was, and the warm-up was seen elsewhere.
    """

    seconds: float
    read_s: float | None
    warm_up_s: float | None
    margin: float
    why: str
    provenance: Provenance


def start_budget(
    inventory: Inventory, disk_bytes_per_s: float | None = None, *, last_start_s: float | None = None
) -> StartBudget:
    """The declared budget; else of an earlier start of the same weights here; else reckoned from bytes and disk.

    ValueError for a rate or time that isn't positive.
    """
    for given in (disk_bytes_per_s, last_start_s):
        if given is not None and not given > 0:
            raise ValueError(f"a rate or a time must be positive: {given}")
    declared = inventory.serving.start_budget_s
    if declared is not None:
        return StartBudget(declared, None, None, 1.0, "serving.start_budget_s of the inventory", "declared")
    if last_start_s is not None:
        seconds = max(LEAST_S, last_start_s * MARGIN)
        why = f"the last start here took {last_start_s:.0f} s; x {MARGIN:g}, at least {LEAST_S:.0f} s"
        return StartBudget(seconds, None, None, MARGIN, why, "measured here")
    return _reckoned(inventory, disk_bytes_per_s)


def _reckoned(inventory: Inventory, disk_bytes_per_s: float | None) -> StartBudget:
    size = model(inventory.model.catalog).checkpoint_bytes
    rate = min(disk_bytes_per_s or ASSUMED_BYTES_PER_S, LOADER_BYTES_PER_S)
    read_s, warm_up = size.value / rate, engine(inventory.engine.kind).warm_up(inventory)
    seconds = max(LEAST_S, (read_s + warm_up.seconds) * MARGIN)
    if disk_bytes_per_s is None:
        how = f"{rate / 1e9:.2f} GB/s, assumed: the slower of two public loads of Kimi"
    elif disk_bytes_per_s > LOADER_BYTES_PER_S:
        how = f"{rate / 1e9:.2f} GB/s, the fastest load known; the disk gives {disk_bytes_per_s / 1e9:.2f}"
    else:
        how = f"{rate / 1e9:.2f} GB/s, measured on the host"
    why = (
        f"({size.value / 1e9:.1f} GB ({size.basis}) at {how} = {read_s:.0f} s, plus {warm_up.seconds:.0f} s of warm-up "
        f"({warm_up.source})) x {MARGIN:g}, at least {LEAST_S:.0f} s"
    )
    kind: Provenance = "assumed" if disk_bytes_per_s is None else "modelled"
    return StartBudget(seconds, read_s, warm_up.seconds, MARGIN, why, kind)


def disk_speed(host: Host, folder: str) -> float | None:
    """Bytes a second that the disk below `folder` is read with, past the cache; None where that can't be measured.

    A single reader's rate where fio is missing, which is a floor: the budget then errs to the long side.
    """
    try:
        found = look(host, LargestFileFact(folder, 64))
        if found is None:
            return None
        try:
            return look(host, FioReadFact(found.path, FIO_SECONDS), timeout=LONGEST_S).bytes_per_second
        except HostError:
            mib = min(READ_MIB, found.size_bytes >> 20)
            return look(host, DiskReadFact(found.path, mib), timeout=LONGEST_S).bytes_per_second
    except HostError:
        return None
