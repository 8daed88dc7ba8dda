"""`validate --stale`: judge again what a change or time has voided, and take the other answers over as they stand."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from assumptions._carried import FOLDER, taken_over
from assumptions._core import Stage
from assumptions._fingerprint import FLAGS, changed, fingerprint
from assumptions._plain import plain
from assumptions._registry import claim
from assumptions._tables import warm
from assumptions._terms import catalog_sha256, inventory_sha256, terms
from assumptions._verdict import Key
from flows.earlier import Answer, answers
from flows.run import Run, opened
from inventories.errors import Problem
from tasks.hosts import now
from tasks.narration import say


def validate_stale(inventory: str, context: int | None = None) -> Run:
    """A run over every claim in which only what is void or too old is looked at again."""
    with opened(inventory, "validate", context=context) as run:
        earlier = answers(run.folder)
        run.expect(tuple(Stage))
        warm()
        run.declare()
        run.ask_whether_simulated()
        void = voided(run, earlier)
        _carry(run, earlier, void)
        for stage in Stage:
            names = [name for name, when in run.expected if when is stage and (name, stage) in void]
            with run.timed(f"judge {stage}"):
                for name in names:
                    say(f"{stage}: {name}: {void[name, stage]}")
                    run.judge(claim(name), stage)
    return run


def voided(run: Run, earlier: Mapping[Key, Answer]) -> dict[Key, str]:
    """The answers that no longer count, each with the reason."""
    return {key: why for key in run.expected if (why := _void(run, earlier, key))}


def _void(run: Run, earlier: Mapping[Key, Answer], key: Key) -> str:
    name, stage = key
    answer = earlier.get(key)
    if answer is None:
        return "it was not judged before"
    record = answer.record
    if answer.unfit:
        return answer.unfit
    if record.expires_at is None or record.expires_at < now():
        return "its answer is too old"
    if record.not_again and record.observation is None:
        return f"it has no answer: {record.finding.because[:80]}"
    if _judged_otherwise(run, answer, name):
        return "it is judged by another inventory, catalog or judge now"
    if record.simulated:
        return "it was judged on simulated hardware"
    if parts := changed(record, _environment(run, stage)):
        return f"changed, or can't be told: {', '.join(parts)}"
    return ""


def _judged_otherwise(run: Run, answer: Answer, name: str) -> bool:
    own = terms(claim(name), inventory_sha256(run.inventory), catalog_sha256())
    return bool(answer.header["claims"].get(name) != plain(own))


def _environment(run: Run, stage: Stage) -> Mapping[str, str]:
    """As it is now, read once for all stages that have a host; what is served is what is live, not what is declared."""
    known = run.environments
    if stage is Stage.PLAN:
        known.setdefault(stage, fingerprint(run.site, stage))
    elif stage not in known:
        if Stage.LIVE not in known:
            known[Stage.LIVE] = fingerprint(run.site, Stage.LIVE)
            known[Stage.LIVE].pop(FLAGS, None)
            with suppress(Problem):
                live = run.site.live()
                known[Stage.LIVE] |= {FLAGS: live.release} if live else {}
        known[stage] = known[Stage.LIVE]
    return known[stage]


def _carry(run: Run, earlier: Mapping[Key, Answer], void: Mapping[Key, str]) -> None:
    """Take over what still holds, with the whole evidence of the runs that found it."""
    kept = [answer for key, answer in earlier.items() if key in set(run.expected) and key not in void]
    for answer in kept:
        taken = taken_over(answer.record, answer.folder.name)
        run.ledger.append(taken)
        _evidence(answer.folder, taken.carried, run.folder)
    say(f"{len(kept)} answers still hold, {len(void)} are judged again")


def _evidence(earlier: Path, name: str, folder: Path) -> None:
    """The folder of the run that judged, beside this one's; its own copies of others are not its evidence."""
    goal = folder / FOLDER / name
    if goal.exists():
        return
    source = earlier if name == earlier.name else earlier / FOLDER / name
    goal.mkdir(parents=True)
    for part in ("evidence.jsonl", "inventory.json", "plan.json", "run.json", "raw", "tables"):
        if (source / part).is_dir():
            shutil.copytree(source / part, goal / part)
        elif (source / part).exists():
            shutil.copy2(source / part, goal / part)
