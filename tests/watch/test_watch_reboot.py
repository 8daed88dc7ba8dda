"""A host with real systemd: the unit is enabled, outlives a reboot, and brings the live release back.

The engine is the fake of this folder: what is tried here is systemd's part.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tasks.facts.base import look
from tasks.facts.process import ProcessFact
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.facts.watch import WatchFact, Watching
from tasks.hosts import Host
from tasks.operations.base import converge
from tasks.operations.files import File, Folder
from tasks.operations.root_folder import RootFolder
from tasks.operations.watch import Unwatched, Watched, unit_name
from tasks.operations.watch_config import Companion, Watch, Watchable, log_end
from tasks.releases import Release, Slot, Slots, write_slots
from tasks.runtimes.process import RUNTIME, log_file, pid_file
from tasks.site import Site
from tests.hosts import docker
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.watch.scene import FAKE, KEY, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
ROOT = "/opt/beachhead"
SLOT = Slot("aaaaaaaaaaaa", 18001)
UNIT = unit_name(ROOT)
DOOR = Companion("gateway", f"setsid sleep 100000 > /dev/null 2>&1 < /dev/null & echo $! > {ROOT}/run/door",
                 f'[ "$(cat /proc/$(cat {ROOT}/run/door)/comm 2>/dev/null)" = sleep ]')  # fmt: skip
CONFIG = Watch(every_s=1, deadline_s=2, start_budget_s=60, companions=(DOOR,))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    why = docker.missing()
    if why is not None:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with docker.engine(tmp_path_factory.mktemp("docker")), Fleet(1) as fleet:
        yield fleet[0]


def deployed(host: Host) -> None:
    """What a rollout leaves on the host, with the fake engine as a release."""
    arguments = (f"{ROOT}/fake_engine.py", "{port}", f"{ROOT}/mode")
    release = Release(SLOT.release, "vllm fake", "x/y", "0" * 40, ROOT, "/usr/bin/python3", arguments, {})
    converge(host, RootFolder(ROOT))
    for name in ("run", "state", "secrets", f"releases/{release.id}"):
        converge(host, Folder(f"{ROOT}/{name}"))
    converge(host, File(f"{ROOT}/fake_engine.py", FAKE.read_text(encoding="utf-8")))
    converge(host, File(f"{ROOT}/mode", "ok"))
    converge(host, File(f"{ROOT}/secrets/engine.env", f"VLLM_API_KEY={KEY}\n", mode="0600"))
    site = cast(Site, SimpleNamespace(head=SimpleNamespace(root=ROOT)))
    words = RUNTIME.words(site, release, SLOT)
    converge(host, Watchable(ROOT, release, SLOT, words, 60, log_end(log_file(ROOT, SLOT))))
    converge(host, RUNTIME.running(site, release, SLOT))
    write_slots(host, ROOT, Slots(live=SLOT))


def engine(host: Host) -> int | None:
    return look(host, ProcessFact(pid_file(ROOT, SLOT))).pid


def state(host: Host) -> Watching:
    return look(host, WatchFact(ROOT))


def answered(host: Host) -> Any:
    found = state(host).state
    return found and found.phase == "serving" and found.last_ok


def unit(host: Host) -> tuple[bool, str]:
    (found,) = look(host, SystemdUnitFact((UNIT,)))
    return found.is_active, found.enabled


def test_the_unit_outlives_a_reboot_and_brings_engine_and_gateway_back(machine: Machine) -> None:
    host = machine.host()
    deployed(host)
    first = engine(host)
    done = converge(host, Watched(ROOT, CONFIG))
    assert done.steps[-1] == f"start the watchdog {UNIT}" and converge(host, Watched(ROOT, CONFIG)).steps == ()
    assert unit(host) == (True, "enabled")
    until(lambda: answered(host), 30)
    assert engine(host) == first, "an engine that answers is left alone"
    host.close()
    machine.reboot()
    began, host = time.monotonic(), machine.host()
    until(lambda: engine(host) and answered(host), 60, "the live release answers again")
    print(f"{time.monotonic() - began:.1f} s from sshd's answer after the reboot to a completion")
    assert unit(host) == (True, "enabled") and converge(host, Watched(ROOT, CONFIG)).steps == ()
    told = [event.event for event in state(host).events]
    assert "the host has restarted" in told and "restart" in told and "gateway started" in told
    owner = host.run(f"stat -c %U /proc/{engine(host)}").check().stdout.strip()
    assert owner == "ops", "the engine runs as our user, not as root"
    assert KEY not in host.run(f"systemctl show -- {UNIT}; cat /proc/*/cmdline", sudo=True).stdout
    host.close()


def test_a_changed_config_replaces_the_watchdog_and_the_engine_that_it_started_stays(machine: Machine) -> None:
    host = machine.host()
    before = engine(host)
    assert before
    changed = Watched(ROOT, Watch(every_s=1, deadline_s=2, start_budget_s=60, failures=3, companions=(DOOR,)))
    assert converge(host, changed).steps and converge(host, changed).steps == ()
    assert engine(host) == before and unit(host) == (True, "enabled")
    machine.run_in_container(f"systemctl kill --signal=KILL --kill-whom=main {UNIT}")
    until(lambda: state(host).running, 20, "systemd has started it again")
    assert engine(host) == before
    host.close()


def test_an_open_breaker_stays_open_over_a_reboot(machine: Machine) -> None:
    host = machine.host()
    host.run(f"printf die > {ROOT}/mode; kill -KILL -- -$(cut -d' ' -f1 {pid_file(ROOT, SLOT)})").check()
    until(lambda: (found := state(host).state) and found.breaker, 60, "the breaker is open")
    host.close()
    machine.reboot()
    host = machine.host()
    until(lambda: state(host).running, 30)
    time.sleep(4)
    found = state(host).state
    assert found and found.breaker and engine(host) is None
    host.run(f"printf ok > {ROOT}/mode; touch {ROOT}/state/watch-reset").check()
    until(lambda: answered(host), 30)
    host.close()


def test_taken_away_nothing_of_it_is_left_and_the_engine_stays(machine: Machine) -> None:
    host = machine.host()
    before = engine(host)
    assert converge(host, Unwatched(ROOT)).steps and converge(host, Unwatched(ROOT)).steps == ()
    assert engine(host) == before and not state(host).running
    assert not look(host, SystemdUnitFact((UNIT,)))[0].exists
    assert json.loads(host.run(f"cat {ROOT}/state/watch.json").check().stdout)["live"]["port"] == SLOT.port
    host.close()
