"""The steps that flows are made of, each one a line in the run's timetable and an artifact in Prefect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, wait

from assumptions._core import Stage
from assumptions._registry import Claim, at
from assumptions._verdict import Verdict
from flows import artifacts
from flows.hosts_failed import problem_of
from flows.run import GateClosed, Run
from inventories.errors import Problem
from tasks.deploy import (
    promote_release,
    retreat_release,
    roll_back_release,
    settle_release,
    soak_release,
    stage_release,
    withdraw_release,
)
from tasks.narration import say
from tasks.operations.base import Change
from tasks.provision import prepare_host
from tasks.weights import fetch_weights


@task(name="judge", task_run_name="{stage}: judge {what}", cache_policy=NO_CACHE)
def judge_claim(run: Run, stage: str, what: str, claim: Claim) -> str:
    """One claim at one stage; FAIL is data, so the task run completes."""
    record = run.judge(claim, Stage(stage))
    return f"{record.finding.outcome}: {record.finding.because}"


def judge(run: Run, stage: Stage, only: Sequence[str] = ()) -> None:
    """Judge the claims of `stage`, all or those named; the flow goes on whatever they say."""
    with run.timed(f"judge {stage}"):
        _verdict(run, stage, only)


def gate(run: Run, stage: Stage) -> None:
    """Judge `stage` and go on only when nothing stands in the way."""
    with run.timed(f"judge {stage}"):
        verdict = _verdict(run, stage)
        if not verdict.open:
            raise GateClosed(str(stage), verdict)


def _verdict(run: Run, stage: Stage, only: Sequence[str] = ()) -> Verdict:
    """One claim after another: they share one server, and a load would spoil the others' answers."""
    for claim in at(stage):
        if not only or claim.id in only:
            judge_claim(run, str(stage), claim.id, claim)
    verdict = run.so_far(stage)
    artifacts.stage(run, stage, verdict)
    return verdict


def prepare(run: Run) -> list[Change]:
    """Every host at once; one host's failure is raised after the others have finished."""
    with run.timed("prepare"):
        names = [spec.name for spec in run.inventory.hosts]
        futures: list[PrefectFuture[list[Change]]] = [prepare_host.submit(run.site, name) for name in names]
        wait(futures)
        changes, failed = _outcomes(dict(zip(names, futures, strict=True)))
        artifacts.changes(run, "prepare", changes)
        if failed:
            raise problem_of(failed, len(names))
    return changes


def _outcomes(futures: Mapping[str, PrefectFuture[list[Change]]]) -> tuple[list[Change], dict[str, Problem]]:
    """What was done where it went well, and each other host's fault; what nobody foresaw is raised at once."""
    changes: list[Change] = []
    failed: dict[str, Problem] = {}
    for name, future in futures.items():
        try:
            changes += future.result()
        except Problem as problem:
            failed[name] = problem
    return changes, failed


def fetch(run: Run) -> list[Change]:
    """The model and each probe, on every host."""
    with run.timed("fetch"):
        pinned = (run.inventory.model, *run.inventory.probes)
        changes = [
            fetch_weights(run.site, host.name, model.catalog, model) for host in run.inventory.hosts for model in pinned
        ]
        artifacts.changes(run, "fetch", changes)
    return changes


def stage(run: Run) -> None:
    """The release answers on the host's loopback."""
    with run.timed("stage"):
        run.touched = True
        run.watch_service()
        stage_release(run.site, run.site.head.name)


def withdraw(run: Run) -> None:
    """Take an unproven candidate away; what is live stays."""
    with run.timed("withdraw"):
        withdraw_release(run.site, run.site.head.name)


def promote(run: Run) -> None:
    """Open the gateway to the proven release."""
    with run.timed("promote"):
        run.touched = True
        run.watch_service()
        before = run.site.live()
        after = promote_release(run.site, run.site.head.name)
        run.promoted = after.live != before


def soak(run: Run) -> None:
    """What was promoted goes on answering; then what was live before is stopped.

    A release that was live when the run began has had its soak.
    """
    serving = run.inventory.serving
    if run.promoted and serving.soak_s:
        with run.timed("soak"):
            answered = soak_release(run.site, run.site.head.name, serving.soak_s)
            say(f"soak: {answered} completions answered in {serving.soak_s} s")
    with run.timed("settle"):
        settle_release(run.site, run.site.head.name)


def retreat(run: Run) -> None:
    """Undo a promotion that was not proven live."""
    with run.timed("retreat"):
        retreat_release(run.site, run.site.head.name)


def roll_back(run: Run) -> None:
    """Serve what was live before."""
    with run.timed("roll back"):
        run.watch_service()
        roll_back_release(run.site, run.site.head.name)
