"""A watchdog is set up, replaced when its config changes, and taken away, on this machine by a user without sudo."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventories.errors import BadInput
from inventories.load import load
from tasks.facts.base import NotUnderstood, look
from tasks.facts.process import ProcessFact
from tasks.facts.watch import ServiceManager, ServiceManagerFact, WatchFact
from tasks.operations.base import converge
from tasks.operations.watch import Unwatched, Watched
from tasks.operations.watch_config import NotWatchable, Watch
from tasks.releases import Slot
from tasks.remote.watch_host import stat_of
from tests.watch.scene import HOST, QUICK, REPOSITORY, Scene, scene, until

pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")]
BOOTED = "@@ user\nops\n@@ python\n/usr/bin/python3\n@@ systemd\nyes\n"
SAMPLE = """\
@@ process
running 4711
@@ state
{"mark": "m", "pid": 4711, "at": "2026-11-22T21:00:30+00:00", "boot": "b", "uptime": 100.0,
 "live": {"release": "aaaaaaaaaaaa", "port": 8001}, "restarts_in_window": 1,
 "state": {"phase": "serving", "since": 1.0, "failures": 0, "fault_at": null, "restarts": [50.0], "breaker": "",
  "note": "", "last_ok": 90.0}}
@@ events
{"at": "2026-11-22T21:00:00+00:00", "event": "restart", "release": "aaaaaaaaaaaa", "port": 8001, "why": "frozen",
{"at": "2026-11-22T21:00:00+00:00", "event": "restart", "release": "a", "why": "frozen", "processes": ["1 T x"]}
{"at": "2026-11-22T21:00:09+00:00", "event": "recovered", "release": "a", "seconds": 9.5}
"""


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.prepare()
        yield made
        converge(HOST, Unwatched(str(tmp_path)))


def watchdog(at: Scene) -> int | None:
    return look(HOST, ProcessFact(f"{at.root}/run/watch.pid")).pid


def test_it_runs_once_and_a_second_run_changes_nothing(at: Scene) -> None:
    wanted = Watched(str(at.root), QUICK)
    assert not any(step.sudo for step in wanted.plan(HOST))
    done = converge(HOST, wanted)
    assert done.steps[-1].startswith("start the watchdog, without a unit")
    pid = watchdog(at)
    assert pid and converge(HOST, wanted).steps == () and watchdog(at) == pid
    until(lambda: at.pid(), 20, "the live engine was started")
    at.await_answer()


def test_another_config_replaces_it_and_the_engine_stays(at: Scene) -> None:
    converge(HOST, Watched(str(at.root), QUICK))
    until(lambda: at.pid(), 20)
    at.await_answer()
    engine, first = at.pid(), watchdog(at)
    changed = Watched(str(at.root), replace(QUICK, failures=5))
    assert len(converge(HOST, changed).steps) == 2 and converge(HOST, changed).steps == ()
    assert watchdog(at) not in (None, first) and stat_of(first or 0)[1:2] in ([], ["Z"])
    assert at.pid() == engine and at.told().count("restart") == 1


def test_one_that_died_and_one_whose_files_were_changed_are_mended(at: Scene) -> None:
    wanted = Watched(str(at.root), QUICK)
    converge(HOST, wanted)
    first = watchdog(at)
    os.kill(first or 0, 9)
    until(lambda: watchdog(at) is None, 5)
    assert not at.look().running and at.look().enabled
    converge(HOST, wanted)
    second = watchdog(at)
    assert second not in (None, first)
    (at.root / "watch/tasks/remote/watch_rules.py").write_text("raise SystemExit('changed by somebody')\n")
    converge(HOST, wanted)
    assert watchdog(at) not in (None, second) and converge(HOST, wanted).steps == ()


def test_taken_away_it_is_gone_and_the_engine_stays(at: Scene) -> None:
    converge(HOST, Watched(str(at.root), QUICK))
    until(lambda: at.pid(), 20)
    engine = at.pid()
    assert converge(HOST, Unwatched(str(at.root))).steps == ("stop the watchdog",)
    assert converge(HOST, Unwatched(str(at.root))).steps == ()
    assert watchdog(at) is None and at.pid() == engine
    found = at.look()
    assert not found.enabled and not found.running and found.state, "what it knew is still to be read"
    os.killpg(engine or 0, 9)
    time.sleep(2)
    assert at.pid() is None


def test_a_root_that_no_unit_can_carry_is_refused() -> None:
    for root in ("relative", "/with space", "/a\nUser=root", "/100%"):
        with pytest.raises(BadInput):
            Watched(root, QUICK)


def test_the_config_is_what_the_inventory_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEACHHEAD_CHECKOUT", "/srv/beachhead")
    inventory = load("rehearsal")
    config = Watch.of(inventory, 300)
    told = json.loads(config.text("/opt/beachhead", "m"))
    declared = inventory.serving.watch
    assert (told["every_s"], told["deadline_s"]) == (declared.every_s, declared.deadline_s)
    assert told["limits"] == {
        "failures": declared.failures,
        "restarts": declared.restarts,
        "within_s": declared.within_s,
        "start_budget_s": 300,
        "pause_s": declared.every_s,
        "begins_itself": False,
    }
    assert told["in_place"] is False and told["key_name"] == "VLLM_API_KEY" and told["companions"] == []
    assert told["env_file"] == "/opt/beachhead/secrets/engine.env" and not config.as_root


def test_the_fact_is_read() -> None:
    found = WatchFact("/root").parse(SAMPLE)
    assert found.running and found.enabled and found.torn == 1 and found.state
    assert found.state.live and found.state.live.port == 8001 and found.state.restarts_in_window == 1
    assert found.state.last_ok and (found.state.at - found.state.last_ok).total_seconds() == 10
    assert [event.event for event in found.events] == ["restart", "recovered"]
    assert found.events[0].processes == ("1 T x",) and found.events[1].seconds == 9.5
    assert hash(found) == hash(WatchFact("/root").parse(SAMPLE))
    never = WatchFact("/root").parse("@@ process\nnever\n@@ state\n@@ events\n")
    assert not never.enabled and never.state is None and never.events == ()
    assert ServiceManagerFact().parse(BOOTED) == ServiceManager("ops", "/usr/bin/python3", True)
    assert look(HOST, ServiceManagerFact()).user


@given(st.integers(0, 2000), st.integers(0, 2000), st.sampled_from(["", "null", "9" * 400, "{}", "\n", "@@ x\n", "²"]))
def test_whatever_is_cut_or_put_in_nothing_but_not_understood_is_raised(start: int, end: int, put: str) -> None:
    for text, fact in ((SAMPLE, WatchFact("/root")), (BOOTED, ServiceManagerFact())):
        with contextlib.suppress(NotUnderstood):
            fact.parse(text[:start] + put + text[start + end :])


def test_commands_of_another_launcher_are_taken_away(tmp_path: Path) -> None:
    slot = Slot("r1", 8001)
    file = tmp_path / "releases" / "r1" / "watch-8001.json"
    file.parent.mkdir(parents=True)
    assert converge(HOST, NotWatchable(str(tmp_path), slot)).steps == ()
    file.write_text("{}")
    assert len(converge(HOST, NotWatchable(str(tmp_path), slot)).steps) == 1 and not file.exists()
    assert converge(HOST, NotWatchable(str(tmp_path), slot)).steps == ()


def test_it_goes_on_when_neither_its_notes_nor_its_words_find_room(tmp_path: Path) -> None:
    """Its stderr is /dev/full, the real thing, as watch.log is on a full disk."""
    config = {"root": str(tmp_path / "absent"), "env_file": "/dev/null", "key_name": "K", "limits": {}, "mark": ""}
    told = f"Notes({config!r}).tell('follows')"
    code = f"from tasks.remote.watch_notes import Notes; {told}; {told}; open({str(tmp_path / 'on')!r}, 'w')"
    with open("/dev/full", "w") as full:
        subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, stderr=full, check=False)
    assert (tmp_path / "on").exists()
