"""A release is everything that decides an answer; slots are one small file on the host."""

from pathlib import Path
from typing import Any

import pytest

from inventories.errors import BadInput, Problem
from inventories.schema import Inventory
from tasks.engines.base import PORT
from tasks.facts.base import NotUnderstood
from tasks.fake import FakeHost
from tasks.hosts import Unreachable
from tasks.local import LocalHost
from tasks.releases import Slot, Slots, keep, kept, read_slots, wanted, write_slots
from tests.recorded import recordings

REHEARSAL = recordings.rehearsal()
HEAD = REHEARSAL.hosts[0]
HOST = LocalHost()
READ = "if [ -e /r/state/slots.json ]; then echo present; cat /r/state/slots.json; else echo absent; fi"


def changed(part: str, **changes: Any) -> Inventory:
    return REHEARSAL.model_copy(update={part: getattr(REHEARSAL, part).model_copy(update=changes)})


def test_the_same_inventory_gives_the_same_release() -> None:
    assert wanted(REHEARSAL, HEAD) == wanted(recordings.rehearsal(), HEAD)
    assert len(wanted(REHEARSAL, HEAD).id) == 12


@pytest.mark.parametrize(
    "other",
    [
        changed("serving", context_tokens=16_384),
        changed("model", revision="0" * 40),
        changed("engine", options={**REHEARSAL.engine.options, "kv_cache_gib": 2}),
        changed("engine", options={**REHEARSAL.engine.options, "reasoning_parser": "x"}),
        changed("engine", tensor_parallel=2),
    ],
)
def test_what_changes_an_answer_changes_the_release(other: Inventory) -> None:
    assert wanted(other, HEAD).id != wanted(REHEARSAL, HEAD).id


@pytest.mark.parametrize(
    "other",
    [
        changed("serving", slots=(1, 2)),
        changed("serving", live_port=1),
        changed("serving", start_budget_s=99),
        REHEARSAL.model_copy(update={"title": "another"}),
    ],
)
def test_what_does_not_leaves_it(other: Inventory) -> None:
    assert wanted(other, HEAD).id == wanted(REHEARSAL, HEAD).id


def test_an_unpinned_model_has_no_release() -> None:
    with pytest.raises(BadInput, match="not pinned"):
        wanted(changed("model", revision=None), HEAD)


def test_the_port_is_put_in_at_the_end() -> None:
    release = wanted(REHEARSAL, HEAD)
    argv = release.argv(8001)
    assert argv[0] == release.program and PORT not in argv and "8001" in argv
    assert len(argv) == len(release.arguments) + 1


def test_slots_as_recorded() -> None:
    for name, live, candidate in (("empty", None, None), ("candidate", None, True), ("live", True, None)):
        slots = read_slots(FakeHost("box", {READ: recordings.text(f"slots-{name}.txt")}), "/r")
        slot = Slot("a4c2be2949e8", 22101)
        assert slots == Slots(live=slot if live else None, candidate=slot if candidate else None)


def test_no_file_means_that_nothing_was_served() -> None:
    assert read_slots(FakeHost("box", {READ: "absent\n"}), "/r") == Slots()


@pytest.mark.parametrize(
    "text", ["", "nothing", "[]", "{}", '{"live": {"port": 1}, "candidate": null, "previous": null}', "null",
             '{"live": {"release": "x", "port": "y"}, "candidate": null, "previous": null}', '{"live": 1}']
)  # fmt: skip
def test_a_broken_file_is_a_problem_and_never_no_slots(text: str) -> None:
    with pytest.raises(NotUnderstood):
        read_slots(FakeHost("box", {READ: f"present\n{text}"}), "/r")


def test_an_unreachable_host_is_not_an_empty_one() -> None:
    with pytest.raises(Unreachable):
        read_slots(FakeHost("box", {READ: Unreachable("gone", where="box", fix="wait")}), "/r")


def test_live_goes_before_candidate() -> None:
    slots = Slots(live=Slot("a", 1), candidate=Slot("b", 2), previous=Slot("c", 3))
    assert [slots.serving(name) for name in "abc"] == [Slot("a", 1), Slot("b", 2), None]
    assert Slots(Slot("a", 1), Slot("a", 2)).serving("a") == Slot("a", 1)


def test_slots_and_releases_come_back_from_a_real_disk(tmp_path: Path) -> None:
    root = str(tmp_path / "it's a root")
    slots = Slots(live=Slot("a", 1), previous=Slot("b", 2))
    assert read_slots(HOST, root) == Slots()
    assert write_slots(HOST, root, slots) == slots == read_slots(HOST, root)
    assert write_slots(HOST, root, Slots()) == read_slots(HOST, root)
    release = wanted(REHEARSAL, HEAD)
    keep(HOST, root, release)
    assert kept(HOST, root, release.id) == release
    assert not list(Path(root).rglob("*.part"))


def test_a_release_that_was_not_kept(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="release 0123 is not known"):
        kept(HOST, str(tmp_path), "0123")
    (tmp_path / "releases/0123").mkdir(parents=True)
    for text in ("{", "{}", '{"arguments": 1}', '{"arguments": [], "more": 1}'):
        (tmp_path / "releases/0123/release.json").write_text(text)
        with pytest.raises(Problem):
            kept(HOST, str(tmp_path), "0123")
