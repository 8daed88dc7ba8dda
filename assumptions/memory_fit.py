"""Claim: the model and its context fit in memory.  First by arithmetic, then by what the engine logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions import _memory_log as logged
from assumptions._core import Assumption, Finding, Outcome, Provenance, Sense, Severity, Stage
from assumptions._memory_host import ram_part
from assumptions._memory_question import arguments, card, kv_dtype, split, unsupported_engine
from assumptions._parts import because, check, worst
from assumptions._served import engine_log
from assumptions.formulas.memory import GIB, Fit, UnsupportedConfig, fit, kv_bytes_per_token_per_rank, read
from inventories.figures import model
from inventories.schema import Inventory
from tasks.facts.base import NotUnderstood, look
from tasks.facts.engine_log import EngineLog
from tasks.facts.text_file import TextFile
from tasks.site import Site

CPU_PROCESS_GIB = 3.6  # peak of a whole vLLM 0.32 CPU server, 1 GiB of KV cache, an almost empty model


@dataclass(frozen=True, slots=True)
class Memory:
    """The model's config.json, what the catalog says of the cards, and the engine's log once there is one."""

    config: Mapping[str, Any]
    gpu_memory_gib: float | None
    compute_capability: float | None
    log: EngineLog | None
    split: tuple[int, int, int] = (1, 1, 1)  # ranks by tensor, pipeline, decode context
    kv_dtype: str = "auto"
    vllm: str | None = None  # which version: some caches' bytes depend on it


def observe(site: Site, stage: Stage) -> Memory:
    """From the catalog alone at PLAN; from the host's own config.json and log afterwards."""
    inventory, head = site.inventory, site.head
    known = card(inventory)
    capability = known.compute_capability.value if known and known.compute_capability else None
    memory = known.memory_gib.value if known else None
    ranks, kind, version = split(inventory), kv_dtype(inventory), inventory.engine.version
    if stage is Stage.PLAN:
        return Memory(model(inventory.model.catalog).read_config(), memory, capability, None, ranks, kind, version)
    fact = TextFile(f"{inventory.model_dir(inventory.model.catalog, str(inventory.model.revision), head)}/config.json")
    text = look(site.host(head.name), fact)
    if text is None:
        raise NotUnderstood(fact, "no config.json beside the weights")
    return Memory(json.loads(text), memory, capability, engine_log(site, stage), ranks, kind, version)


def predicted(seen: Memory, inventory: Inventory) -> Fit:
    """The memory model's answer for this inventory's GPUs."""
    tp, pp, dcp = seen.split
    ask = arguments(inventory, seen.config) | {"tp": tp, "pp": pp, "dcp": dcp}
    ask |= {"gpu_memory_gib": seen.gpu_memory_gib or 0.0, "compute_capability": seen.compute_capability}
    return fit(seen.config, **ask)


_HOLDS = {Outcome.PASS: True, Outcome.FAIL: False, Outcome.UNKNOWN: None}


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
    if (why := unsupported_engine(inventory)) is not None:
        return _finding(Outcome.UNKNOWN, why, Provenance.MODELLED)
    answer = predicted(seen, inventory)
    outcome = {"fits": Outcome.PASS, "does-not-fit": Outcome.FAIL}.get(str(answer.verdict), Outcome.UNKNOWN)
    ram, serving = ram_part(answer, inventory), inventory.serving
    weighed = (check("gpu-memory", _HOLDS[outcome], _why(answer)), *((ram,) if ram else ()))
    return _finding(
        worst(weighed),
        _why(answer) if worst(weighed) is outcome else because(weighed, ""),
        Provenance.MODELLED,
        expected=f"room for {serving.concurrent_requests} x {serving.context_tokens:,} tokens of KV cache on every GPU",
        measured=_figures(answer),
        threshold=f"budget {answer.budget_gib:.2f} GiB per GPU" if answer.budget_gib else "",
        threshold_source="; ".join(answer.sources[:3]) or "memory model",
        value=round(answer.weights_gib_per_gpu, 2) if answer.weights_gib_per_gpu is not None else None,
        unit="GiB of weights per GPU",
        limit=_most_weights(answer, inventory),
        sense=Sense.MOST,
        notes=(
            *answer.reasons[1:],
            *(f"no measured run backs this: {each}" for each in answer.unmeasured),
            *((f"host RAM: {ram.because}",) if ram else ()),
        ),
    )


def _most_weights(answer: Fit, inventory: Inventory) -> float | None:
    """GiB of weights on each GPU that would just leave room for the wanted KV, at the end the verdict rests on."""
    weights, kv, per_token = answer.weights_gib_per_gpu, answer.kv_gib_per_gpu, answer.kv_bytes_per_token_per_rank
    if weights is None or kv is None or per_token is None or inventory.engine.options.get("data_parallel", 1) != 1:
        return None
    left = {"fits": kv.low, "does-not-fit": kv.high}.get(str(answer.verdict), kv.mid)
    asked = inventory.serving.concurrent_requests * inventory.serving.context_tokens
    return round(weights + left - asked * per_token / GIB, 2)


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
    return kv_bytes_per_token_per_rank(
        read(seen.config),
        tp=tp,
        pp=pp,
        dcp=dcp,
        kv_dtype=seen.kv_dtype,
        vllm=seen.vllm,
        compute_capability=seen.compute_capability,
    )


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
        limit=float(wanted),
        parts=parts,
    )


def _measured(seen: Memory, log: EngineLog, inventory: Inventory) -> Finding:
    size = _per_token(seen)
    parts = tuple(logged.against_log(size, log, inventory))
    share = logged.deviation(size, log)
    return _finding(
        worst(parts),
        because(parts, f"the engine's {log.kv_tokens or 0:,} tokens agree with {size:,} bytes a token"),
        Provenance.MEASURED_HERE,
        expected=f"logged tokens within {logged.TOLERANCE:.1%} of KV bytes / {size:,}, and enough of them",
        measured=f"{log.kv_tokens} tokens in {log.kv_gib} GiB",
        threshold=f"{logged.TOLERANCE:.1%}",
        threshold_source="93 of 94 public vLLM logs agree within 0.5 % (docs/reference/memory-model.md)",
        value=round(share * 100, 4) if share is not None else None,
        unit="% deviation",
        limit=logged.TOLERANCE * 100,
        sense=Sense.MOST,
        parts=parts,
        notes=() if seen.gpu_memory_gib is None else logged.notes(log, predicted(seen, inventory)),
    )


def tables(seen: Memory) -> Mapping[str, list[dict[str, Any]]]:
    """Predicted beside measured, once there is a measurement."""
    if seen.log is None:
        return {}
    try:
        rows = logged.rows(_per_token(seen), seen.log)
    except UnsupportedConfig:
        return {}
    return {"kv": rows} if rows else {}


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
