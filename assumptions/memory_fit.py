"""Claim: the model and its context fit in memory.  First by arithmetic, then by what the engine logs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Outcome, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._served import engine_log
from assumptions.formulas.memory import Fit, UnsupportedConfig, fit, kv_bytes_per_token_per_rank, read
from inventories.figures import gpu, model
from inventories.schema import Inventory
from tasks.facts.base import NotUnderstood, look
from tasks.facts.engine_log import EngineLog
from tasks.facts.text_file import TextFile
from tasks.site import Site

TOLERANCE = 0.005  # 93 of 94 public vLLM logs with both figures agree within 0.5 %
CPU_PROCESS_GIB = 3.6  # peak of a whole vLLM 0.32 CPU server, 1 GiB of KV cache, an almost empty model
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Memory:
    """The model's config.json, what the catalog says of the cards, and the engine's log once there is one."""

    config: Mapping[str, Any]
    gpu_memory_gib: float | None
    compute_capability: float | None
    log: EngineLog | None
    split: tuple[int, int, int] = (1, 1, 1)  # ranks by tensor, pipeline, decode context


def observe(site: Site, stage: Stage) -> Memory:
    """From the catalog alone at PLAN; from the host's own config.json and log afterwards."""
    inventory, head = site.inventory, site.head
    card = gpu(head.gpu) if head.gpu else None
    capability = card.compute_capability.value if card and card.compute_capability else None
    memory = card.memory_gib.value if card else None
    split = _split(inventory)
    if stage is Stage.PLAN:
        return Memory(model(inventory.model.catalog).read_config(), memory, capability, None, split)
    fact = TextFile(f"{inventory.model_dir(inventory.model.catalog, str(inventory.model.revision), head)}/config.json")
    text = look(site.host(head.name), fact)
    if text is None:
        raise NotUnderstood(fact, "no config.json beside the weights")
    return Memory(json.loads(text), memory, capability, engine_log(site, stage), split)


def _split(inventory: Inventory) -> tuple[int, int, int]:
    dcp = int(inventory.engine.options.get("decode_context_parallel", 1))
    return inventory.engine.tensor_parallel, inventory.engine.pipeline_parallel, dcp


def predicted(seen: Memory, inventory: Inventory) -> Fit:
    """The memory model's answer for this inventory's GPUs."""
    tp, pp, dcp = seen.split
    return fit(
        seen.config,
        gpu_memory_gib=seen.gpu_memory_gib or 0.0,
        gpus=sum(host.gpus for host in inventory.hosts),
        tp=tp,
        pp=pp,
        dcp=dcp,
        utilization=inventory.engine.options.get("gpu_memory_utilization"),
        context_tokens=inventory.serving.context_tokens,
        concurrent_requests=inventory.serving.concurrent_requests,
        vllm=inventory.engine.version,
        compute_capability=seen.compute_capability,
        mm_encoder=_tower(seen, inventory),
    )


def _tower(seen: Memory, inventory: Inventory) -> str:
    """A vision tower counts whole on each rank (the vendor's `--mm-encoder-tp-mode data`) unless it is left out."""
    if not seen.config.get("vision_config") or inventory.engine.options.get("language_model_only"):
        return "none"
    return "data"


def judge(seen: Memory, inventory: Inventory) -> Finding:
    """Without a log: the arithmetic.  With one: the prediction against what the engine logged."""
    try:
        if seen.log is not None:
            return _measured(seen, seen.log, inventory)
        if seen.gpu_memory_gib is None:
            return _cpu(seen, inventory)
        return _modelled(seen, inventory)
    except UnsupportedConfig as error:
        return _finding(Outcome.UNKNOWN, f"the memory model can't be right about this: {error}", Provenance.MODELLED)


def _finding(outcome: Outcome, why: str, source: Provenance, **more: Any) -> Finding:
    fields = {"expected": "fits", "measured": "", "threshold": "", "threshold_source": "memory model, docs/reference"}
    return Finding(outcome=outcome, because=why, provenance=source, **{**fields, **more})


def _modelled(seen: Memory, inventory: Inventory) -> Finding:
    if inventory.engine.kind != "vllm":
        why = f"there is no memory model for the {inventory.engine.kind} engine yet, and nothing was measured"
        return _finding(Outcome.UNKNOWN, why, Provenance.MODELLED)
    answer = predicted(seen, inventory)
    outcome = {"fits": Outcome.PASS, "does-not-fit": Outcome.FAIL}.get(str(answer.verdict), Outcome.UNKNOWN)
    serving = inventory.serving
    return _finding(
        outcome,
        _why(answer),
        Provenance.MODELLED,
        expected=f"room for {serving.concurrent_requests} x {serving.context_tokens:,} tokens of KV cache on every GPU",
        measured=_figures(answer),
        threshold=f"budget {answer.budget_gib:.2f} GiB per GPU" if answer.budget_gib else "",
        threshold_source="; ".join(answer.sources[:3]) or "memory model",
        value=round(answer.weights_gib_per_gpu, 2) if answer.weights_gib_per_gpu is not None else None,
        unit="GiB of weights per GPU",
        notes=(*answer.reasons[1:], *(f"no measured run backs this: {each}" for each in answer.unmeasured)),
    )


def _why(answer: Fit) -> str:
    """The whole arithmetic, or only its first line where the weights alone are too large."""
    if answer.weights_gib_per_gpu is None or answer.budget_gib is None:
        return "; ".join(answer.reasons) or f"verdict {answer.verdict}"
    return answer.reasons[0] if answer.weights_gib_per_gpu > answer.budget_gib else "; ".join(answer.reasons)


