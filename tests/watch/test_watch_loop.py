"""The watchdog for real on this machine: real processes, real signals, real HTTP; the engine has no model."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.operations.watch_config import Companion
from tasks.remote.watch_host import LOG_BYTES, cut_short, numbers, stat_of
from tasks.runtimes.process import log_file
from tests.gateway.scene import gateway
from tests.watch.scene import KEY, REPOSITORY, Scene, scene, until

pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")]


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


@pytest.fixture
def serving(at: Scene) -> Scene:
    """An engine that answers and a watchdog that has seen it."""
    at.prepare()
    at.start_engine()
    at.start_watchdog()
    at.await_answer()
    return at


def health(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/health")
    return connection.getresponse().status


def restarted(scene: Scene, seconds: float = 25) -> dict[str, object]:
    until(lambda: "recovered" in scene.told(), seconds, "recovered")
    return next(event for event in scene.events() if event["event"] == "restart")


def test_a_healthy_engine_is_left_alone(serving: Scene) -> None:
    pid = serving.pid()
    time.sleep(3)
    assert serving.pid() == pid and serving.told() == ["watching", "follows"]
    found = serving.look()
    assert found.running and found.enabled and found.state and found.state.breaker == ""
    assert found.state.live == serving.slot and found.state.last_ok


def test_an_engine_that_exits_is_started_again(serving: Scene) -> None:
    first = serving.pid()
    assert first
    os.killpg(first, signal.SIGKILL)
    event = restarted(serving)
    assert event["why"] == "its process is gone" and "the fake engine starts" in str(event["log"])
    assert serving.pid() not in (None, first)


def test_a_frozen_worker_is_found_while_health_still_answers(serving: Scene) -> None:
    first, worker = serving.pid(), serving.worker()
    os.kill(worker, signal.SIGSTOP)
    began = time.monotonic()
    assert health(serving.slot.port) == 200
    until(lambda: "restart" in serving.told(), 2 * (0.5 + 1.5) + 4, "found")
    found = time.monotonic() - began
    event = restarted(serving)
    assert event["health"] == "200", "it said that all was well when it was killed"
    assert f"{worker} T python" in " ".join(map(str, event["processes"]))  # type: ignore[call-overload]
    assert "2 failures in a row: no completion in 1.5 s" in str(event["why"])
    assert serving.pid() not in (None, first)
    assert stat_of(worker)[1:2] in ([], ["Z"]), "it is dead, whether or not somebody has collected it"
    seconds = next(e["seconds"] for e in serving.events() if e["event"] == "recovered")
    print(f"found after {found:.1f} s, answered again {seconds} s after the first failure")
    assert 0 < seconds < 20


@pytest.mark.parametrize("mode", ["empty", "nan", "text", "error"])
def test_garbage_and_errors_are_failures(serving: Scene, mode: str) -> None:
    first = serving.pid()
    serving.be(mode)
    until(lambda: "restart" in serving.told(), 15)
    serving.be("ok")
    restarted(serving)
    assert serving.pid() != first


@pytest.mark.parametrize("mode", ["denied", "busy"])
def test_what_is_no_proof_of_a_fault_restarts_nothing(serving: Scene, mode: str) -> None:
    first = serving.pid()
    serving.be(mode)
    word = {"denied": "unclear", "busy": "busy"}[mode]
    until(lambda: word in serving.told(), 10)
    time.sleep(4)
    assert serving.pid() == first and "restart" not in serving.told() and serving.told().count(word) == 1


def test_a_restart_loop_opens_the_breaker_and_a_reset_closes_it(serving: Scene) -> None:
    serving.be("exit")
    until(lambda: "opened" in serving.told(), 60)
    assert serving.told().count("restart") == 3
    time.sleep(3)
    assert serving.pid() is None and serving.told().count("restart") == 3, "it stays down"
    serving.stop_watchdog()
    serving.start_watchdog()
    time.sleep(2)
    assert serving.pid() is None, "another watchdog keeps it open"
    state = serving.look().state
    assert state and "3 restarts within 600 s did not help" in state.breaker
    serving.be("ok")
    (serving.root / "state/watch-reset").touch()
    until(lambda: "recovered" in serving.told(), 20)
    assert serving.pid() and not serving.look().state.breaker  # type: ignore[union-attr]


def test_a_new_deployment_closes_the_breaker(serving: Scene) -> None:
    serving.be("exit")
    until(lambda: "opened" in serving.told(), 60)
    serving.be("ok")
    serving.start_engine()
    until(lambda: "closed" in serving.told(), 10)
    assert not serving.look().state.breaker  # type: ignore[union-attr]


def test_loading_is_waited_for_and_a_load_without_end_is_not(at: Scene) -> None:
    at.prepare(start_budget_s=4, restarts=1)
    slow = (*at.release.arguments, "60")
    object.__setattr__(at.release, "arguments", slow)
    at.prepare()
    at.start_engine()
    at.start_watchdog()
    time.sleep(3)
    assert "restart" not in at.told()
    until(lambda: "restart" in at.told(), 10)
    assert "no completion within its start budget" in next(e["why"] for e in at.events() if e["event"] == "restart")
    until(lambda: "opened" in at.told(), 15)
    assert at.pid() is None


def lease(scene: Scene, boot: str | None = None, age: int = 0) -> None:
    boot = boot or Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    renewed = int(float(Path("/proc/uptime").read_text().split()[0])) - age
    (scene.root / "lease").write_text(f"run=r1\nowner=a@b\nboot={boot}\nrenewed={renewed}\n")


def test_while_a_run_works_on_the_host_nothing_is_restarted(serving: Scene) -> None:
    lease(serving)
    os.killpg(serving.pid() or 0, signal.SIGKILL)
    until(lambda: "held" in serving.told(), 10)
    time.sleep(2)
    assert serving.pid() is None and "restart" not in serving.told()
    (serving.root / "lease").unlink()
    restarted(serving)


@pytest.mark.parametrize("stale", [{"boot": "another"}, {"age": 601}])
def test_the_lease_of_a_run_that_is_no_more_holds_nothing(serving: Scene, stale: dict[str, object]) -> None:
    lease(serving, **stale)  # type: ignore[arg-type]
    os.killpg(serving.pid() or 0, signal.SIGKILL)
    restarted(serving)


def test_where_nothing_is_live_nothing_is_started(at: Scene) -> None:
    at.prepare({"live": None, "candidate": None, "previous": None})
    at.start_watchdog()
    time.sleep(2)
    assert at.pid() is None and at.told() == ["watching", "held"]


def test_slots_that_can_not_be_read_are_no_word_of_what_is_live(serving: Scene) -> None:
    (serving.root / "state/slots.json").write_text('{"live": {"rel')
    os.killpg(serving.pid() or 0, signal.SIGKILL)
    until(lambda: "held" in serving.told(), 10)
    assert "can't be read" in serving.events()[-1]["why"] + serving.events()[-1]["hold"]
    assert serving.look().state.live == serving.slot  # type: ignore[union-attr]
    serving.prepare()
    restarted(serving)


def test_it_follows_what_is_live_without_a_restart_of_its_own(serving: Scene, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with scene(serving.root) as second:
        second.slot = type(second.slot)("bbbbbbbbbbbb", second.slot.port)
        object.__setattr__(second.release, "id", "bbbbbbbbbbbb")
        (second.root / "releases/bbbbbbbbbbbb").mkdir()
        second.start_engine()  # as a rollout does: what is made live runs already
        second.prepare()
        until(lambda: second.look().state.live == second.slot, 10)  # type: ignore[union-attr]
        second.await_answer()
        os.killpg(second.pid() or 0, signal.SIGKILL)
        until(lambda: "recovered" in second.told(), 20)
        event = next(e for e in second.events() if e["event"] == "restart")
        assert event["release"] == "bbbbbbbbbbbb" and serving.pid(), "the release that was live is not touched"


def test_in_place_a_candidate_that_runs_has_the_host(at: Scene) -> None:
    at.prepare(in_place=True)
    rival = {"release": at.slot.release, "port": at.slot.port}
    gone = {"release": "cccccccccccc", "port": 1}
    at.start_engine()
    words = json.loads((at.root / f"releases/{at.slot.release}/watch-{at.slot.port}.json").read_text())
    (at.root / "releases/cccccccccccc").mkdir()
    dead = json.dumps({**words, "alive": "false", "start": "true"})
    (at.root / "releases/cccccccccccc/watch-1.json").write_text(dead)
    at.write_slots({"live": gone, "candidate": rival, "previous": None})
    at.start_watchdog()
    until(lambda: "held" in at.told(), 10)
    time.sleep(1.5)
    assert "restart" not in at.told()


def test_the_key_is_in_no_event_no_state_and_no_command_line(serving: Scene) -> None:
    assert KEY in (serving.root / f"releases/{serving.slot.release}/server-{serving.slot.port}.log").read_text()
    os.killpg(serving.pid() or 0, signal.SIGKILL)
    assert "[key]" in str(restarted(serving)["log"])
    for file in (*serving.root.glob("state/*"), *serving.root.glob("*.json"), *serving.root.glob("releases/*/*.json")):
        assert KEY not in file.read_text(), file
    for pid in (serving.watchdog.pid, serving.pid()):  # type: ignore[union-attr]
        assert KEY not in Path(f"/proc/{pid}/cmdline").read_text()


def test_a_second_watchdog_of_the_same_root_ends(serving: Scene) -> None:
    command = [sys.executable, "-m", "tasks.remote.watch", str(serving.root / "watch.json")]
    second = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=40)
    assert second.returncode != 0 and "another watchdog" in second.stderr


def test_a_gateway_that_is_gone_is_started_but_not_for_ever(at: Scene) -> None:
    tries = at.root / "tries"
    at.prepare()
    config = json.loads((at.root / "watch.json").read_text())
    config["companions"] = [{"name": "gateway", "start": f"echo x >> {tries}", "alive": "false"}]
    (at.root / "watch.json").write_text(json.dumps(config))
    at.start_engine()
    at.start_watchdog()
    until(lambda: at.told().count("gateway started") == 3, 10)
    time.sleep(2)
    assert tries.read_text() == "x\n" * 3


def test_nginx_that_was_killed_serves_again(at: Scene) -> None:
    with gateway(at.slot.port, tls=False) as door:
        at.prepare(companions=(Companion.gateway(door.plan.folder, door.words),))
        at.start_engine()
        at.start_watchdog()
        at.await_answer()
        master = door.state.pid
        assert master and "gateway started" not in at.told()
        for pid in [master, *(pid for pid in numbers() if stat_of(pid)[2:3] == [str(master)])]:
            os.kill(pid, signal.SIGKILL)
        until(lambda: "gateway started" in at.told(), 10)
        until(lambda: door.state.current, 10)
        assert door.state.pid not in (None, master)
        at.stop_watchdog()


def test_a_log_that_has_grown_is_begun_anew_and_four_are_kept(at: Scene) -> None:
    with gateway(at.slot.port, tls=False) as door:
        log = Path(door.plan.folder) / "access.log"
        for n in range(1, 5):
            log.with_name(f"access.log.{n}").write_text(f"{n}\n")
        at.prepare(companions=(Companion.gateway(door.plan.folder, door.words),))
        at.start_engine()
        at.start_watchdog()
        at.await_answer()
        assert log.exists() and "gateway log begun anew" not in at.told()
        os.truncate(log, LOG_BYTES)  # nginx appends
        until(lambda: "gateway log begun anew" in at.told(), 10)
        assert health(door.port) == 401
        until(lambda: log.exists() and '"status":401' in log.read_text(), 5, "nginx writes to the new one")
        assert log.with_name("access.log.1").stat().st_size == LOG_BYTES
        kept = [log.with_name(f"access.log.{n}").read_text() for n in (2, 3, 4)]
        assert kept == ["1\n", "2\n", "3\n"] and not log.with_name("access.log.5").exists()
        assert at.told().count("gateway log begun anew") == 1
        at.stop_watchdog()


def test_a_log_that_nobody_opens_anew_keeps_its_name(at: Scene) -> None:
    log = at.root / "access.log"
    log.touch()
    os.truncate(log, LOG_BYTES)
    at.prepare(companions=(Companion("gateway", "true", "true", str(log), "echo no such process >&2; exit 1"),))
    at.start_engine()
    at.start_watchdog()
    until(lambda: "gateway log not begun anew" in at.told(), 10)
    time.sleep(1.5)
    assert log.stat().st_size == LOG_BYTES and not log.with_name("access.log.1").exists()
    (event,) = [each for each in at.events() if each["event"] == "gateway log not begun anew"]
    assert "no such process" in str(event["why"])


def test_an_engines_log_that_has_grown_keeps_its_beginning_and_goes_on(serving: Scene) -> None:
    log = Path(log_file(str(serving.root), serving.slot))
    pid, start = serving.pid(), log.read_text()
    assert start.startswith("the fake engine starts")
    serving.be("chatty")
    until(lambda: "engine log cut short" in serving.told(), 30)
    serving.be("ok")
    full = log.with_name(f"{log.name}.full")
    assert full.read_text().startswith(f"{start}xxx") and full.stat().st_size >= LOG_BYTES
    assert log.read_text().startswith(f"{start}[20") and f"{full.name} is all up to now]" in log.read_text()
    serving.await_answer()
    ended = log.with_name(f"{log.name}.1")
    serving.be("exit")  # it says one thing more
    until(lambda: ended.exists() and "the fake engine was told to exit" in ended.read_text(), 30)
    assert ended.stat().st_size < LOG_BYTES and serving.pid() != pid


def test_what_can_not_be_cut_short_is_told_once(serving: Scene) -> None:
    log = Path(log_file(str(serving.root), serving.slot))
    log.with_name(f"{log.name}.full").mkdir()  # nothing can be copied there
    with log.open("ab") as more:
        more.write(LOG_BYTES * b"x")
    until(lambda: "engine log not cut short" in serving.told(), 30)
    time.sleep(1.5)
    assert serving.told().count("engine log not cut short") == 1 and log.stat().st_size > LOG_BYTES


def test_an_engines_log_is_not_cut_while_a_run_works_on_the_host(serving: Scene) -> None:
    lease(serving)
    time.sleep(1.5)  # the look that was under way has ended
    log = Path(log_file(str(serving.root), serving.slot))
    with log.open("ab") as more:
        more.write(LOG_BYTES * b"x")
    time.sleep(1.5)
    assert log.stat().st_size > LOG_BYTES
    (serving.root / "lease").unlink()
    until(lambda: "engine log cut short" in serving.told(), 30)


def test_a_log_that_is_long_and_hollow_is_left_alone(tmp_path: Path) -> None:
    """As after a cut, where the writer doesn't append."""
    log = tmp_path / "log"
    log.write_text("start\n")
    os.truncate(log, LOG_BYTES)
    assert not cut_short(log, LOG_BYTES, 100) and log.stat().st_size == LOG_BYTES
    assert not cut_short(tmp_path / "none", LOG_BYTES, 100)


def test_a_full_disk_stops_no_restart(serving: Scene) -> None:
    """State and events can't be written: a folder stands where each file's part would be."""
    (serving.root / "state/watch.json.part").mkdir()
    (serving.root / "state/watch-events.jsonl").unlink()
    (serving.root / "state/watch-events.jsonl").mkdir()
    first = serving.pid()
    os.killpg(first or 0, signal.SIGKILL)
    until(lambda: serving.pid() not in (None, first), 15, "started again")
    assert "could not write" in (serving.root / "watchdog.log").read_text()
