"""Claim: the weights on the host are the published ones, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Outcome, Part, Provenance, Sense, Severity, Stage
from assumptions._parts import because, check, worst
from inventories.schema import Host, Inventory, Model
from tasks.checkpoints import hub_tree, published
from tasks.facts.base import look
from tasks.facts.weights import DiskFile, DiskFiles, HubFile
from tasks.operations.weights import differing
from tasks.site import Site


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One pinned checkpoint: what the hub lists at that commit and what was read back from the host's disk."""

    repo: str
    revision: str
    wanted: tuple[HubFile, ...]
    found: tuple[DiskFile, ...]
    host: str = ""  # where there are several

    @property
    def name(self) -> str:
        """For parts and tables: the repository, behind its host where there are several."""
        return f"{self.host}: {self.repo}" if self.host else self.repo


def observe(site: Site, stage: Stage) -> tuple[Checkpoint, ...]:
    """The hub's list and fresh digests of every file, for the model and each probe, on every host."""
    pinned = (site.inventory.model, *site.inventory.probes)
    return tuple(_read(site, spec, each) for spec in site.specs for each in pinned)


def _read(site: Site, spec: Host, pinned: Model) -> Checkpoint:
    host, tree = site.host(spec.name), hub_tree(site.inventory, spec, pinned)
    folder = site.inventory.model_dir(pinned.catalog, tree.revision, spec)
    wanted, found = published(host, tree), look(host, DiskFiles(tree.python, folder), timeout=7200)
    return Checkpoint(tree.repo, tree.revision, wanted, found, spec.name if len(site.specs) > 1 else "")


def _parts(one: Checkpoint) -> Iterator[Part]:
    faults = differing(one.wanted, one.found)
    shown = "; ".join(f"{path}: {fault}" for path, fault in sorted(faults.items())[:5])
    good = len(one.wanted) - sum(1 for file in one.wanted if file.path in faults)
    said = shown or f"all {good} files agree in size and digest with {one.revision[:12]}"
    yield check(one.name, not faults, said, expected=f"{len(one.wanted)} files", measured=f"{good} files")
    broken = [f for f in one.found if f.header_error or (f.header_size is not None and f.header_size != f.size)]
    headers = sum(1 for f in one.found if f.header_size is not None or f.header_error)
    told = "; ".join(f"{f.path}: {f.header_error or f'header says {f.header_size} bytes'}" for f in broken[:5])
    yield check(
        f"{one.name}: headers",
        not broken if headers else None,
        told or f"{headers} safetensors headers agree with their file's size" if headers else "no safetensors file",
        expected="header length = file size",
        measured=f"{headers - len(broken)} of {headers}",
    )


def judge(seen: tuple[Checkpoint, ...], inventory: Inventory) -> Finding:
    """Every file of the commit is there with the right size and digest, and nothing else is."""
    parts = tuple(part for one in seen for part in _parts(one))
    total = sum(len(one.wanted) for one in seen)
    size = sum(file.size for one in seen for file in one.wanted)
    bad = sum(len(differing(one.wanted, one.found)) for one in seen)
    return Finding(
        outcome=worst(parts) if total else Outcome.UNKNOWN,
        because=because(
            parts, f"{total} files, {size / 1e9:.3f} GB, agree with the hub's digests at the pinned commits"
        ),
        expected=f"{total} files as the hub lists them at the pinned commits",
        measured=f"{bad} files differ, are missing or don't belong",
        threshold="0 files",
        threshold_source="the hub's tree at the pinned commit: lfs.oid (sha256), else the git blob's sha1",
        provenance=Provenance.MEASURED_HERE,
        value=float(bad),
        unit="files",
        limit=0.0,
        sense=Sense.MOST,
        parts=parts,
    )


def tables(seen: tuple[Checkpoint, ...]) -> Mapping[str, list[dict[str, Any]]]:
    """One row a published file."""
    rows = []
    for one in seen:
        found = {file.path: file for file in one.found}
        for file in one.wanted:
            have = found.get(file.path)
            rows.append(
                {
                    "path": f"{one.name}/{file.path}",
                    "size_expected": file.size,
                    "size": have.size if have else None,
                    "digest_kind": "sha256" if file.sha256 else "git-sha1",
                    "sha256_expected": file.sha256 or file.git_sha1,
                    "sha256": (have.sha256 if file.sha256 else have.git_sha1) if have else None,
                    "ok_digest": have is not None and file.path not in differing(one.wanted, one.found),
                }
            )
    return {"shards": rows}


ASSUMPTION = Assumption(
    id="weights-intact",
    guide="K2 Thinking guide §4.1, §8.2",
    states="The downloaded weights are exactly the published files of the pinned commit.",
    stages=(Stage.WEIGHTS,),
    severity=Severity.BLOCKING,
    remedy="Run `beachhead fetch` again: it deletes and fetches only the files that differ. Never serve them before.",
    version=1,
    observe=observe,
    judge=judge,
    tables=tables,
)
