"""Recovery drills on the serving host, timed and recorded: only those that are named, allowed and agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assumptions._core import Part, Stage
from assumptions._fingerprint import fingerprint
from assumptions._recovery_records import FLOW, KIND, Recorded, entry
from assumptions._registry import claim
from flows.run import Run, opened
from inventories.errors import BadInput
from inventories.load import load
from inventories.recovery import Drill as Name
from inventories.schema import Inventory
from tasks.narration import say
from tasks.recovery.base import drill
from tasks.recovery.playing import played
from tasks.recovery.result import Drilled
from tasks.recovery.scene import opened as scene_of

CLAIM = "recovery-within-objectives"
AGREE = "--yes-this-stops-service"
NAMES: tuple[str, ...] = Name.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Played:
    """The run, each drill's record in order, and the parts of the claim's finding about them."""

    run: Run
    drills: tuple[Drilled, ...]
    parts: tuple[Part, ...]


def named(words: Sequence[str]) -> tuple[str, ...]:
    """The drills in `words`, which may be lists with commas; BadInput for one that there is not, or none."""
    found = [name.strip().replace("-", "_") for word in words for name in word.split(",") if name.strip()]
    if not found or (unknown := [name for name in found if name not in NAMES]):
        raise BadInput(
            f"there is no drill called {unknown[0]!r}" if found else "no drill is named, and none is played unasked",
            where="--drill",
            fix=f"one or more of: {', '.join(NAMES)}",
        )
    return tuple(dict.fromkeys(found))


def refuse(inventory: Inventory, names: Sequence[str], *, agreed: bool) -> None:
    """Raise BadInput unless the inventory allows each drill and somebody has agreed; no host is asked."""
    where = f"inventory {inventory.name}"
    if inventory.serving.runtime == "kubernetes" or len(inventory.hosts) > 1:
        raise BadInput(
            "drills are built for one serving host, with processes or Docker Compose",
            where=f"{where}: serving.runtime, hosts",
            fix="play faults in a cluster with its own means",
        )
    forbidden = [name for name in names if name not in inventory.recovery.drills]
    if forbidden:
        raise BadInput(
            f"this inventory does not allow {', '.join(forbidden)}",
            where=f"{where}: recovery.drills",
            fix=f"whoever answers for it adds {', '.join(forbidden)} there; docs/how-to/drill-recovery.md says how",
        )
    if not agreed:
        told = "; ".join(f"{name}: {drill(name).does}" for name in names)
        raise BadInput(
            f"this would hurt {inventory.hosts[0].name}: {told}",
            where=f"{where}: {', '.join(names)}",
            fix=f"at a quiet hour, say {AGREE}",
        )


def play(inventory: str, names: Sequence[str], *, agreed: bool) -> Played:
    """One drill after another, each on the trail before the next begins; one that left something hurt is the last."""
    refuse(load(inventory), names, agreed=agreed)
    drills: list[Drilled] = []
    parts: tuple[Part, ...] = ()
    with opened(inventory, FLOW) as run:
        run.expected = ((CLAIM, Stage.LIVE),)
        run.declare()
        run.ask_whether_simulated()
        scene, around = scene_of(run.site, say), fingerprint(run.site, Stage.LIVE)
        for name in names:
            with run.timed(f"drill {name}"):
                done = played(scene, name)
                run.site.trail.record(KIND, **entry(Recorded(done, around)))
            drills.append(done)
            if done.course is not None and (done.course.left or done.unusable):
                break
        with run.timed("judge live"):
            finding = run.judge(claim(CLAIM), Stage.LIVE).finding
        parts = tuple(part for part in finding.parts if part.name in names)
        for part in parts:
            run.links[f"drill {part.name}"] = f"{part.outcome}: {part.because}"
    return Played(run, tuple(drills), parts)
