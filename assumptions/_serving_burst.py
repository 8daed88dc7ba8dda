"""As many requests at once as the engine takes, the promised full contexts among them, with GPU memory watched."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass

from inventories.schema import Inventory
from serving.client import Client, NoAnswer
from tasks.facts.gpu_memory import GpuMemory

MOST_AT_ONCE = 256  # vLLM's default max_num_seqs on a GPU of 70 GiB or more is 1024; more threads tell nothing more
TOKENS = 16
LOOK_S = 2.0  # between two looks at the GPUs
SLOWEST = 400.0  # tokens a second of prefill below which it is given up, as in context-256k


@dataclass(frozen=True, slots=True)
class Burst:
    """How many requests were sent at once, how many were answered in full, the others' words, the fullest moments."""

    sent: int
    answered: int
    failures: tuple[str, ...]
    looks: tuple[tuple[GpuMemory, ...], ...]


def burst(client: Client, inventory: Inventory, look: Callable[[], tuple[GpuMemory, ...]]) -> Burst:
    """The promised number of full windows, and short requests up to max_num_seqs, all at the same time."""
    serving = inventory.serving
    full = serving.concurrent_requests
    at_once = max(full, min(MOST_AT_ONCE, int(inventory.engine.options.get("max_num_seqs") or MOST_AT_ONCE)))
    ids = _ids(client)
    lengths = [serving.context_tokens - TOKENS] * full + [TOKENS] * (at_once - full)
    most = 120 + full * serving.context_tokens / SLOWEST * (1 + serving.context_tokens / 65_536)
    with ThreadPoolExecutor(at_once) as pool:
        asked = [pool.submit(copy_context().run, _ask, client, ids, length, most) for length in lengths]
        looks = _watch(asked, look)
        said = [each.result() for each in asked]
    failures = tuple(dict.fromkeys(each for each in said if each))[:5]
    return Burst(len(said), sum(not each for each in said), failures, tuple(looks))


def _watch(asked: list[Future[str]], look: Callable[[], tuple[GpuMemory, ...]]) -> list[tuple[GpuMemory, ...]]:
    """A look at once, and another every `LOOK_S` seconds until all are answered."""
    looks = [look()]
    while wait(asked, timeout=LOOK_S).not_done:
        looks.append(look())
    return [*looks, look()]


def _ids(client: Client) -> list[int]:
    body = {"model": client.model, "prompt": "zero one two three four five six seven"}
    reply = client.expecting(200, "tokens for the burst").call("POST", "/tokenize", json_body=body, key=True)
    return [int(token) for token in reply.body["tokens"]]


def _ask(client: Client, ids: list[int], length: int, most: float) -> str:
    """Empty when all its tokens came; else what came instead."""
    prompt = random.Random(length).choices(ids, k=length)  # noqa: S311  (a prompt, not a secret)
    body = {"prompt": prompt, "max_tokens": TOKENS, "temperature": 0, "ignore_eos": True}
    try:
        reply = client.post("/completions", body, timeout=most)
    except NoAnswer as error:
        return str(error)[:160]
    usage = reply.body.get("usage") if isinstance(reply.body, dict) else None
    whole = (usage or {}).get("completion_tokens") == TOKENS
    return "" if reply.status == 200 and whole else f"{reply.status}: {reply.message[:160]}"
