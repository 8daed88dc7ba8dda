"""`beachhead fit`: one memory question answered from configuration alone, as the object that is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from assumptions._memory_question import arguments, card, unsupported_engine
from assumptions.formulas.kv import kv_bytes_of_layers
from assumptions.formulas.memory import (
    Fit,
    Stored,
    UnsupportedConfig,
    checkpoint_bytes,
    differences,
    draft_of,
    fit,
    read,
    stored_in,
)
from assumptions.formulas.quantization import quantization
from assumptions.formulas.weights import check_split, stages
from flows.fit_inputs import Tensors
from inventories.errors import BadInput
from inventories.figures import Gpu, gpus, model
from inventories.schema import Inventory

GIB = 2**30
SPARE_GIB = 10.0  # huggingface_hub fetches a broken-off shard anew beside the old part
NEWEST = "0.33.0"
AGREES = 0.01  # share within which a told checkpoint size and the arithmetic say the same
OPTIONS = "the options of this question"


def named_card(name: str) -> Gpu | None:
    """The catalog's card of that name: its id, or a name that begins with one (H200-141GB)."""
    wanted = name.lower()
    found = [each for key, each in gpus().items() if wanted == key or wanted.startswith(key + "-")]
    return max(found, key=lambda each: len(each.id), default=None)


def answer(
    config: Mapping[str, Any],
    *,
    gpu: str,
    memory_gib: float | None,
    told_bytes: int | None = None,
    tensors: Tensors | None = None,
    draft: Mapping[str, Any] | None = None,
    **ask: Any,
) -> dict[str, Any]:
    """The object that is printed.  GiB per GPU; bytes per token on each rank; null where nothing can be said."""
    known = named_card(gpu)
    if memory_gib is None and known is None:
        raise BadInput(
            f"GPU {gpu[:60]!r} is not in the catalog",
            where="--gpu",
            fix=f"one of {', '.join(sorted(gpus()))}, or --gpu-memory-gib",
        )
    ask["compute_capability"] = known.compute_capability.value if known and known.compute_capability else None
    ask["gpu_memory_gib"] = memory_gib if memory_gib is not None else known.memory_gib.value if known else 0.0
    size = told_bytes if told_bytes is not None else tensors.file_bytes if tensors else None
    try:
        ask["checkpoint_gib"] = None if size is None else size / GIB
        ask["draft"] = None if draft is None else draft_of(draft)
        found = fit(config, **ask)
        stored = _told(config, tensors, ask)
        if stored is not None:
            found = fit(config, stored=stored, **ask)
    except UnsupportedConfig as error:
        raise BadInput(str(error), where=OPTIONS, fix="see beachhead fit --help") from None
    return shown(found, known, _disagreements(config, stored, ask))


def _told(config: Mapping[str, Any], tensors: Tensors | None, ask: Mapping[str, Any]) -> Stored | None:
    """What the headers hold; raises where an option is at fault rather than the model."""
    try:
        arch = read(config)
    except UnsupportedConfig:
        return None  # fit says why
    check_split(arch, tp=ask["tp"], dp=ask["dp"], ep=ask["ep"])
    stages(arch, ask["pp"])
    named = ask["kv_dtype"] if ask["kv_dtype"] != "auto" else "bf16"
    kv_bytes_of_layers(arch, 1, tp=ask["tp"], dcp=ask["dcp"], kv_dtype=named)
    if ask["weight_quant"] is not None:
        quantization(arch.quantization if _readable(arch.quantization) else None, ask["weight_quant"])
    return stored_in(tensors.sizes, arch) if tensors is not None and tensors.sizes else None


def _readable(declared: Mapping[str, Any] | None) -> bool:
    try:
        quantization(declared)
    except UnsupportedConfig:
        return False
    return True


def _disagreements(config: Mapping[str, Any], stored: Stored | None, ask: Mapping[str, Any]) -> tuple[str, ...]:
    """Where what was told about the files and config.json's arithmetic are more than 1 % apart."""
    try:
        arch = read(config)
        if stored is not None:
            return differences(stored, arch, ask["weight_quant"])
        size = ask["checkpoint_gib"]
        known = None if size is None else checkpoint_bytes(arch, ask["weight_quant"]) / GIB
    except UnsupportedConfig:
        return ()
    if known is None or size is None or abs(size - known) <= AGREES * max(size, known):
        return ()
    return (f"the checkpoint was told to have {size:.2f} GiB; config.json's arithmetic gives {known:.2f}",)


def shown(found: Fit, known: Gpu | None, more: tuple[str, ...] = ()) -> dict[str, Any]:
    """A Fit as the object that is printed; host RAM is the peak to plan for, the upper end of its range."""
    told = asdict(found)
    for name in ("unmeasured", "notes", "pinned_gib", "checkpoint_gib"):
        told.pop(name)
    told["reasons"] = [
        *found.reasons,
        *(f"no measured run backs this: {each}" for each in found.unmeasured),
        *more,
        *found.notes,
    ]
    told["sources"] = [*found.sources, *([f"{known.title}: {known.memory_gib.source}"] if known else [])]
    told["host_ram_gib"] = None if found.host_ram_gib is None else round(found.host_ram_gib.high, 2)
    told["disk_gib"] = None if found.checkpoint_gib is None else round(found.checkpoint_gib + SPARE_GIB, 2)
    told["budget_table"] = [row._asdict() for row in found.budget_table]
    return told


def of_inventory(inventory: Inventory) -> dict[str, Any]:
    """The same object for an inventory: its GPUs, split, context, requests and engine options."""
    config = model(inventory.model.catalog).read_config()
    if (why := unsupported_engine(inventory)) is not None:
        return shown(Fit("unsupported", 0.0, reasons=(f"Not answered: {why}.",)), card(inventory)) | {
            "budget_gib": None
        }
    size = model(inventory.model.catalog).checkpoint_bytes.value / GIB
    try:
        found = fit(config, checkpoint_gib=size, **arguments(inventory, config))
    except UnsupportedConfig as error:
        raise BadInput(
            str(error), where=f"inventory {inventory.name}: engine", fix="mend engine.options or the split"
        ) from None
    return shown(found, card(inventory))