def _figures(answer: Fit) -> str:
    if answer.weights_gib_per_gpu is None or answer.kv_gib_per_gpu is None:
        return str(answer.verdict)
    kv = answer.kv_gib_per_gpu
    return f"weights {answer.weights_gib_per_gpu:.2f} GiB per GPU, KV {kv.low:.2f} to {kv.high:.2f} GiB"


def _per_token(seen: Memory) -> int:
    tp, pp, dcp = seen.split
    return kv_bytes_per_token_per_rank(read(seen.config), tp=tp, pp=pp, dcp=dcp)


def _cpu(seen: Memory, inventory: Inventory) -> Finding:
    """On a CPU the KV cache's size is given; it must hold the context and fit in RAM beside the server."""
    cache = float(inventory.engine.options.get("kv_cache_gib") or 4)
    tokens = int(cache * GIB / _per_token(seen))
    wanted = inventory.serving.context_tokens * inventory.serving.concurrent_requests
    weights = model(inventory.model.catalog).checkpoint_bytes.value / GIB
    ram, needed = inventory.hosts[0].ram_gib, cache + weights + CPU_PROCESS_GIB
    parts = (
        check(
            "context",
            tokens >= wanted,
            f"{tokens:,} tokens in {cache:g} GiB",
            expected=f">= {wanted:,}",
            measured=tokens,
        ),
        check("ram", ram >= needed, f"{needed:.2f} GiB needed", expected=f"<= {ram:g} GiB", measured=f"{needed:.2f}"),
    )
    return _finding(
        worst(parts),
        because(parts, f"{tokens:,} tokens of KV cache in {cache:g} GiB, {needed:.1f} of {ram:g} GiB RAM"),
        Provenance.MODELLED,
        expected=f"{wanted:,} tokens, {ram:g} GiB RAM",
        measured=f"{tokens:,} tokens, {needed:.1f} GiB",
        threshold=f"{wanted} tokens",
        threshold_source="the inventory's context and RAM; KV bytes from config.json",
        value=float(tokens),
        unit="tokens",
        parts=parts,
    )


def _measured(seen: Memory, log: EngineLog, inventory: Inventory) -> Finding:
    parts = tuple(_against_log(seen, log, inventory))
    share, size = _deviation(seen, log), _per_token(seen)
    return _finding(
        worst(parts),
        because(parts, f"the engine's {log.kv_tokens or 0:,} tokens agree with {size:,} bytes a token"),
        Provenance.MEASURED_HERE,
        expected=f"logged tokens within {TOLERANCE:.1%} of KV bytes / {size:,}, and enough of them",
        measured=f"{log.kv_tokens} tokens in {log.kv_gib} GiB",
        threshold=f"{TOLERANCE:.1%}",
        threshold_source="93 of 94 public vLLM logs agree within 0.5 % (docs/reference/memory-model.md)",
        value=round(share * 100, 4) if share is not None else None,
        unit="% deviation",
        parts=parts,
    )


def _deviation(seen: Memory, log: EngineLog) -> float | None:
    if log.kv_tokens is None or log.kv_gib is None:
        return None
    wanted = log.kv_gib * GIB / _per_token(seen)
    return abs(log.kv_tokens - wanted) / wanted


def _against_log(seen: Memory, log: EngineLog, inventory: Inventory) -> Iterator[Part]:
    share, per_token = _deviation(seen, log), _per_token(seen)
    if share is None:
        yield check("kv-per-token", None, "the log does not give both KV GiB and tokens", expected=f"{per_token} bytes")
    else:
        said = f"{log.kv_tokens:,} tokens logged in {log.kv_gib:g} GiB: {share:.3%} from {per_token:,} bytes a token"
        yield check("kv-per-token", share <= TOLERANCE, said, expected=f"<= {TOLERANCE:.1%}", measured=f"{share:.3%}")
    wanted = inventory.serving.context_tokens * inventory.serving.concurrent_requests
    enough = None if log.kv_tokens is None else log.kv_tokens >= wanted
    yield check(
        "context", enough, f"room for {log.kv_tokens} tokens", expected=f">= {wanted:,}", measured=log.kv_tokens
    )


def tables(seen: Memory) -> Mapping[str, list[dict[str, Any]]]:
    """Predicted beside measured, once there is a measurement."""
    log = seen.log
    if log is None or log.kv_tokens is None or log.kv_gib is None:
        return {}
    try:
        per_token = _per_token(seen)
    except UnsupportedConfig:
        return {}
    return {
        "kv": [
            {
                "name": "bytes per token",
                "predicted": per_token,
                "measured": log.kv_gib * GIB / log.kv_tokens,
                "unit": "B",
            },
            {"name": "tokens", "predicted": log.kv_gib * GIB / per_token, "measured": log.kv_tokens, "unit": "tokens"},
        ]
    }


ASSUMPTION = Assumption(
    id="memory-fit",
    guide="K2 Thinking guide §2.1, §9",
    states="The declared hardware holds the weights and the KV cache of the declared context.",
    stages=(Stage.PLAN, Stage.STAGING),
    severity=Severity.BLOCKING,
    remedy="Add GPUs or memory, shorten serving.context_tokens, or split the KV cache over ranks "
    "(decode_context_parallel). Where no measured run stands behind a fit, measure on such a card before you buy.",
    version=1,
    observe=observe,
    judge=judge,
    tables=tables,
)
