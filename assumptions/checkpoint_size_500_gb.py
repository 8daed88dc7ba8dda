"""Claim: the weights take about 500 GB.  Half a byte a parameter forgets the scales and what is not INT4."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Provenance, Severity, Stage
from assumptions._paper import GUIDE, GUIDE_MODEL, ROUNDED, another_model, figure, finding
from inventories.figures import model
from inventories.schema import Inventory
from tasks.checkpoints import hub_tree, published
from tasks.site import Site

SAID_GB = 500.0  # K2 Thinking guide §2.1, §2.2, §4.1: "~500GB"
WEIGHTS = (".safetensors", ".bin")


@dataclass(frozen=True, slots=True)
class Size:
    """What is said, and the bytes of all weight files of one checkpoint; None where they were not listed."""

    said_gb: float
    model: str
    found_bytes: float | None
    source: str
    listed: bool  # by the hub, at the pinned commit


def observe(site: Site, stage: Stage) -> Size:
    """The catalog's size of the guide's model; once it is fetched, what the hub lists at the pinned commit."""
    pinned = site.inventory.model
    if stage is Stage.PLAN:
        size = model(GUIDE_MODEL).checkpoint_bytes
        return Size(SAID_GB, GUIDE_MODEL, size.value, size.source, listed=False)
    if pinned.catalog != GUIDE_MODEL:
        return Size(SAID_GB, pinned.catalog, None, "not listed", listed=False)
    at = hub_tree(site.inventory, site.head, pinned)
    files = [file.size for file in published(site.host(site.head.name), at) if file.path.endswith(WEIGHTS)]
    source = f"{at.repo}@{at.revision[:12]}, {len(files)} weight files"
    return Size(SAID_GB, pinned.catalog, float(sum(files)) if files else None, source, listed=True)


def judge(seen: Size, _inventory: Inventory) -> Finding:
    """The weight files together against the printed figure."""
    if seen.model != GUIDE_MODEL:
        return another_model(seen.model, GUIDE_MODEL, f"{GUIDE} §2.1")
    found = None if seen.found_bytes is None else seen.found_bytes / 1e9
    why = f"the hub lists no weight file: {seen.source}"
    if found is not None:
        why = f"{found:,.1f} GB of weights ({found / seen.said_gb - 1:+.0%}): {seen.source}"
    part = figure("size", found, seen.said_gb, "GB", why)
    return finding(
        (part,),
        good=why,
        expected=f"{seen.said_gb:g} GB",
        measured=part.measured,
        threshold=part.expected,
        source=f"{GUIDE} §2.1, §2.2, §4.1; {ROUNDED}",
        value=None if found is None else round(found, 1),
        unit="GB",
        notes=(
            "4 bits a parameter is the packed half byte of the routed experts alone: their scales add an eighth, and "
            "attention, shared experts, embeddings and head stay bf16",
        ),
        provenance=Provenance.VENDOR if seen.listed else Provenance.MODELLED,
    )


ASSUMPTION = Assumption(
    id="checkpoint-size-500-gb",
    guide=f"{GUIDE} §2.1, §2.2, §4.1",
    states="The INT4 weights of Kimi K2 Thinking take about 500 GB.",
    stages=(Stage.PLAN, Stage.WEIGHTS),
    severity=Severity.ADVISORY,
    remedy="Plan disk, network and memory for 594 GB; storage-capacity and memory-fit count the exact bytes.",
    version=1,
    observe=observe,
    judge=judge,
)
