"""Kill, freeze, the guard and the command on this machine: real processes, a real watchdog, a fake engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assumptions._core import Outcome
from assumptions._recovery_records import found
from flows.cli import main
from tasks.facts.base import look
from tasks.facts.boot import BootFact
from tasks.recovery import freeze
from tasks.recovery.engine_processes import processes
from tasks.recovery.guard import CALLED, LATE, guarded
from tasks.recovery.kill import started_once
from tasks.recovery.playing import _said, played
from tasks.recovery.scene import NotToBeDrilled, opened
from tasks.runtimes.base import EngineWords
from tests.ports import free_port
from tests.recovery.deployment import Deployment, declared
from tests.watch.scene import HOST, REPOSITORY, until

pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    root = tmp_path_factory.mktemp("drilled") / "host"
    ports = (free_port(), free_port(), free_port())
    host = {"name": "here", "ssh": {"address": "local", "user": "x"}, "root": str(root)}
    made = Deployment(HOST, declared(host, ports, within_s={"kill": 30, "freeze": 60}), sys.executable)
    try:
        made.up()
        yield made
    finally:
        made.down()


@pytest.fixture
def quiet(live: Deployment) -> Deployment:
    """Answering, with its first words."""
    live.be("ok")
    until(live.answered, 30)
    return live


def test_a_killed_engine_is_back_by_itself(quiet: Deployment, tmp_path: Path) -> None:
    scene = opened(quiet.site(tmp_path / "run"))
    before = processes(scene)
    assert len(before) == 2
    done = played(scene, "kill")
    assert done.why_not == "" and done.meanwhile == "" and done.lost == () and done.same_words is True
    course = done.course
    assert course and course.took and course.back_s and 0 < course.back_s < 20 and not course.helped and not course.left
    assert done.seen and done.seen.answered > 0
    assert not [each for each in processes(scene) if each in before]
    assert not list((Path(quiet.root) / "units").iterdir()), "the guard is gone"


def test_a_frozen_engine_is_replaced(quiet: Deployment, tmp_path: Path) -> None:
    done = played(opened(quiet.site(tmp_path / "run")), "freeze")
    course = done.course
    assert course and course.took and course.back_s and course.back_s > 2 and not course.helped, done
    assert done.same_words is True and done.lost == ()


def test_other_words_than_before_are_told(quiet: Deployment, tmp_path: Path) -> None:
    scene = opened(quiet.site(tmp_path / "run"))
    words = {scene.words()}
    quiet.be("other")
    assert _said(scene, words) == ("", False)
    assert _said(scene, {"one", "another"}) == ("", None)
    quiet.be("babble")
    assert "characters are '!'" in _said(scene, words)[0]


def test_without_anybody_to_mend_it_nothing_is_hurt(quiet: Deployment, tmp_path: Path) -> None:
    scene = opened(quiet.site(tmp_path / "run"))
    before = processes(scene)
    pid = int((Path(quiet.root) / "run/watch.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    until(lambda: not scene.watching().running, 10)
    try:
        done = played(scene, "kill")
        assert "no watchdog runs there" in done.why_not and done.course is None
        assert processes(scene) == before
    finally:
        quiet.up()


def test_where_the_watchdog_does_not_help_the_drill_does_and_says_so(
    quiet: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = opened(quiet.site(tmp_path / "run"))
    watchdog = int((Path(quiet.root) / "run/watch.pid").read_text().split()[0])
    monkeypatch.setattr(type(scene), "patience_s", lambda *_: 4.0)
    os.kill(watchdog, signal.SIGSTOP)  # it runs, as far as anybody can see, and does nothing
    try:
        done = played(scene, "freeze")
    finally:
        os.kill(watchdog, signal.SIGCONT)
    assert done.course and done.course.back_s is None and done.course.helped == "the drill's own undo", done
    assert scene.asked()


def test_a_run_that_works_there_keeps_drills_away(quiet: Deployment, tmp_path: Path) -> None:
    boot, uptime = look(HOST, BootFact()).id, int(float(Path("/proc/uptime").read_text().split()[0]))
    lease = Path(quiet.root) / "lease"
    lease.write_text(f"run=another\nowner=ann@desk\nprocess=x\nsince=x\nboot={boot}\nrenewed={uptime}\n")
    try:
        with pytest.raises(NotToBeDrilled, match="another"):
            opened(quiet.site(tmp_path / "run"))
    finally:
        lease.unlink()


def test_two_who_would_start_the_engine_start_one(tmp_path: Path) -> None:
    """The drill's undo and the watchdog, at once; what was started keeps no lock."""
    up, log = tmp_path / "up", tmp_path / "log"
    start = f"echo started >> {log}; sleep 0.5; touch {up}; sleep 30 > /dev/null 2>&1 & echo $! > {tmp_path}/pid"
    undo = started_once(str(tmp_path), EngineWords(start=start, kill="true", alive=f"sleep 0.2; [ -e {up} ]", log=""))
    both = [subprocess.Popen(["bash", "-c", undo]) for _ in range(2)]
    assert [each.wait(20) for each in both] == [0, 0]
    try:
        assert log.read_text() == "started\n"
        subprocess.run(["flock", "-n", str(tmp_path / "lease.lock"), "true"], check=True)
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


