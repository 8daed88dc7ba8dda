"""Claim: the engine's code has the quantisations that the guide counts on: INT4, INT8, AWQ and GPTQ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._guide import applies, not_applicable
from assumptions._host import finding
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.engine_python import engine_python
from tasks.facts.base import look
from tasks.facts.engine_code import EngineCode, EngineCodeFact
from tasks.site import Site

PACKED = "compressed-tensors"  # quant_method in moonshotai/Kimi-K2-Thinking's config.json
# What the guide calls each -> the names that vLLM's code has for it; one of them is enough.
METHODS: Mapping[str, tuple[str, ...]] = {
    "AWQ": ("awq", "auto_awq", "awq_marlin"),
    "GPTQ": ("gptq", "auto_gptq", "gptq_marlin"),
}
SCHEMES: Mapping[str, tuple[str, ...]] = {
    "INT4": ("compressed_tensors_wNa16",),
    "INT8": ("compressed_tensors_w8a8_int8", "compressed_tensors_wNa16"),
}
SOURCE = "K2 Thinking guide §3.3: native INT4, INT8, AWQ and GPTQ; vLLM's own lists, layers/quantization"


@dataclass(frozen=True, slots=True)
class Methods:
    """The engine's own lists; None for another engine."""

    code: EngineCode | None


def observe(site: Site, stage: Stage) -> Methods:
    """The engine's files on the host, or in its image."""
    if not applies(site.inventory):
        return Methods(None)
    python = engine_python(site.inventory, site.head)
    return Methods(look(site.host(site.head.name), EngineCodeFact(python), timeout=120))


def _parts(code: EngineCode) -> Iterator[Part]:
    for name, schemes in SCHEMES.items():
        has = next((scheme for scheme in schemes if scheme in code.schemes), "")
        holds = bool(has) and PACKED in code.methods
        said = f"{PACKED}: {has}" if holds else f"no {' or '.join(schemes)} behind {PACKED}"
        yield check(name, holds, said, expected=" or ".join(schemes), measured=has)
    for name, methods in METHODS.items():
        has = next((method for method in methods if method in code.methods), "")
        said = f"`{has}`" if has else f"none of {', '.join(methods)} in the engine's list"
        yield check(name, bool(has), said, expected=" or ".join(methods), measured=has)


def judge(seen: Methods, inventory: Inventory) -> Finding:
    """Each of the four by a name that vLLM's code gives it; whether a kernel runs here is another claim's matter."""
    if seen.code is None:
        return not_applicable(inventory)
    parts = tuple(_parts(seen.code)) if seen.code.methods else (check("list", None, "the engine's list is empty"),)
    return finding(
        parts,
        good=f"vLLM {seen.code.version} has all four: {', '.join(part.because for part in parts)}",
        expected="INT4, INT8, AWQ and GPTQ",
        source=SOURCE,
        value=float(len(seen.code.methods)),
        unit="methods listed",
        notes=(
            "A name in the engine's list is not yet a kernel for a card: Marlin's 4-bit kernels need compute "
            "capability 7.5, and int4-support loads a checkpoint here.",
        ),
    )


ASSUMPTION = Assumption(
    id="quantisation-methods",
    guide="K2 Thinking guide §3.3",
    states="vLLM supports INT4, INT8, AWQ and GPTQ weights.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Choose a vLLM version whose list has the format of your checkpoint, or a checkpoint in a format that it "
    "has; a name in the list still needs a kernel for the card.",
    version=1,
    observe=observe,
    judge=judge,
)
