"""Claim: the checkpoint's own INT4 format is what the engine serves, by a kernel of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._served import engine_log
from assumptions._serving_flags_log import configured
from assumptions._stored_format import StoredFormat, stored_format
from inventories.schema import Inventory
from tasks.site import Site

# quantization_config of moonshotai/Kimi-K2-Thinking and Kimi-K2.5
METHOD, FORM = "compressed-tensors", "pack-quantized"
BITS, KIND, GROUP, STRATEGY = 4, "int", 32, "group"
IN_16_BITS = {"lm_head", "re:.*self_attn.*", "re:.*shared_experts.*", r"re:.*mlp\.(gate|up|gate_up|down)_proj.*"}
SOURCE = "quantization_config of moonshotai/Kimi-K2-Thinking config.json; log lines of vLLM 0.32 int_wna16.py"
# what vLLM says of the experts' kernel: 0.32 by its backend, earlier ones by the method's class
_KERNEL = re.compile(r"Using '?((?:[A-Z_]+(?=' WNA16 MoE backend))|CompressedTensors\w*WNA16\w*MoEMethod)")


@dataclass(frozen=True, slots=True)
class Format:
    """How the served checkpoint is stored, the probes too, and what the engine's log says that it made of it."""

    served: StoredFormat
    probes: tuple[StoredFormat, ...]
    quantization: str | None  # of the engine's configuration; None: the log does not tell
    kernels: tuple[str, ...]


def observe(site: Site, stage: Stage) -> Format:
    """config.json on the host, and the lines of the engine's log; nothing is loaded anew."""
    inventory = site.inventory
    log = engine_log(site, stage).text
    kernels = tuple(dict.fromkeys(_KERNEL.findall(log)))
    probes = tuple(stored_format(site, probe) for probe in inventory.probes)
    return Format(stored_format(site, inventory.model), probes, configured(log, "quantization"), kernels)


def _stored(name: str, stored: StoredFormat, *, rehearsed: bool) -> Iterator[Part]:
    """FAIL where another format is stored; UNKNOWN where a rehearsal serves another one on purpose."""
    told = (stored.method, stored.form, stored.bits, stored.kind, stored.group, stored.strategy, stored.symmetric)
    wanted = (METHOD, FORM, BITS, KIND, GROUP, STRATEGY, True)
    native = told == wanted and not stored.activations
    expected = f"{METHOD} {FORM}, {BITS} bits {KIND}, groups of {GROUP}, symmetric, activations left alone"
    holds = True if native else None if rehearsed else False
    yield check(f"{name}: stored", holds, f"{stored.name}: {stored.said}", expected=expected, measured=stored.said)
    if native:
        missing = sorted(IN_16_BITS - set(stored.ignore))
        said = (
            f"not left in 16 bits: {', '.join(missing)}" if missing else "attention, shared experts, dense layer, head"
        )
        yield check(f"{name}: left in 16 bits", not missing, said, expected="all but the routed experts")


def _loaded(seen: Format) -> Iterator[Part]:
    """What the engine says of itself."""
    holds = None if seen.quantization is None else seen.quantization == METHOD
    said = "its log does not tell" if seen.quantization is None else f"its configuration: {seen.quantization}"
    yield check("engine: format", holds, said, expected=f"quantization={METHOD}", measured=seen.quantization)
    said = f"its log names {', '.join(seen.kernels)}" if seen.kernels else "its log names no kernel for the experts"
    yield check("engine: kernel", True if seen.kernels else None, said, expected="a WNA16 MoE kernel")


def judge(seen: Format, inventory: Inventory) -> Finding:
    """Stored in Kimi's own format, only the routed experts rounded, and the engine names that format and a kernel."""
    rehearsed = inventory.kind == "rehearsal"
    parts = list(_stored("served", seen.served, rehearsed=rehearsed))
    if parts[0].outcome == "PASS" or not rehearsed:
        parts += _loaded(seen)
    for probe in seen.probes:
        if probe.method == METHOD:
            parts += _stored(f"probe {probe.name}", probe, rehearsed=rehearsed)
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"{seen.served.said}, served by {', '.join(seen.kernels)}"),
        expected=f"{METHOD}, {BITS} bits, groups of {GROUP}, loaded as stored",
        measured=f"{seen.served.said}; engine: {seen.quantization or 'not told'}",
        threshold=f"{METHOD} {FORM}, {BITS} bits, group {GROUP}, {len(IN_16_BITS)} patterns left in 16 bits",
        threshold_source=SOURCE,
        provenance=Provenance.MEASURED_HERE,
        parts=tuple(parts),
        notes=("That this format loads and answers at all is int4-support's.",),
    )


ASSUMPTION = Assumption(
    id="int4-native-format",
    guide="K2 Thinking guide §1.2, §3.3",
    states="The checkpoint's native INT4 format is what the engine serves, without conversion.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Fetch the vendor's own checkpoint, not a conversion of it; leave --quantization and --dtype out, and serve "
    "with a vLLM whose log names a WNA16 MoE kernel on these GPUs.",
    version=1,
    observe=observe,
    judge=judge,
)
