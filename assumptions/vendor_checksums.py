"""Claim: the vendor provides checksums for the weights.  The hub's list at the pinned commit, file by file."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Provenance, Sense, Severity, Stage
from assumptions._paper import GUIDE, finding
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.checkpoints import hub_tree, published
from tasks.facts.weights import HubFile
from tasks.site import Site

WEIGHTS = (".safetensors", ".bin", ".gguf")
ORIGIN = (
    "the digests come from the hub that gives the files: they show damage on the way and on disk; that the vendor made "
    "the files, only the commit's author on the hub says, for no signature is published"
)


@dataclass(frozen=True, slots=True)
class Published:
    """The pinned checkpoint, and its files as the hub lists them."""

    repo: str
    revision: str
    files: tuple[HubFile, ...]


def observe(site: Site, stage: Stage) -> Published:
    """The hub's list at the pinned commit, asked from the serving host."""
    at = hub_tree(site.inventory, site.head, site.inventory.model)
    return Published(at.repo, at.revision, published(site.host(site.head.name), at))


def judge(seen: Published, _inventory: Inventory) -> Finding:
    """Every weight file has a SHA-256, every other file at least git's own digest."""
    weights = [file for file in seen.files if file.path.endswith(WEIGHTS)]
    rest = [file for file in seen.files if not file.path.endswith(WEIGHTS)]
    without = [file.path for file in weights if not file.sha256]
    bare = [file.path for file in rest if not (file.sha256 or file.git_sha1)]
    told = f"{len(weights) - len(without)} of {len(weights)} weight files have a SHA-256"
    told += f": not {', '.join(without[:3])}" if without else ""
    parts = (
        check("weights", not without if weights else None, told if weights else "no weight file is listed"),
        check("other files", not bare, f"{len(rest) - len(bare)} of {len(rest)} other files have a digest"),
    )
    return finding(
        parts,
        good=f"{told}, and every other file git's digest, at {seen.revision[:12]}",
        expected="a SHA-256 for every weight file at the pinned commit",
        measured=told,
        source=f"{GUIDE} §8.2; the hub's tree at the pinned commit: lfs.oid is the file's SHA-256",
        value=float(len(without)),
        unit="weight files without",
        limit=0.0 if weights else None,
        sense=Sense.MOST,
        notes=(ORIGIN, "weights-intact compares them with what lies on the disk"),
        provenance=Provenance.VENDOR,
    )


ASSUMPTION = Assumption(
    id="vendor-checksums",
    guide=f"{GUIDE} §8.2",
    states="The vendor provides checksums for the weights.",
    stages=(Stage.WEIGHTS,),
    severity=Severity.ADVISORY,
    remedy="Take the weights from a hub that lists a SHA-256 for each file, or ask the vendor for a signed list.",
    version=1,
    observe=observe,
    judge=judge,
)
