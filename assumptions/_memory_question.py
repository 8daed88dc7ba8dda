"""The memory question that an inventory asks: one place for the claim, the plan and the search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventories.figures import Gpu, gpu
from inventories.schema import Inventory

PASSED_ON = ("cpu_offload_gib", "max_num_seqs", "max_num_batched_tokens")  # options named alike in both places


def card(inventory: Inventory) -> Gpu | None:
    """The declared GPU; of several kinds the one with the least memory, which limits all.  None without a GPU."""
    declared = [gpu(host.gpu) for host in inventory.hosts if host.gpu]
    return min(declared, key=lambda each: each.memory_gib.value, default=None)


def unsupported_engine(inventory: Inventory) -> str | None:
    """Why there is no memory model for this engine on these machines; None where there is one."""
    kind = inventory.engine.kind
    if kind != "vllm":
        return f"there is no memory model for the {kind} engine yet, and nothing was measured"
    if card(inventory) is None:
        return "no GPU is declared: on a CPU the KV cache is as large as engine.options.kv_cache_gib says"
    return None


def split(inventory: Inventory) -> tuple[int, int, int]:
    """Ranks by tensor, pipeline and decode context."""
    engine = inventory.engine
    return engine.tensor_parallel, engine.pipeline_parallel, engine.options.get("decode_context_parallel") or 1


def kv_dtype(inventory: Inventory) -> str:
    """The number format of the KV cache, as the engine's option names it."""
    return str(inventory.engine.options.get("kv_cache_dtype") or "auto")


def arguments(inventory: Inventory, config: Mapping[str, Any]) -> dict[str, Any]:
    """What to ask `formulas.memory.fit` of the declared GPUs, but for `config` itself."""
    known, options, engine = card(inventory), inventory.engine.options, inventory.engine
    tp, pp, dcp = split(inventory)
    return {
        "gpu_memory_gib": known.memory_gib.value if known else 0.0,
        "compute_capability": known.compute_capability.value if known and known.compute_capability else None,
        "gpus": sum(host.gpus for host in inventory.hosts),
        "hosts": sum(1 for host in inventory.hosts if host.gpus) or 1,
        "tp": tp,
        "pp": pp,
        "dcp": dcp,
        "ep": bool(options.get("enable_expert_parallel")),
        "utilization": options.get("gpu_memory_utilization"),
        "context_tokens": inventory.serving.context_tokens,
        "concurrent_requests": inventory.serving.concurrent_requests,
        "kv_dtype": kv_dtype(inventory),
        "vllm": engine.version,
        "mm_encoder": tower(config, options),
        **{name: options[name] for name in PASSED_ON if options.get(name) is not None},
    }


def tower(config: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """A vision tower counts whole on each rank, unless it is left out or divided by `mm_encoder_tp_mode: weights`."""
    if not config.get("vision_config") or options.get("language_model_only"):
        return "none"
    return str(options.get("mm_encoder_tp_mode") or "data")
