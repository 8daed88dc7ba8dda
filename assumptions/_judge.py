"""Judges one claim at one stage: look, judge, write the record.  What can't be seen is UNKNOWN, with the reason."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assumptions._core import Evidence, Finding, Outcome, Provenance, Stage
from assumptions._registry import Claim
from inventories.errors import Problem
from tasks.engines.base import engine
from tasks.hosts import now
from tasks.site import Site

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Judged:
    """The record and the rows that the claim gives for tables."""

    evidence: Evidence
    tables: Mapping[str, list[dict[str, Any]]]


@cache
def product() -> str:
    """Version and commit of this code; `+changes` where the checkout is not clean."""
    root = Path(__file__).parents[1]
    git = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+changes"]
    try:
        done = subprocess.run(git, capture_output=True, text=True, check=False, timeout=10)
        commit = done.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        commit = ""
    return f"beachhead {version('beachhead')} {commit}".strip()


def judge(site: Site, claim: Claim, stage: Stage) -> Judged:
    """Look and judge; every error on the way makes the claim UNKNOWN, never PASS and never FAIL."""
    at, began = now(), time.monotonic()
    tables: Mapping[str, list[dict[str, Any]]] = {}
    with site.trail.collecting() as trail:
        try:
            seen = claim.observe(site, stage)
            finding = claim.judge(seen, site.inventory)
            tables = claim.tables(seen)
        except Problem as problem:
            finding = _unseen(f"could not look: {problem.what}", problem.where)
        except Exception as error:
            log.debug("claim %s at %s", claim.id, stage, exc_info=True)
            finding = _unseen(f"could not look: {type(error).__name__}: {str(error)[:300]}", "")
    finding = _clean(site, finding)
    reason = site.inventory.may_stay_unknown.get(claim.id, "")
    host, served_by = _identity(site, stage)
    evidence = Evidence(
        claim=claim.id,
        version=claim.version,
        stage=stage,
        severity=claim.severity,
        guide=claim.guide,
        states=claim.states,
        remedy=claim.remedy,
        finding=finding,
        started_at=at,
        seconds=round(time.monotonic() - began, 3),
        trail=tuple(trail),
        host=host,
        engine=served_by,
        model=f"{site.inventory.model.catalog}@{site.inventory.model.revision or 'not pinned'}",
        product=product(),
        excused=reason if finding.outcome is Outcome.UNKNOWN else "",
    )
    return Judged(evidence, tables)


def _clean(site: Site, finding: Finding) -> Finding:
    """The finding with every text in it redacted."""
    text = site.redactor.text
    parts = tuple(
        replace(part, because=text(part.because), expected=text(part.expected), measured=text(part.measured))
        for part in finding.parts
    )
    return replace(
        finding,
        because=text(finding.because),
        expected=text(finding.expected),
        measured=text(finding.measured),
        parts=parts,
        notes=tuple(map(text, finding.notes)),
    )


def _identity(site: Site, stage: Stage) -> tuple[str, str]:
    """Host and engine: as declared at PLAN, as found afterwards; "not read" where they could not be."""
    names = ", ".join(spec.name for spec in site.specs)
    declared = engine(site.inventory.engine.kind).describe(site.inventory)
    if stage is Stage.PLAN:
        return f"{names} (declared)", f"{declared} (declared)"
    try:
        return site.identity()
    except Problem:
        return f"{names} (not read)", f"{declared} (declared; not read)"


def _unseen(because: str, where: str) -> Finding:
    return Finding(
        outcome=Outcome.UNKNOWN,
        because=because,
        expected="an observation",
        measured=where or "nothing",
        threshold="",
        threshold_source="",
        provenance=Provenance.MEASURED_HERE,
    )
