"""Drill: a release that can't start is staged, as a mistyped flag makes one; what is live must go on serving."""

from __future__ import annotations

import copy
import time
from typing import Any

from inventories.errors import Problem
from tasks.hosts import Unreachable
from tasks.readiness import EngineDied, NotReady
from tasks.recovery.base import Drill
from tasks.recovery.result import Course
from tasks.recovery.scene import Scene
from tasks.recovery.staying import until_back
from tasks.releases import read_slots
from tasks.rollout import Rollout
from tasks.site import Site
from tasks.tenancy import tenancy

NO_PARSER = "beachhead-drill-no-such-parser"
SPOILT: dict[str, dict[str, Any]] = {  # by engine: an option that its own start refuses
    "vllm": {"reasoning_parser": NO_PARSER},
    "sglang": {"reasoning_parser": NO_PARSER},
}


def spoilt(site: Site) -> Site:
    """The same site, with an inventory whose release does not start."""
    engine = site.inventory.engine
    options = {**engine.options, **SPOILT[engine.kind]}
    other = copy.copy(site)
    other.inventory = site.inventory.model_copy(update={"engine": engine.model_copy(update={"options": options})})
    return other


class BadRelease:
    """The rollout's own stage, which takes away what does not come up; in-place that stops what is live meanwhile."""

    does = "stages a release with a flag that the engine refuses; in-place the live engine is stopped for that time"

    def why_not(self, scene: Scene) -> str:
        """Where no such flag is known, or a candidate is staged."""
        kind = scene.inventory.engine.kind
        if kind not in SPOILT:
            return f"no flag is known that {kind} refuses at its start"
        candidate = read_slots(scene.host, scene.root).candidate
        return f"release {candidate.release} is staged: it would be taken away" if candidate else ""

    def play(self, scene: Scene) -> Course:
        """Stage it; what is judged is the whole time without service, as the service watch has it."""
        site = scene.site
        with tenancy(scene.host, scene.root, site.run_id, scene.say):
            rollout = Rollout(spoilt(site), scene.say)
            try:
                rollout.stage()
            except (EngineDied, NotReady) as refused:
                did, took = f"staged a release that did not start: {refused.what[:160]}", True
            except Unreachable:
                raise
            except Problem as other:
                did, took = f"staging a bad release failed otherwise: {other.what[:160]}", None
            else:
                did, took = f"staged a release with {NO_PARSER}, and the engine took it", None
                rollout.withdraw()
        return until_back(scene, "bad_release", did, took, time.monotonic(), None)


DRILL: Drill = BadRelease()
