"""vLLM's command line behind the program, each flag with its reason; pure, so no host and no lock is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from inventories.schema import Inventory
from tasks.engine_parts.placement import listen_address, listen_reason
from tasks.engine_parts.recipes import card, own_code, thinking
from tasks.engine_parts.vllm_options import Options
from tasks.engines.base import PORT, Flag


def flags(inventory: Inventory, chosen: Options, program: str, model_dir: str) -> Iterator[Flag]:
    """All of them, in the order in which they are shown."""
    yield from _server(program, model_dir)
    yield Flag(("--served-model-name", inventory.model.catalog), "a name instead of the guide's /models path")
    yield Flag(("--host", listen_address(inventory), "--port", PORT), listen_reason(inventory))
    yield Flag(("--max-model-len", str(inventory.serving.context_tokens)), "the context that the inventory declares")
    yield from _answers(inventory, chosen)
    yield from _device(inventory, chosen)
    yield from _split(inventory, chosen)
    yield from _vision(chosen)
    yield from _memory(chosen)
    if code := own_code(inventory, chosen.trust_remote_code):
        pinned = "as in vLLM's own recipe; pinned by the model's commit and checked by digest"
        yield Flag(("--trust-remote-code",), f"code of the checkpoint: {code}; {pinned}")


def _server(program: str, model_dir: str) -> Iterator[Flag]:
    """`vllm serve DIR` in an image; in our own environment its Python's module, which needs no console script."""
    checked = "the folder whose every digest was checked"
    if PurePosixPath(program).name == "vllm":
        yield Flag(("serve", model_dir), f"the OpenAI-compatible server; {checked}")
    else:
        yield Flag(("-m", "vllm.entrypoints.openai.api_server"), "the OpenAI-compatible server")
        yield Flag(("--model", model_dir), checked)


def _answers(inventory: Inventory, chosen: Options) -> Iterator[Flag]:
    known = card(inventory)
    if parser := chosen.reasoning_parser or known.reasoning_parser:
        yield Flag(("--reasoning-parser", parser), "splits the thinking off, and lets a budget be set")
    if tools := chosen.tool_call_parser or known.tool_call_parser:
        yield Flag(("--enable-auto-tool-choice", "--tool-call-parser", tools), "tool calls")
    if switch := thinking(inventory, chosen.thinking):
        words = ("--default-chat-template-kwargs", json.dumps({switch[0]: switch[1]}))
        yield Flag(words, "whether the model thinks where a request's chat_template_kwargs don't say")
    yield Flag(("--enable-prompt-tokens-details",), "usage shows how many tokens the prefix cache gave")


def _eager(inventory: Inventory) -> Flag:
    """A stage in another process needs room for the other's tensors, and --enforce-eager makes none on a CPU.

    The first request then kills the engine (vLLM 0.32, gpu_model_runner.py: "assert self.intermediate_tensors").
    """
    if inventory.engine.pipeline_parallel > 1:
        return Flag(
            ("--compilation-config", '{"mode":2,"backend":"eager"}'),
            "a CPU needs a C++ compiler at start otherwise; --enforce-eager dies of several stages",
        )
    return Flag(("--enforce-eager",), "a CPU needs a C++ compiler at start otherwise")


def _device(inventory: Inventory, chosen: Options) -> Iterator[Flag]:
    if chosen.device == "cpu":
        yield _eager(inventory)
        yield Flag(("--gpu-memory-utilization", "0.1"), "on a CPU: what must be free at start beside the KV cache")
        return
    if chosen.enforce_eager:
        yield Flag(("--enforce-eager",), "no CUDA graphs: on 80 GB cards their capture ran out of memory")
    if chosen.gpu_memory_utilization is not None:
        yield Flag(("--gpu-memory-utilization", str(chosen.gpu_memory_utilization)), "as the inventory says")


def _split(inventory: Inventory, chosen: Options) -> Iterator[Flag]:
    if inventory.engine.tensor_parallel > 1:
        yield Flag(("--tensor-parallel-size", str(inventory.engine.tensor_parallel)), "ranks inside one host")
    if inventory.engine.pipeline_parallel > 1:
        yield Flag(("--pipeline-parallel-size", str(inventory.engine.pipeline_parallel)), "stages across hosts")
    if chosen.decode_context_parallel > 1:
        yield Flag(("--decode-context-parallel-size", str(chosen.decode_context_parallel)), "shards MLA's KV by token")
    if chosen.enable_expert_parallel:
        yield Flag(("--enable-expert-parallel",), "whole experts on each rank: no slice of an expert to reduce")


def _vision(chosen: Options) -> Iterator[Flag]:
    if chosen.language_model_only:
        yield Flag(("--language-model-only",), "the vision tower's memory goes to the KV cache")
    if chosen.mm_encoder_tp_mode == "data":
        yield Flag(("--mm-encoder-tp-mode", "data"), "the vision tower whole on each rank: no reduction for images")
    elif chosen.mm_encoder_tp_mode == "weights":
        yield Flag(("--mm-encoder-tp-mode", "weights"), "the vision tower divided over the ranks")
    if chosen.images_per_request is not None:
        words = ("--limit-mm-per-prompt", json.dumps({"image": chosen.images_per_request}))
        yield Flag(words, "bounds the memory that one request's images take at warm-up and later")


def _memory(chosen: Options) -> Iterator[Flag]:
    if chosen.kv_cache_dtype != "auto":
        yield Flag(("--kv-cache-dtype", chosen.kv_cache_dtype), "the numbers that the KV cache is kept in")
    if chosen.cpu_offload_gib:
        words = ("--cpu-offload-gb", f"{chosen.cpu_offload_gib:g}")
        yield Flag(words, "GiB of weights per GPU in host RAM; they cross the bus in each pass")
    if chosen.max_num_seqs is not None:
        yield Flag(("--max-num-seqs", str(chosen.max_num_seqs)), "fewer requests at once: less warm-up memory")
    if chosen.max_num_batched_tokens is not None:
        words = ("--max-num-batched-tokens", str(chosen.max_num_batched_tokens))
        yield Flag(words, "tokens in one step: bounds a forward pass's activations")
