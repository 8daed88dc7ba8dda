"""Claim: the engine serves Kimi K2's native INT4 weights on this host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._served import served
from inventories.schema import Inventory, Model
from tasks.engine_python import engine_python
from tasks.facts.base import NotUnderstood, look
from tasks.facts.engine_probe import EngineProbe, Probed
from tasks.facts.text_file import TextFile
from tasks.site import Site

GUIDE_FLAG = ("--dtype", "int4")  # guide §4.2
NATIVE = "compressed-tensors"  # quant_method in moonshotai/Kimi-K2-Thinking config.json
PROBE_ENV = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
}
FLAG_NOTE = "The guide's `--dtype int4` would stop the server at start. Leave it out: config.json decides."


@dataclass(frozen=True, slots=True)
class Loaded:
    """One checkpoint and whether the engine served it: the model itself by its server, a probe in a process."""

    name: str
    quantization: str  # quant_method of its config.json; "none" where it has none
    bits: int | None
    probed: Probed


@dataclass(frozen=True, slots=True)
class Int4:
    """The guide's flag, the served model, and each probe."""

    device: str
    flag: Probed
    loaded: tuple[Loaded, ...]


def observe(site: Site, stage: Stage) -> Int4:
    """Ask the engine's parser, the served model and a short-lived engine for each probe checkpoint."""
    inventory, head = site.inventory, site.head
    host = site.host(head.name)
    python = engine_python(inventory, head)

    def probe(pinned: Model, verb: str, *arguments: str) -> Probed:
        folder = inventory.model_dir(pinned.catalog, str(pinned.revision), head)
        return look(host, EngineProbe(python, verb, folder, arguments, PROBE_ENV), timeout=900)

    with ThreadPoolExecutor(2) as pool:  # each loads the engine's libraries: seconds of processor, 2 GB of memory
        flag = pool.submit(copy_context().run, probe, inventory.model, "flags", *GUIDE_FLAG)
        loads = [pool.submit(copy_context().run, probe, pinned, "load") for pinned in inventory.probes]
        main = _loaded(site, inventory.model, _served(site, stage))
        probes = [_loaded(site, pinned, load.result()) for pinned, load in zip(inventory.probes, loads, strict=True)]
        return Int4("cpu" if head.gpu is None else "cuda", flag.result(), (main, *probes))


def _served(site: Site, stage: Stage) -> Probed:
    with served(site, stage) as at:
        answer = at.client.expecting(200, "the served model answers").chat("Say one sentence.", max_tokens=8)
        return Probed(bool(answer.completion_tokens), "", answer.completion_tokens or 0, site.inventory.engine.version)


def _loaded(site: Site, pinned: Model, probed: Probed) -> Loaded:
    folder = site.inventory.model_dir(pinned.catalog, str(pinned.revision), site.head)
    fact = TextFile(f"{folder}/config.json")
    text = look(site.host(site.head.name), fact)
    if text is None:
        raise NotUnderstood(fact, f"no config.json in {folder}")
    config: dict[str, Any] = json.loads(text)
    quantization = config.get("quantization_config") or config.get("text_config", {}).get("quantization_config") or {}
    return Loaded(pinned.catalog, str(quantization.get("quant_method", "none")), _bits(quantization), probed)


def _bits(quantization: dict[str, Any]) -> int | None:
    if "bits" in quantization:
        return int(quantization["bits"])
    groups = quantization.get("config_groups") or {}
    bits = {group["weights"]["num_bits"] for group in groups.values() if group.get("weights")}
    return int(bits.pop()) if len(bits) == 1 else None


def _parts(seen: Int4) -> Iterator[Part]:
    int4 = [one for one in seen.loaded if one.bits == 4]
    native = [one for one in int4 if one.quantization == NATIVE]
    others = [one for one in int4 if one.quantization != NATIVE]
    if not native:
        yield check("native-format", None, "no checkpoint in Kimi's native format was tried", expected=NATIVE)
    for one in native:
        yield _native(seen.device, one)
    for one in others:
        said = f"{one.quantization} loads and answers" if one.probed.accepted else one.probed.message
        yield check(f"other-format: {one.quantization}", one.probed.accepted, said, expected="loads", measured=one.name)


def _native(device: str, one: Loaded) -> Part:
    """A refusal on a CPU tells nothing of the GPUs, for which the format has kernels of its own."""
    if one.probed.accepted:
        return check("native-format", True, f"{one.name} answers with {one.probed.tokens} tokens", expected=NATIVE)
    holds = None if device == "cpu" else False
    said = f"{'a CPU has no kernel for it' if device == 'cpu' else 'refused'}; the engine says: {one.probed.message}"
    return check("native-format", holds, said, expected=NATIVE, measured=one.name)


def judge(seen: Int4, inventory: Inventory) -> Finding:
    """Native INT4 must load and answer here; the guide's flag is reported and needs no support."""
    parts = tuple(_parts(seen))
    said = seen.flag.message if not seen.flag.accepted else "accepted"
    tried = "; ".join(f"{x.quantization}: {'loads' if x.probed.accepted else 'refused'}" for x in seen.loaded)
    flag = check("guide-flag", seen.flag.accepted, f"{' '.join(GUIDE_FLAG)}: {said}", expected="accepted")
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"native INT4 ({NATIVE}) loads and answers"),
        expected=f"a 4-bit {NATIVE} checkpoint loads and answers",
        measured=tried,
        threshold=f"{NATIVE}, 4 bits, loads",
        threshold_source="quantization_config of moonshotai/Kimi-K2-Thinking config.json",
        provenance=Provenance.MEASURED_HERE,
        parts=(*parts, flag),
        notes=() if seen.flag.accepted else (FLAG_NOTE,),
    )


ASSUMPTION = Assumption(
    id="int4-support",
    guide="K2 Thinking guide §4.2, §9",
    states="vLLM supports Kimi K2's INT4 weights.",
    stages=(Stage.STAGING,),
    severity=Severity.BLOCKING,
    remedy="Serve on GPUs of compute capability 7.5 or more with a vLLM that has Marlin WNA16 kernels, leave --dtype "
    "int4 out, and judge again there; on a CPU only the other 4-bit formats can be judged.",
    version=1,
    observe=observe,
    judge=judge,
)
