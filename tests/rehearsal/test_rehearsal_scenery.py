"""The scenery goes up, stays up, comes down, and touches nothing that it did not start."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from inventories.errors import Problem
from rehearsal.processes import Started, holder, read_pid_file, start_time
from rehearsal.scenery import USER, Scenery
from tests.ports import free_port

pytestmark = pytest.mark.timeout(180)
TINY = "9537c33101621e690260f49dc035a0894c6ee8f1"


def listens(port: int) -> bool:
    with socket.socket() as asking:
        asking.settimeout(2)
        return asking.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def scenery(tmp_path: Path) -> Iterator[Scenery]:
    built = Scenery(tmp_path / "scenery", ssh_port=free_port(), hub_port=free_port())
    yield built
    built.down()


def ports(scenery: Scenery) -> dict[str, int]:
    return {actor.name: actor.port for actor in scenery.actors}


def pids(scenery: Scenery) -> dict[str, object]:
    return {name: part["pid"] for name, part in scenery.status().items() if name != "host"}


def over_ssh(scenery: Scenery, command: str) -> str:
    client = paramiko.SSHClient()
    client.load_host_keys(str(scenery.ssh / "known_hosts"))
    key = str(scenery.ssh / "id_ed25519")
    port = ports(scenery)["target"]
    client.connect("127.0.0.1", port, USER, key_filename=key, allow_agent=False, look_for_keys=False, timeout=10)
    try:
        return client.exec_command(command, timeout=10)[1].read().decode()
    finally:
        client.close()


def test_up_twice_heal_and_down(scenery: Scenery) -> None:
    first = scenery.up()
    assert [line.split(" (")[0] for line in first] == [
        f"hub started on 127.0.0.1:{ports(scenery)['hub']}",
        f"target started on 127.0.0.1:{ports(scenery)['target']}",
    ]
    started, keys = pids(scenery), {p.name: p.read_bytes() for p in scenery.ssh.iterdir()}
    again = Scenery(scenery.folder, ssh_port=ports(scenery)["target"], hub_port=ports(scenery)["hub"])
    assert all("already up" in line and "started" not in line for line in again.up())
    assert pids(again) == started
    assert {p.name: p.read_bytes() for p in scenery.ssh.iterdir()} == keys

    assert over_ssh(scenery, "echo hello") == "hello\n"
    hub = http.client.HTTPConnection("127.0.0.1", ports(scenery)["hub"], timeout=5)
    hub.request("HEAD", f"/beachhead/tiny-k2/resolve/{TINY}/config.json")
    assert hub.getresponse().headers["X-Repo-Commit"] == TINY

    os.kill(int(str(started["hub"])), signal.SIGKILL)
    healed = scenery.up()
    assert "hub started" in healed[0] and "target already up" in healed[1]
    assert pids(scenery)["target"] == started["target"] and pids(scenery)["hub"] != started["hub"]

    said = scenery.down()
    assert [line.split()[:2] for line in said] == [["target", "stopped"], ["hub", "stopped"]]
    assert not any(listens(port) for port in ports(scenery).values())
    assert not list(scenery.run.glob("*.pid"))
    assert scenery.down() == ["nothing was up"]


def test_servers_outlive_the_command_that_started_them(scenery: Scenery) -> None:
    port = ports(scenery)
    asked = f"Scenery(Path({str(scenery.folder)!r}), ssh_port={port['target']}, hub_port={port['hub']}).up()"
    starter = f"from pathlib import Path; from rehearsal.scenery import Scenery; print({asked})"
    subprocess.run([sys.executable, "-c", starter], cwd=Path(__file__).parents[2], check=True, timeout=60)
    assert all("already up" in line for line in scenery.up())

    # What a session left running on the host comes down with the scenery.
    run = scenery.host / "opt" / "beachhead" / "run"
    run.mkdir(parents=True)
    pid = int(over_ssh(scenery, "setsid nohup sleep 60 </dev/null >/dev/null 2>&1 & echo $!"))
    start = start_time(pid)
    assert start
    (run / "engine.pid").write_text(f"{pid} {start}\n")
    assert scenery.status()["host"]["pids"] == [pid]
    assert scenery.down()[0] == f"host/opt/beachhead/run/engine.pid stopped (pid {pid})"
    assert start_time(pid) is None


def test_a_taken_port_is_a_problem_with_its_holder(scenery: Scenery) -> None:
    with socket.create_server(("127.0.0.1", ports(scenery)["hub"])), pytest.raises(Problem) as problem:
        scenery.up()
    assert str(ports(scenery)["hub"]) in problem.value.what
    assert f"pid {os.getpid()} (" in problem.value.what
    assert scenery.status()["hub"]["up"] is False
    assert scenery.down() == ["nothing was up"]


def test_a_recycled_pid_is_left_alone(scenery: Scenery) -> None:
    scenery.run.mkdir(parents=True)
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as bystander:
        try:
            (scenery.run / "hub.pid").write_text(f"{bystander.pid} 1\n")
            assert scenery.status()["hub"] | {"log": ""} == {
                "up": False,
                "pid": None,
                "address": f"127.0.0.1:{ports(scenery)['hub']}",
                "log": "",
            }
            assert scenery.down() == ["nothing was up"]
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_a_server_that_ends_at_once_shows_its_log(scenery: Scenery, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(scenery.actors[1], arguments=("rehearsal.target", "--port", "no-number"))
    monkeypatch.setattr(scenery, "actors", (scenery.actors[0], broken))
    with pytest.raises(Problem, match=r"(?s)ended at once.*invalid int value"):
        scenery.up()


def test_a_hub_without_its_port_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hub = [sys.executable, "-m", "rehearsal.hub", "--port", str(listener.getsockname()[1])]
        ended = subprocess.run(hub, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    assert "can't listen" in ended.stderr and "Traceback" not in ended.stderr


def test_stop_takes_a_stubborn_process_and_its_group() -> None:
    folder = Path(tempfile.mkdtemp())
    script = f"trap '' TERM; (trap '' TERM; echo $BASHPID > {folder}/child; sleep 60; :) & echo up; wait; sleep 60"
    with subprocess.Popen(["bash", "-c", script], start_new_session=True, stdout=subprocess.PIPE) as leader:
        assert leader.stdout and leader.stdout.readline() == b"up\n"
        time.sleep(0.2)
        process = Started(leader.pid, start_time(leader.pid) or "")
        child = int((folder / "child").read_text())
        assert process.alive and start_time(child)
        assert process.stop(patience_s=0.3)
        time.sleep(0.1)
        assert start_time(child) is None
        assert not process.stop()
    shutil.rmtree(folder)


def test_pid_files_with_other_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.pid"
    path.write_text("12 345\n\nnonsense\n77\n9 Mon Jan  1 00:00:00 2026\n")
    assert read_pid_file(path) == (Started(12, "345"), Started(9, "Mon Jan 1 00:00:00 2026"))


def test_start_times_tell_processes_apart() -> None:
    own = start_time(os.getpid())
    assert own == start_time(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert start_time(child.pid) not in (None, own)
        child.kill()
        time.sleep(0.2)
        assert start_time(child.pid) is None  # a zombie has ended
    assert start_time(2**22 + 1) is None


@pytest.mark.skipif(not shutil.which("ps"), reason="no ps here")
def test_start_times_as_on_macos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("rehearsal.processes.PROC", tmp_path)
    own = start_time(os.getpid())
    assert own and own == start_time(os.getpid()) and len(own.split()) == 5
    assert start_time(2**22 + 1) is None


def test_nobody_holds_a_free_port() -> None:
    assert holder(free_port()) == "a process that this user may not see"