# --- the guard


def test_the_undo_comes_when_it_is_called_for_and_when_nobody_calls(quiet: Deployment, tmp_path: Path) -> None:
    scene = opened(quiet.site(tmp_path / "run"))
    mark = tmp_path / "undone"
    with guarded(scene, f"touch {mark}", 60) as guard:
        assert not mark.exists()
    assert mark.exists() and guard.how == CALLED and not guard.left
    mark.unlink()
    with guarded(scene, f"touch {mark}", 1) as guard:
        until(mark.exists, 10, "the host undoes by itself")
    assert guard.how == LATE
    with guarded(scene, "exit 3", 60) as guard:
        pass
    assert "exit status 3" in guard.left


def test_an_exception_in_between_undoes_too(quiet: Deployment, tmp_path: Path) -> None:
    scene, mark = opened(quiet.site(tmp_path / "run")), tmp_path / "undone"
    with pytest.raises(KeyboardInterrupt), guarded(scene, f"touch {mark}", 60):
        raise KeyboardInterrupt
    assert mark.exists()


# --- the command


def command(at: Deployment, folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["recovery-drill", str(at.file(folder)), *words])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path / "evidence"))
    return tmp_path


def test_nothing_happens_unnamed_unallowed_or_unagreed(quiet: Deployment, folder: Path) -> None:
    said = command(quiet, folder)
    assert said.exit_code == 2 and "no drill is named" in said.output
    said = command(quiet, folder, "--drill", "flood")
    assert said.exit_code == 2 and "no drill called 'flood'" in said.output
    said = command(quiet, folder, "--drill", "kill,freeze")
    assert said.exit_code == 2 and "SIGKILL" in said.output and "--yes-this-stops-service" in said.output
    content = {**quiet.content, "recovery": {"drills": ["freeze"]}}
    tame = Deployment(HOST, content, sys.executable)
    said = command(tame, folder, "--drill", "kill,freeze", "--yes-this-stops-service")
    assert said.exit_code == 2 and "does not allow kill" in said.output
    assert not (folder / "evidence").exists()


def test_it_is_timed_judged_and_on_the_record(quiet: Deployment, folder: Path) -> None:
    said = command(quiet, folder, "--drill", "kill", "--yes-this-stops-service", "--json")
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    (part,) = told["parts"]
    assert part["outcome"] == "PASS" and "back after" in part["because"], part
    run = Path(told["report"]).parent
    assert "drill kill" in Path(told["report"]).read_text() and "back after" in Path(told["report"]).read_text()
    assert [each.drilled.drill for each in found(run).drills] == ["kill"]
    ledger = (run / "evidence.jsonl").read_text()
    assert '"recovery-within-objectives"' in ledger
    later = CliRunner().invoke(
        main, ["validate", str(quiet.file(folder)), "--only", "recovery-within-objectives", "--json"]
    )
    finding = json.loads(later.stdout)["claims"][0]["finding"]
    assert finding["outcome"] == Outcome.UNKNOWN and "freeze: never drilled" in finding["because"], finding
    assert {each["name"]: each["outcome"] for each in finding["parts"]} == {"kill": "PASS", "freeze": "UNKNOWN"}


def test_a_command_that_is_killed_midway_leaves_nothing_frozen(quiet: Deployment, folder: Path) -> None:
    """The watchdog is stopped too, so that the host's own undo is all there is; its time is cut short."""
    scene = opened(quiet.site(folder / "run"))
    stopped = processes(scene)
    code = (
        "import tasks.recovery.scene as s, tasks.recovery.freeze as f\n"
        "s.Scene.patience_s = lambda *_: 6.0\nf.AFTER_S = 2.0\n"
        f"from flows.cli import main\nmain(['recovery-drill', {str(quiet.file(folder))!r}, '--drill', 'freeze', "
        "'--yes-this-stops-service'])\n"
    )
    watchdog = int((Path(quiet.root) / "run/watch.pid").read_text().split()[0])
    child = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, start_new_session=True)
    try:
        until(lambda: all(each.state == "T" for each in processes(scene)), 40, "frozen")
        os.kill(watchdog, signal.SIGSTOP)
        os.killpg(child.pid, signal.SIGKILL)
        began = time.monotonic()
        until(lambda: all(each.state != "T" for each in processes(scene)), 20, "the host undoes by itself")
        print(f"undone {time.monotonic() - began:.1f} s after the command was killed")
        assert [each.pid for each in processes(scene)] == [each.pid for each in stopped]
    finally:
        child.kill()
        child.wait()
        os.kill(watchdog, signal.SIGCONT)
    assert scene.asked()
    assert freeze.DRILL.why_not(scene) == ""
