"""Recovery drills on real vLLM: killed, frozen, and a bad release staged beside it; timed and on the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inventories.load import load
from tasks.operations.base import converge
from tasks.site import Site
from tasks.watching import watching
from tests.e2e.proving_ground import NAME, ProvingGround

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.timeout(1500),
]  # run alone, the first one waits for the deployment
AGREED = "--yes-this-stops-service"
OBJECTIVES = {"kill": 150, "freeze": 180, "bad_release": 0}


def drilled(declared: dict[str, Any]) -> None:
    """Drills are allowed, and the watchdog looks more often."""
    declared["recovery"] = {"drills": list(OBJECTIVES), "within_s": dict(OBJECTIVES)}
    declared["serving"]["watch"] = {"every_s": 2, "deadline_s": 5, "restarts": 20}
    declared["serving"]["start_budget_s"] = 120


@pytest.fixture(scope="module")
def quick(ground: ProvingGround, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An inventory that allows drills, and its watchdog in the place of the usual one."""
    file = ground.inventory("drilled", drilled)
    folder = tmp_path_factory.mktemp("watchdogs")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BEACHHEAD_HOME", "BEACHHEAD_FIND_LINKS"):
            patch.setenv(name, ground.env[name])
        _watch(file, folder / "quick")
        yield file
        _watch(ground.folder / "inventories" / f"{NAME}.yaml", folder / "usual")


def _watch(file: Path, folder: Path) -> None:
    site = Site(load(str(file)), folder)
    try:
        for operation in watching(site):
            converge(site.host(site.head.name), operation)
    finally:
        site.close()


def test_without_a_word_of_agreement_nothing_is_hurt(ground: ProvingGround, quick: Path) -> None:
    before = ground.engine(ground.slots()["live"])
    said = ground.beachhead("recovery-drill", str(quick), "--drill", "kill")
    assert said.code == 2, said
    assert AGREED in said.err
    said = ground.beachhead("recovery-drill", NAME, "--drill", "kill", AGREED)
    assert said.code == 2, said
    assert "does not allow kill" in said.err
    assert ground.engine(ground.slots()["live"]) == before


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_it_comes_back_by_itself_within_its_objective(ground: ProvingGround, quick: Path, name: str) -> None:
    slots = ground.slots()
    before = ground.engine(slots["live"])
    said = ground.beachhead("recovery-drill", str(quick), "--drill", name, AGREED, "--json", seconds=400)
    assert said.code in (0, 1), said
    told = said.told
    (drill,), course = told["drills"], told["drills"][0]["course"]
    print(f"{name}: back after {course['back_s']:.1f} s, {drill['seen']['without_s']} s without service")
    assert [part["outcome"] for part in told["parts"] if part["name"] == name] == ["PASS"], said
    assert course["took"] is True and course["helped"] == course["left"] == ""
    assert drill["same_words"] is not False and drill["lost"] == []
    assert ground.slots() == slots
    after = ground.engine(slots["live"])
    assert after and (after == before) == (name == "bad_release")
    assert ground.ask()
    run = ground.newest_run()
    entries = [json.loads(line) for line in (run / "raw" / "trail.jsonl").read_text().splitlines()]
    assert [each["drilled"]["drill"] for each in entries if each["kind"] == "recovery drill"] == [name]


def test_the_claim_reads_what_was_recorded(ground: ProvingGround, quick: Path) -> None:
    said = ground.beachhead("validate", str(quick), "--only", "recovery-within-objectives", "--json")
    (record,) = said.told["claims"]
    assert record["finding"]["outcome"] == "PASS", record["finding"]
    assert {each["name"] for each in record["finding"]["parts"]} == set(OBJECTIVES)
