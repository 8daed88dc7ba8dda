"""Claim: the model is what both documents say: 1T, 32B active, 384 experts, top-8, 256K, INT4.  By its config.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._paper import GUIDE, GUIDE_MODEL, ROUNDED, STRATEGY_MODEL, another_model, figure, finding
from assumptions._parts import check
from assumptions._strategy import GUIDE as STRATEGY
from assumptions.formulas.active import active_params
from assumptions.formulas.memory import Architecture, UnsupportedConfig, read
from assumptions.formulas.tensors import params
from inventories.figures import model
from inventories.schema import Inventory
from tasks.facts.base import NotUnderstood, look
from tasks.facts.text_file import TextFile
from tasks.site import Site

MEANT = (GUIDE_MODEL, STRATEGY_MODEL)


@dataclass(frozen=True, slots=True)
class Said:
    """The documents' figures; both print the same ones."""

    params: float = 1e12  # K2 Thinking guide §1.2, "1 trillion"; strategy, "1T parameters"
    active: float = 32e9  # "32 billion per forward pass"; "32B active during inference"
    experts: int = 384
    per_token: int = 8  # the strategy alone, "Top-8 routing"
    positions: int = 262_144  # "256K tokens"
    bits: int = 4  # "Native INT4"


@dataclass(frozen=True, slots=True)
class Shape:
    """What is said, and each config.json by the catalog's id; `served` is what the inventory pins, once it is read."""

    said: Said
    configs: Mapping[str, Mapping[str, Any]]
    served: str
    sources: tuple[str, ...]


def observe(site: Site, stage: Stage) -> Shape:
    """The catalog's two models; once the weights are fetched, the config.json beside them."""
    pinned, head = site.inventory.model, site.head
    if stage is Stage.PLAN:
        known = {id: model(id) for id in MEANT}
        sources = tuple(f"{each.title}: {each.config_source}" for each in known.values())
        return Shape(Said(), {id: each.read_config() for id, each in known.items()}, "", sources)
    if pinned.catalog not in MEANT:
        return Shape(Said(), {}, pinned.catalog, ())
    fact = TextFile(f"{site.inventory.model_dir(pinned.catalog, str(pinned.revision), head)}/config.json")
    text = look(site.host(head.name), fact)
    if text is None:
        raise NotUnderstood(fact, "no config.json beside the weights")
    return Shape(Said(), {pinned.catalog: json.loads(text)}, pinned.catalog, (fact.path,))


def bits_of(config: Mapping[str, Any]) -> int | None:
    """Bits of a quantised weight as config.json declares them; None where it declares no one number."""
    text = config.get("text_config")
    found = config.get("quantization_config") or (text.get("quantization_config") if isinstance(text, dict) else None)
    groups = (found.get("config_groups") or {}).values() if isinstance(found, dict) else ()
    bits = {group["weights"].get("num_bits") for group in groups if isinstance(group.get("weights"), dict)}
    only = bits.pop() if len(bits) == 1 else None
    return only if isinstance(only, int) else None


def _parts(name: str, config: Mapping[str, Any], said: Said) -> Iterator[Part]:
    try:
        arch = read(config)
    except UnsupportedConfig as refusal:
        yield check(f"{name}: shape", None, f"config.json is not understood: {refusal}")
        return
    yield from _sizes(name, arch, said)
    bits = bits_of(config)
    why = f"config.json says {bits} bits" if bits is not None else "config.json declares no integer format"
    yield check(f"{name}: bits", bits == said.bits, why, expected=said.bits, measured=bits)


def _sizes(name: str, arch: Architecture, said: Said) -> Iterator[Part]:
    total, active = sum(params(arch).values()) / 1e12, active_params(arch) / 1e9
    why = f"{total:.3f} T parameters, the vision tower's among them where there is one"
    yield figure(f"{name}: parameters", total, said.params / 1e12, "T", why)
    told = f"{active:.2f} G active, without the input embedding, of which a token reads one row"
    yield figure(f"{name}: active", active, said.active / 1e9, "G", told)
    experts, each = (arch.moe.experts, arch.moe.per_token) if arch.moe else (0, 0)
    exact = {
        "experts": (experts, said.experts),
        "top-k": (each, said.per_token),
        "context": (arch.positions, said.positions),
    }
    for what, (found, wanted) in exact.items():
        why = f"config.json says {found:,}"
        yield check(f"{name}: {what}", found == wanted, why, expected=f"{wanted:,}", measured=f"{found:,}")


def judge(seen: Shape, _inventory: Inventory) -> Finding:
    """Each printed figure against each config.json."""
    source = f"{GUIDE} §1.2; {STRATEGY}, Current Kimi K2.5 Technical Specifications; {ROUNDED}"
    if seen.served and seen.served not in MEANT:
        return another_model(seen.served, " and ".join(MEANT), source)
    parts = tuple(part for name, config in seen.configs.items() for part in _parts(name, config, seen.said))
    said = seen.said
    expected = f"{said.params / 1e12:g} T, {said.active / 1e9:g} G active, {said.experts} experts, top-{said.per_token}"
    return finding(
        parts,
        good=f"{len(parts)} figures agree with {' and '.join(seen.configs)}",
        expected=f"{expected}, {said.positions:,} tokens, INT{said.bits}",
        measured=f"{sum(part.outcome == 'PASS' for part in parts)} of {len(parts)} agree",
        source=source,
        notes=seen.sources,
        provenance=Provenance.MEASURED_HERE if seen.served else Provenance.MEASURED_ELSEWHERE,
    )


ASSUMPTION = Assumption(
    id="model-architecture",
    guide=f"{GUIDE} §1.2; {STRATEGY}, Current Kimi K2.5 Technical Specifications",
    states="Kimi K2 has 1T parameters, 32B active, 384 experts of which 8 route, a 256K context and INT4 weights.",
    stages=(Stage.PLAN, Stage.WEIGHTS),
    severity=Severity.ADVISORY,
    remedy="Another config.json is another model: pin the commit that the plan was made for, or plan again.",
    version=1,
    observe=observe,
    judge=judge,
)
