"""A new release: its worker killed, adopted by the next run, approved by a person, rolled back, withdrawn."""

import json
import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import pytest

from rehearsal.processes import Started
from tests.e2e.children import until
from tests.e2e.proving_ground import ENDED, NAME, OTHER_CONTEXT, ProvingGround

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]


@dataclass(frozen=True)
class Killed:
    """What a run that was killed left: its id in Prefect, and the engine that it had just started."""

    run_id: str
    slot: dict[str, Any]
    engine: Started
    live: dict[str, Any]


@pytest.fixture(scope="module")
def killed(ground: ProvingGround) -> Killed:
    """`beachhead provision` with another context, killed while the new release's engine starts."""
    live, before = ground.slots()["live"], _running(ground)
    child = ground.start("provision", NAME, "--yes", "--context", str(OTHER_CONTEXT))
    until("the engine of the new release starts", lambda: "engine starts" in child.err, seconds=180, every=0.1)
    os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait(10)
    slot = ground.slots()["candidate"]
    engine = ground.engine(slot)
    assert engine, child.err
    (run_id,) = _running(ground) - before
    return Killed(run_id, slot, engine, live)


def _running(ground: ProvingGround) -> set[str]:
    filters = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}, "flows": {"name": {"any_": ["provision"]}}}
    return {run["id"] for run in ground.post("/flow_runs/filter", filters)}


def _waits_for_a_person(ground: ProvingGround) -> str:
    """A run through the worker, up to the form."""
    run_id, _ = ground.deployment_run("provision", NAME, "--param", f"context={OTHER_CONTEXT}")
    run = ground.reaches(run_id, "PAUSED", seconds=300)
    assert run["state_name"] == "Paused"
    return run_id


def _answer(ground: ProvingGround, run_id: str, decision: str) -> dict[str, Any]:
    form = {"decision": decision, "approved_by": "Ada Tester", "note": f"chose to {decision}"}
    said = ground.post(f"/flow_runs/{run_id}/resume", {"run_input": form})
    assert said["status"] == "ACCEPT", said
    return ground.reaches(run_id, *ENDED, seconds=180)


def test_a_killed_run_stays_running_in_prefect_and_what_is_live_is_untouched(
    ground: ProvingGround, killed: Killed
) -> None:
    time.sleep(3)
    assert ground.flow_run(killed.run_id)["state_type"] == "RUNNING"
    assert ground.slots()["live"] == killed.live
    assert ground.ask()


def test_the_next_run_adopts_what_was_left_and_goes_live_when_a_person_approves(
    ground: ProvingGround, killed: Killed
) -> None:
    run_id = _waits_for_a_person(ground)
    crashed = ground.flow_run(killed.run_id)
    assert crashed["state_type"] == "CRASHED", crashed["state"]
    assert "its worker died" in crashed["state"]["message"]
    assert ground.slots() == {"live": killed.live, "candidate": killed.slot, "previous": None}
    assert ground.ask()

    run = _answer(ground, run_id, "promote")
    assert (run["state_type"], run["state_name"]) == ("COMPLETED", "GO"), run["state"]
    assert ground.slots() == {"live": killed.slot, "candidate": None, "previous": killed.live}
    assert ground.engine(killed.slot) == killed.engine  # the very process that the killed run had started
    start = f"start engine {killed.slot['release']} on port {killed.slot['port']}"
    starts = [entry for entry in ground.journal() if any(start in step for step in entry["steps"])]
    assert len(starts) == 1
    assert not ground.engine(killed.live)
    facts = json.loads((ground.newest_run() / "run.json").read_text())
    assert facts["links"]["approved"] == "by Ada Tester: chose to promote"
    assert ground.ask()


def test_rolling_back_serves_the_release_before(ground: ProvingGround, killed: Killed) -> None:
    done = ground.beachhead("rollback", NAME, "--json")
    assert done.code == 0, done
    assert ground.slots() == {"live": killed.live, "candidate": None, "previous": killed.slot}
    assert ground.engine(killed.live)
    assert not ground.engine(killed.slot)
    assert len(ground.engines()) == 1
    assert ground.ask()


@pytest.mark.long
def test_a_release_that_a_person_withdraws_is_taken_away(ground: ProvingGround, killed: Killed) -> None:
    slots = ground.slots()
    engine = ground.engine(slots["live"])
    run_id = _waits_for_a_person(ground)
    staged = ground.slots()["candidate"]
    assert staged["release"] == killed.slot["release"]
    assert ground.engine(staged)
    run = _answer(ground, run_id, "withdraw")
    assert (run["state_type"], run["state_name"]) == ("FAILED", "UNKNOWN"), run["state"]
    assert "Ada Tester chose to withdraw" in run["state"]["message"]
    assert ground.slots() == slots
    assert not ground.engine(staged)
    assert ground.engine(slots["live"]) == engine
    assert ground.ask()
