"""Each drill that an inventory may allow is there; what is refused; how processes are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.recovery import NAMES, named, refuse
from inventories.errors import BadInput
from inventories.load import load
from inventories.recovery import Recovery
from tasks.facts.base import NotUnderstood
from tasks.recovery.bad_release import spoilt
from tasks.recovery.base import drill
from tasks.recovery.engine_processes import EngineProcess, EngineProcessesFact, signal_words, still
from tasks.recovery.scene import Standing, lost
from tasks.releases import Slot, Slots, wanted
from tasks.site import Site
from tests.recorded import recordings

REHEARSAL = recordings.rehearsal()


@pytest.mark.parametrize("name", NAMES)
def test_each_drill_says_what_it_does(name: str) -> None:
    assert len(drill(name).does) > 40


def test_names_come_in_lists_and_with_dashes() -> None:
    assert named(["kill,disk-full", "kill"]) == ("kill", "disk_full")
    for words in ([], [" , "], ["kill,flood"]):
        with pytest.raises(BadInput):
            named(words)


def test_no_shipped_inventory_allows_a_drill() -> None:
    for name in ("rehearsal", "h200x8", "a100x8"):
        with pytest.raises(BadInput, match="does not allow kill"):
            refuse(load(name), ["kill"], agreed=True)


def test_agreement_and_allowance_are_both_needed() -> None:
    allowing = REHEARSAL.model_copy(update={"recovery": Recovery(drills=("kill",))})
    refuse(allowing, ["kill"], agreed=True)
    with pytest.raises(BadInput, match="SIGKILL"):
        refuse(allowing, ["kill"], agreed=False)
    with pytest.raises(BadInput, match="does not allow freeze"):
        refuse(allowing, ["kill", "freeze"], agreed=True)


def test_clusters_and_several_hosts_are_refused() -> None:
    allows = {"recovery": Recovery(drills=("kill",))}
    for inventory in (load("k8s-h200x8"), load("a100x16")):
        with pytest.raises(BadInput, match="one serving host"):
            refuse(inventory.model_copy(update=allows), ["kill"], agreed=True)


def test_processes_are_read_or_not_at_all() -> None:
    read = EngineProcessesFact("true").parse
    assert read("4711 88123 S VLLM::EngineCor\n4713 88127 T my (odd) name\n4714 9 Z gone\n") == (
        EngineProcess(4711, 88123, "S", "VLLM::EngineCor"),
        EngineProcess(4713, 88127, "T", "my (odd) name"),
    )
    assert read("") == ()
    with pytest.raises(NotUnderstood):
        read("sed: command not found")


def test_a_number_that_was_given_again_is_another_process() -> None:
    first, again = EngineProcess(4711, 88123, "S", "x"), EngineProcess(4711, 99000, "S", "y")
    assert still([first], [again]) == () and still([first], [EngineProcess(4711, 88123, "T", "x")])
    assert "4711:88123" in signal_words("CONT", [first])


def test_a_bad_release_is_another_release(tmp_path: Path) -> None:
    site = Site(REHEARSAL, tmp_path)
    bad = spoilt(site)
    assert wanted(bad.inventory, bad.head).id != wanted(site.inventory, site.head).id
    assert site.inventory is REHEARSAL and bad.trail is site.trail
    site.close()


def test_what_is_lost_is_named() -> None:
    before = Standing(Slots(live=Slot("a", 1)), watched=True, breaker="", journal_lines=9)
    assert lost(before, before) == () == lost(before, Standing(before.slots, True, "", 12))
    said = lost(before, Standing(Slots(), watched=False, breaker="3 restarts", journal_lines=0))
    assert len(said) == 4 and "breaker is open" in said[2]
