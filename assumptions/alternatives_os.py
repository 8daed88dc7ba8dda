"""Claim: Ubuntu 22.04 is supported best and 24.04 tested less.  What the driver's and the engine's own pages say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assumptions._core import Assumption, Finding, Provenance, Severity, Stage
from assumptions._paper import GUIDE, finding
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.site import Site

BEST, NEWER = "22.04", "24.04"  # K2 Thinking guide §3.1: its recommendation, and the alternative said to be less tested
LISTED = ("22.04", "24.04")
LIST_SOURCE = "NVIDIA DeepOps 26.07 (2026-07-15): DGX OS 6 is Ubuntu 22.04, DGX OS 7 is Ubuntu 24.04"
IMAGE_SOURCE = "vllm-project/vllm docker/Dockerfile@385dce3: the default image is Ubuntu 24.04 with CUDA 13.0.3"
AS_OF, SUPPORT_ENDS = date(2026, 11, 22), date(2027, 4, 30)  # five years from April 2022, the guide's own reason 3


@dataclass(frozen=True, slots=True)
class Support:
    """What the driver's vendor lists, and what the engine's image is built on; None where it is not known."""

    best: str
    newer: str
    listed: tuple[str, ...] | None
    engine_image: str | None
    as_of: date
    sources: tuple[str, ...]


def observe(site: Site, stage: Stage) -> Support:
    """Dated statements of both vendors; no host is asked."""
    return Support(BEST, NEWER, LISTED, "24.04", AS_OF, (LIST_SOURCE, IMAGE_SOURCE))


def judge(seen: Support, _inventory: Inventory) -> Finding:
    """Better means: listed where the other is not; tested less means: not what the engine is built on."""
    ahead = None
    why = "which systems the driver's vendor lists is not known"
    if seen.listed is not None:
        ahead = False if seen.best not in seen.listed else None if seen.newer in seen.listed else True
        why = f"the driver's vendor lists {' and '.join(seen.listed)}; nothing there puts one before the other"
        why = why if ahead is None else f"the driver's vendor lists {' and '.join(seen.listed) or 'neither'}"
    image = seen.engine_image
    told = "what the engine's image is built on is not known" if image is None else f"its image is Ubuntu {image}"
    parts = (
        check("driver", ahead, why, expected=f"{seen.best} before {seen.newer}", measured=", ".join(seen.listed or ())),
        check(
            "engine", None if image is None else image != seen.newer, told, expected=f"not {seen.newer}", measured=image
        ),
    )
    left = (SUPPORT_ENDS - seen.as_of).days // 30
    return finding(
        parts,
        good=f"Ubuntu {seen.best} is listed alone, and the engine is built on {image}",
        expected=f"{seen.best} listed and {seen.newer} not; the engine not built on {seen.newer}",
        measured=f"listed {', '.join(seen.listed or ('not known',))}; image {image or 'not known'}",
        source=f"{GUIDE} §3.1; the vendors' pages as of {seen.as_of.isoformat()}",
        notes=(*seen.sources, f"the five years of {BEST}'s standard support end in about {left} months"),
        provenance=Provenance.VENDOR,
    )


ASSUMPTION = Assumption(
    id="alternatives-os",
    guide=f"{GUIDE} §3.1",
    states="Ubuntu 22.04 has the best driver support, and 24.04 is tested less with the serving stack.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Take 24.04 for a new host, or whichever the provider maintains: driver-in-container and the host's claims "
    "say whether the stack works there.",
    version=1,
    observe=observe,
    judge=judge,
)
