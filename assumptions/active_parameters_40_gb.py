"""Claim: the 32 billion active parameters are 40 GB in INT4.  They are not all INT4, and not what must be held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._paper import GUIDE, GUIDE_MODEL, ROUNDED, figure, finding
from assumptions._parts import check
from assumptions.formulas.active import active_bytes, active_params
from assumptions.formulas.memory import UnsupportedConfig, checkpoint_bytes, read
from inventories.figures import model
from inventories.schema import Inventory
from tasks.site import Site

SAID_PARAMS, SAID_GB = 32e9, 40.0  # K2 Thinking guide §2.1, Revised Recommendation, 2: "32B params (40GB @ INT4)"


@dataclass(frozen=True, slots=True)
class Active:
    """What is said, and the config.json that it follows from."""

    said_params: float
    said_gb: float
    config: Mapping[str, Any]
    source: str


def observe(site: Site, stage: Stage) -> Active:
    """The catalog's config.json; no host is asked."""
    known = model(GUIDE_MODEL)
    return Active(SAID_PARAMS, SAID_GB, known.read_config(), f"{known.title}: {known.params.source}")


def judge(seen: Active, _inventory: Inventory) -> Finding:
    """Parameters and stored bytes that one token touches, the routed experts by their share."""
    try:
        arch = read(seen.config)
        params, held = active_params(arch), checkpoint_bytes(arch) / 1e9
        size = active_bytes(arch) / 1e9
    except UnsupportedConfig as refusal:
        unknown = check("active", None, f"not answered: {refusal}")
        return finding((unknown,), good="", expected="a known architecture", measured="unsupported", source=seen.source)
    why = f"{params / 1e9:.2f} G parameters compute a token, without the input embedding"
    stored = f"a token reads {size:.1f} GB of weights as they are stored, of {held:.0f} GB that must be held"
    parts = (
        figure("parameters", params / 1e9, seen.said_params / 1e9, "G", why),
        figure("bytes", size, seen.said_gb, "GB", stored),
    )
    return finding(
        parts,
        good=f"{why}; {stored}",
        expected=f"{seen.said_params / 1e9:g} G parameters, {seen.said_gb:g} GB",
        measured=f"{params / 1e9:.2f} G parameters, {size:.1f} GB",
        source=f"{GUIDE} §2.1; {ROUNDED}",
        value=round(size, 2),
        unit="GB a token",
        notes=(
            f"half a byte a parameter would be {seen.said_params / 2e9:g} GB: the printed figure follows from neither",
            "what is not active must be in memory all the same: the next token takes other experts",
            seen.source,
        ),
    )


ASSUMPTION = Assumption(
    id="active-parameters-40-gb",
    guide=f"{GUIDE} §2.1",
    states="A forward pass of Kimi K2 Thinking activates 32 billion parameters, 40 GB in INT4.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Use 33 GB a token for bandwidth, and all 594 GB for memory: the active share saves no memory.",
    version=1,
    observe=observe,
    judge=judge,
)
