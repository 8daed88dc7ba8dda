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
from assumptions._observation import NotAgain, clean, judged, read_back, recorded
from assumptions._registry import Claim
from inventories.errors import Problem
from inventories.schema import Inventory
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What looking and judging gave, and what of it can be judged again."""

    finding: Finding
    tables: Mapping[str, list[dict[str, Any]]]
    observation: Any = None
    not_again: str = ""


def judge(site: Site, claim: Claim, stage: Stage) -> Judged:
    """Look and judge; every error on the way makes the claim UNKNOWN, never PASS and never FAIL."""
    at, began = now(), time.monotonic()
    with site.trail.collecting() as trail:
        told = _look(site, claim, stage)
    finding = told.finding
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
        trail_sha256=tuple(map(site.trail.digest, trail)),
        observation=told.observation,
        not_again=told.not_again,
    )
    return Judged(evidence, told.tables)


def _look(site: Site, claim: Claim, stage: Stage) -> _Seen:
    """Observe, judge, and judge once more from what goes on the record."""
    seen = None
    try:
        seen = claim.observe(site, stage)
        finding = judged(claim, seen, site.inventory)
        tables = claim.tables(seen)
    except Exception as error:
        log.debug("claim %s at %s", claim.id, stage, exc_info=True)
        finding, tables = failed(error), {}
    if seen is None:
        return _Seen(clean(finding, site.redactor), {}, None, "nothing was observed")
    return _again(site, claim, seen, _Seen(clean(finding, site.redactor), site.redactor.tree(tables)))


def _again(site: Site, claim: Claim, seen: object, told: _Seen) -> _Seen:
    """A finding that does not follow from the record is UNKNOWN: nobody could check it."""
    try:
        observation = recorded(seen, site.redactor)
        finding = rejudged(claim, observation, site.inventory)
    except NotAgain as why:
        return replace(told, not_again=site.redactor.text(str(why)))
    said = clean(finding, site.redactor)
    if said.outcome is told.finding.outcome:
        return replace(told, finding=said, observation=observation)  # what is said follows from what is recorded
    differs = f"the judge says {told.finding.outcome} of what it saw and {said.outcome} of what was recorded of it"
    return replace(told, finding=_unseen(differs, ""), observation=observation, not_again=differs)


def rejudged(claim: Claim, observation: Any, inventory: Inventory) -> Finding:
    """What the claim's judge says of a recorded observation.  NotAgain where that can't be read."""
    seen = read_back(claim, observation)
    try:
        return judged(claim, seen, inventory)
    except Exception as error:
        return failed(error)


def failed(error: Exception) -> Finding:
    """UNKNOWN, because looking or judging raised."""
    if isinstance(error, Problem):
        return _unseen(f"could not look: {error.what}", error.where)
    return _unseen(f"could not look: {type(error).__name__}: {str(error)[:300]}", "")


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
