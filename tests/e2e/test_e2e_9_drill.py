"""A small drill of what is really served: three lies are seen, and without them nothing fails."""

import json

import pytest

from tests.e2e.children import Child
from tests.e2e.proving_ground import BIN, NAME, ProvingGround

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1500)]
PAIRS = {
    ("thinking-budget", "budget-ignored"): "FAIL",
    ("thinking-budget", "thinking-uncounted"): "UNKNOWN",
    ("openai-api", "any-key"): "FAIL",
}


def test_three_lies_are_seen_and_nothing_else_fails(ground: ProvingGround) -> None:
    evidence = ground.folder / "drills"  # beside the runs, whose newest the other tests look for
    words = ["--only", "thinking-budget", "--only", "openai-api", "--healthy", "2", "--json"]
    faults = [word for fault in dict.fromkeys(fault for _, fault in PAIRS) for word in ("--fault", fault)]
    env = ground.env | {"BEACHHEAD_EVIDENCE": str(evidence)}
    child = Child([str(BIN / "beachhead"), "drill", NAME, *words, *faults], env, ground.folder / "commands")
    ground.children.append(child)
    done = child.wait(600)
    assert done.code == 0, done
    drilled = json.loads(done.out)
    said = {(pair["claim"], pair["fault"]): pair["outcome"] for pair in drilled["pairs"]}
    assert said == PAIRS
    totals = drilled["totals"]
    assert totals.pop("healthy_runs") >= 2  # two rounds, of which a claim that is slow here takes one
    assert totals == {"seen": 3, "played": 3, "false_alarms": 0, "missed": []}
    assert {run["outcome"] for run in drilled["healthy"]} == {"PASS"}
    kept = json.loads((evidence / NAME / "drill.json").read_text())
    assert kept["claims"] == []  # of neither claim every fault was played
