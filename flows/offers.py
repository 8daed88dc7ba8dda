"""From the catalog and an inventory to what the search chooses among."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from assumptions.formulas.knobs import Knobs
from assumptions.formulas.memory import Architecture, Range, UnsupportedConfig, read
from assumptions.formulas.offers import Checkpoint, Offer, Run, Want
from inventories.figures import ModelCard, gpu, model, models
from inventories.machines import Machine, Span, machines
from inventories.schema import Inventory

NEWEST_VLLM = "0.33.0"  # asked where the inventory's engine is another
GGUF = "GGUF"  # how a quantisation begins that llama.cpp serves


def want_of(inventory: Inventory) -> Want:
    """What the inventory promises to serve.  A tower counts whole on each rank unless its options say otherwise."""
    options = inventory.engine.options
    tower = bool(model(inventory.model.catalog).read_config().get("vision_config"))
    mode = str(options.get("mm_encoder_tp_mode") or "data")
    return Want(
        context_tokens=inventory.serving.context_tokens,
        concurrent_requests=inventory.serving.concurrent_requests,
        vllm=inventory.engine.version if inventory.engine.kind == "vllm" else NEWEST_VLLM,
        mm_encoder=mode if tower and not options.get("language_model_only") else "none",
    )


def knobs_of(inventory: Inventory) -> Knobs:
    """The inventory's own settings; its options must have been checked by the engine."""
    options = inventory.engine.options
    return Knobs(
        tp=inventory.engine.tensor_parallel,
        pp=inventory.engine.pipeline_parallel,
        dcp=options.get("decode_context_parallel", 1),
        kv_dtype=options.get("kv_cache_dtype", "auto"),
        utilization=options.get("gpu_memory_utilization"),
        max_num_seqs=options.get("max_num_seqs"),
        max_num_batched_tokens=options.get("max_num_batched_tokens"),
        cpu_offload_gib=options.get("cpu_offload_gib", 0.0),
    )


def checkpoints(id: str) -> Sequence[Checkpoint]:
    """The declared checkpoint, then the catalog's others that were made from the same config.json."""
    own = model(id)
    return tuple(map(_checkpoint, (own, *(c for c in models().values() if c.config == own.config and c.id != id))))


def _checkpoint(card: ModelCard) -> Checkpoint:
    gguf = card.quantisation.startswith(GGUF)
    return Checkpoint(
        id=card.id,
        title=card.title,
        arch=None if gguf else _architecture(card.id),
        file_bytes=int(card.checkpoint_bytes.value),
        engine="llamacpp" if gguf else "vllm",
        lossy=card.quantisation if "lossy" in card.quantisation else "",
    )


@cache
def _architecture(id: str) -> Architecture | None:
    try:
        return read(model(id).read_config())
    except UnsupportedConfig:
        return None


def declared_offer(inventory: Inventory) -> Offer | None:
    """The hosts at hand, with price and public logs of the catalog's like machine; None where the hosts differ."""
    kinds = {(host.gpu, host.gpus) for host in inventory.hosts}
    kind, _ = next(iter(kinds))
    if len(kinds) != 1 or kind is None:
        return None
    cards, hosts = sum(host.gpus for host in inventory.hosts), len(inventory.hosts)
    like = next((m for m in machines().values() if (m.gpu, m.gpus, m.hosts) == (kind, cards, hosts)), None)
    plain = like or Machine(id=inventory.name, title=inventory.title, gpu=kind, gpus=cards, hosts=hosts)
    ram = sum(host.ram_gib for host in inventory.hosts)
    named = plain.model_copy(update={"id": inventory.name, "title": inventory.title})
    return offer_of(named, ram_gib=ram)


def offer_of(machine: Machine, ram_gib: float | None = None) -> Offer:
    """A machine of the catalog with its card's figures; `ram_gib` is of all hosts together."""
    card = gpu(machine.gpu)
    return Offer(
        id=machine.id,
        title=machine.title,
        gpu=machine.gpu,
        memory_gib=card.memory_gib.value,
        compute_capability=card.compute_capability.value if card.compute_capability else None,
        gpus=machine.gpus,
        hosts=machine.hosts,
        engine=machine.engine,
        ram_gib=ram_gib,
        hardware_usd=_range(machine.hardware_usd),
        price_basis=machine.hardware_usd.basis if machine.hardware_usd else "no price found",
        rent_usd_per_gpu_hour=_range(machine.rent_usd_per_gpu_hour),
        runs=tuple(
            Run(
                arch=arch,
                tp=run.tp,
                pp=run.pp,
                dcp=run.dcp,
                kv_dtype=run.kv_dtype,
                kv_tokens=run.kv_tokens,
                vllm=run.vllm,
                approximate=run.approximate,
            )
            for run in machine.runs
            if (arch := _architecture(run.model)) is not None
        ),
    )


def _range(span: Span | None) -> Range | None:
    return None if span is None else Range(span.low, span.mid, span.high)
