"""SGLang's command line behind the program, each flag with its reason; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from inventories.schema import Inventory
from tasks.engine_parts.placement import listen_address, listen_reason
from tasks.engine_parts.recipes import card, own_code, thinking
from tasks.engine_parts.sglang_options import Options
from tasks.engines.base import PORT, Flag
from tasks.facts.base import REMOTE


def flags(inventory: Inventory, chosen: Options, model_dir: str) -> Iterator[Flag]:
    """All of them, in the order in which they are shown."""
    code = (REMOTE / "sglang_server.py").read_text(encoding="utf-8")
    yield Flag(("-c", code), "SGLang takes its key from the command line alone: this gives it from the environment")
    yield Flag(("--model-path", model_dir), "the folder whose every digest was checked")
    yield Flag(("--served-model-name", inventory.model.catalog), "the name that clients and claims send")
    yield Flag(("--host", listen_address(inventory), "--port", PORT), listen_reason(inventory))
    yield Flag(("--context-length", str(inventory.serving.context_tokens)), "the context that the inventory declares")
    yield Flag(("--enable-metrics",), "off otherwise")
    yield Flag(("--enable-cache-report",), "usage shows how many tokens the prefix cache gave")
    yield from _answers(inventory, chosen)
    yield from _split(inventory, chosen)
    yield from _memory(chosen)
    if module := own_code(inventory, chosen.trust_remote_code):
        pinned = "as in the cookbook's own recipe; pinned by the model's commit and checked by digest"
        yield Flag(("--trust-remote-code",), f"code of the checkpoint: {module}; {pinned}")


def _answers(inventory: Inventory, chosen: Options) -> Iterator[Flag]:
    known = card(inventory)
    if parser := chosen.reasoning_parser or known.reasoning_parser:
        yield Flag(("--reasoning-parser", parser), "splits the thinking off")
    if tools := chosen.tool_call_parser or known.tool_call_parser:
        yield Flag(("--tool-call-parser", tools), "tool calls")
    if switch := thinking(inventory, chosen.thinking):
        words = ("--default-chat-template-kwargs", json.dumps({switch[0]: switch[1]}))
        yield Flag(words, "whether the model thinks where a request's chat_template_kwargs don't say")


def _split(inventory: Inventory, chosen: Options) -> Iterator[Flag]:
    if inventory.engine.tensor_parallel > 1:
        yield Flag(("--tp-size", str(inventory.engine.tensor_parallel)), "ranks inside one host")
    if inventory.engine.pipeline_parallel > 1:
        yield Flag(("--pp-size", str(inventory.engine.pipeline_parallel)), "stages across hosts")
    if chosen.expert_parallel > 1:
        yield Flag(("--ep-size", str(chosen.expert_parallel)), "whole experts on each rank: no slice to reduce")


def _memory(chosen: Options) -> Iterator[Flag]:
    if chosen.mem_fraction_static is not None:
        words = ("--mem-fraction-static", str(chosen.mem_fraction_static))
        yield Flag(words, "share of the GPU for weights and KV cache, as the inventory says")
    if chosen.language_model_only:
        yield Flag(("--language-model-only",), "the vision tower's memory goes to the KV cache")
    if chosen.mm_enable_dp_encoder:
        yield Flag(("--mm-enable-dp-encoder",), "the vision tower whole on each rank: no reduction for images")
    if chosen.kv_cache_dtype != "auto":
        yield Flag(("--kv-cache-dtype", chosen.kv_cache_dtype), "the numbers that the KV cache is kept in")
    if chosen.max_running_requests is not None:
        words = ("--max-running-requests", str(chosen.max_running_requests))
        yield Flag(words, "fewer requests at once: less memory for graphs")
    if chosen.chunked_prefill_size is not None:
        words = ("--chunked-prefill-size", str(chosen.chunked_prefill_size))
        yield Flag(words, "tokens in one step: bounds a forward pass's activations")
    if chosen.cpu_offload_gib:
        words = ("--cpu-offload-gb", str(chosen.cpu_offload_gib))
        yield Flag(words, "GiB of weights per GPU in host RAM; they cross the bus in each pass")
