"""llama-server's command line, each flag with its reason; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from inventories.schema import Inventory
from tasks.engine_parts.llamacpp_options import Options
from tasks.engine_parts.placement import listen_address, listen_reason
from tasks.engine_parts.recipes import thinking
from tasks.engines.base import PORT, Flag

UNNAMED = "FILE.gguf"  # at PLAN, where options.file may still be missing


def flags(inventory: Inventory, chosen: Options, model_dir: str, cores: int) -> Iterator[Flag]:
    """All of them, in the order in which they are shown."""
    serving = inventory.serving
    slots = serving.concurrent_requests
    yield Flag(("--model", f"{model_dir}/{chosen.file or UNNAMED}"), "the file, or its first part: the rest is found")
    yield Flag(("--alias", inventory.model.catalog), "the name that clients and claims send")
    yield Flag(("--host", listen_address(inventory), "--port", PORT), listen_reason(inventory))
    whole = "llama.cpp divides --ctx-size by --parallel: each slot gets the declared context"
    yield Flag(("--ctx-size", str(serving.context_tokens * slots), "--parallel", str(slots)), whole)
    yield Flag(("--fit", "off"), "what doesn't fit must fail at start, not be made smaller")
    yield Flag(("--jinja", "--reasoning-format", "deepseek"), "the file's own chat template; thinking split off")
    if switch := thinking(inventory, chosen.thinking):
        words = ("--chat-template-kwargs", json.dumps({switch[0]: switch[1]}))
        yield Flag(words, "whether the model thinks where a request doesn't say")
    yield Flag(("--metrics",), "off otherwise")
    yield Flag(("--no-slots", "--no-webui"), "no route that shows prompts, no page that nobody asked for")
    yield Flag(("--offline",), "nothing is fetched: the checkpoint was checked by digest")
    yield from _memory(chosen, cores)


def _memory(chosen: Options, cores: int) -> Iterator[Flag]:
    yield Flag(("--threads", str(chosen.threads or max(1, cores))), "the cores that the inventory declares")
    if chosen.gpu_layers is not None:
        yield Flag(("--gpu-layers", str(chosen.gpu_layers)), "layers in GPU memory, on a Mac in the unified memory")
    if chosen.cpu_moe_layers:
        words = ("--n-cpu-moe", str(chosen.cpu_moe_layers))
        yield Flag(words, "experts of these layers stay in host RAM: a token needs few of them")
    if chosen.cache_type != "f16":
        words = ("--cache-type-k", chosen.cache_type)
        yield Flag(words, "the KV cache's numbers; MLA keeps one latent, so there is no V of its own")
    if chosen.flash_attention != "auto":
        yield Flag(("--flash-attn", chosen.flash_attention), "as the inventory says")
    if chosen.load_mode != "auto":
        yield Flag(("--load-mode", chosen.load_mode), "mlock keeps it in RAM; without mmap it is read in one go")
    if chosen.batch_tokens is not None:
        yield Flag(("--batch-size", str(chosen.batch_tokens)), "tokens of a prompt in one step")
