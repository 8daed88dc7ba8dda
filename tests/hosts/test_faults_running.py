"""Faults while a run works on a host: lost links, restarts, a second operator, a killed worker.  All are real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks import leases
from tasks.facts.base import look
from tasks.facts.boot import BootFact
from tasks.hosts import Host, Unreachable
from tasks.journal import Event, read, unfinished
from tasks.leases import LeaseHeld, LeaseLost
from tasks.operations.base import Step, converge
from tasks.operations.root_folder import RootFolder, RootNotOurs
from tasks.reboots import HostLost, NotRestarted, WrongKernel, restart
from tasks.tenancy import tenancy
from tasks.units import Hung, Interrupted, Unit, UnitState, look_at, run_unit
from tests.hosts.faults_waiting import until
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.hosts.measured import detected

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
ROOT = "/opt/beachhead"
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet(1) as up:
        yield up


@pytest.fixture
def machine(fleet: Fleet) -> Iterator[Machine]:
    """A host with our root folder, and no lease, journal or unit in it."""
    fleet[0].run_in_container(f"rm -rf {ROOT}")
    host = fleet[0].host()
    converge(host, RootFolder(ROOT))
    host.close()
    yield fleet[0]


@dataclass(frozen=True)
class Counted:
    """An operation whose step takes a while, counts how often it ran, and is done when its file is there."""

    name: str
    seconds: float = 4
    long: bool = True
    sudo: bool = True

    def plan(self, host: Host) -> Iterator[Step]:
        if host.run(f"[ -e /srv/{self.name} ]").exit:
            command = f"echo ran >>/srv/{self.name}.count; sleep {self.seconds}; touch /srv/{self.name}"
            yield Step(f"make {self.name}", command, timeout=60, sudo=self.sudo, long=self.long)


def once_there(machine: Machine, file: str, act: Callable[[], object]) -> threading.Thread:
    """`act` as soon as the host has `file`, by its console: in the midst of what makes it."""

    def wait() -> None:
        until(machine, f"[ -e {file} ]", 40)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def times(machine: Machine, name: str) -> int:
    return len(machine.run_in_container(f"cat /srv/{name}.count").split())


def events(machine: Machine) -> list[tuple[str, str, str]]:
    lines = machine.run_in_container(f"cat {ROOT}/steps.jsonl").splitlines()
    return [(entry["run"], entry["event"], entry.get("why", "")) for entry in map(json.loads, lines)]


def test_the_root_folder_is_made_as_root_and_is_ours(fleet: Fleet) -> None:
    fleet[0].run_in_container(f"rm -rf {ROOT}; mkdir -p /root-owned")
    host = fleet[0].host()
    (step,) = RootFolder(ROOT).plan(host)
    assert step.sudo
    assert converge(host, RootFolder(ROOT)).steps
    assert host.run(f"stat -c %U {ROOT}").stdout.strip() == "ops"
    (step,) = RootFolder("/home/ops/a b/c").plan(host)
    assert not step.sudo
    with pytest.raises(RootNotOurs, match="directory of root"):
        list(RootFolder("/root-owned").plan(host))


# A second operator (23)


def test_a_second_operator_is_refused_and_told_whose_the_host_is(machine: Machine) -> None:
    first, second = machine.host(), machine.host()
    with tenancy(first, ROOT, "run-one"):
        with detected("23 second operator"), pytest.raises(LeaseHeld) as held, tenancy(second, ROOT, "run-two"):
            pass
        assert leases.owner() in held.value.what and "run-one" in held.value.what
        assert machine.run_in_container(f"sed -n s/^run=//p {ROOT}/lease") == "run-one"
    assert machine.run_in_container(f"test -e {ROOT}/lease && echo there || echo gone") == "gone"
    with tenancy(second, ROOT, "run-two"):
        pass


def test_only_one_of_eight_that_ask_at_once_gets_the_lease(machine: Machine) -> None:
    got, refused = [], []

    def ask(number: int) -> None:
        host = machine.host()
        try:
            leases.take(host, ROOT, f"run-{number}", "now")
            got.append(number)
        except LeaseHeld:
            refused.append(number)
        finally:
            host.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (len(got), len(refused)) == (1, 7)


def test_a_silent_lease_is_taken_over_with_a_word_and_its_owner_stops(machine: Machine) -> None:
    host, told = machine.host(), []
    with tenancy(host, ROOT, "run-slow") as slow:
        machine.run_in_container(f"sed -i 's/^renewed=.*/renewed=0/' {ROOT}/lease")  # as if silent since the boot
        with tenancy(machine.host(), ROOT, "run-next", told.append):
            slow.renew()
            with pytest.raises(LeaseLost):
                converge(host, Counted("never"), carry_out=slow)
    assert "run-slow" in told[0] and "nothing was heard" in told[0]
    assert "never" not in machine.run_in_container("ls /srv")


def test_a_lease_of_another_boot_is_taken_over(machine: Machine) -> None:
    told: list[str] = []
    leases.take(machine.host(), ROOT, "run-before", "then")
    machine.reboot()
    with tenancy(machine.host(), ROOT, "run-after", told.append):
        pass
    assert "run-before" in told[0] and "restarted since" in told[0]


def test_a_dry_run_shows_every_command_and_changes_nothing(machine: Machine, fleet: Fleet, tmp_path: Path) -> None:
    machine.run_in_container(f"rm -rf {ROOT}")
    inventory = tmp_path / f"{fleet.name}.yaml"
    inventory.write_text(fleet.inventory())
    state = "find /opt /srv /home /etc -newer /tmp/mark; dpkg -l | md5sum; ls -a /opt"
    machine.run_in_container("touch /tmp/mark; sleep 0.1")
    before = machine.run_in_container(state)
    words = [sys.executable, "-m", "flows.cli", "prepare", str(inventory), "--dry-run"]
    env = os.environ | {"BEACHHEAD_EVIDENCE": str(tmp_path), "BEACHHEAD_HOME": str(tmp_path)}
    text = subprocess.run(words, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=60)
    assert text.returncode == 0, text.stderr
    assert "There is no undo" in text.stdout and f"      $ install -d -m 0755 -o ops {ROOT}" in text.stdout
    told = subprocess.run([*words, "--json"], cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=60)
    (host,) = json.loads(told.stdout)["hosts"]
    steps = [step for each in host["operations"] for step in each["steps"]]
    assert steps[0]["sudo"] and all(step["why"] and step["command"] for step in steps)
    assert host["lease"] is None and host["problem"] is None
    assert machine.run_in_container(state) == before
    with machine.fault("link-down"):
        lost = subprocess.run(words, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=90)
    assert lost.returncode == 2 and "can't be asked: no SSH connection" in lost.stdout


# Lost links (16, 22)


def test_killed_sessions_do_not_touch_a_long_step_and_it_is_found_again(machine: Machine) -> None:
    host, told = machine.host(), []
    once_there(machine, "/srv/a.count", machine.kill_ssh_sessions)
    with tenancy(host, ROOT, "run-one") as held:
        change = converge(host, Counted("a"), say=told.append, carry_out=held)
    assert change.steps == ("make a",) and times(machine, "a") == 1
    assert any("over a new connection" in line for line in told)
    unit = machine.run_in_container("journalctl -o cat --no-pager -u beachhead-run-one-1")
    assert "beachhead-run-one-1.service" in unit
    assert [event for _, event, _ in events(machine)] == ["begun", "done"]
    assert machine.run_in_container(f"ls {ROOT}/units") == ""


def test_a_link_that_comes_back_finds_the_unit_and_one_that_does_not_is_hung(machine: Machine) -> None:
    host = machine.host(connect_timeout=2, keepalive_s=1)
    with tenancy(host, ROOT, "run-one", silence_s=15) as held:

        def cut(seconds: float) -> None:
            with machine.fault("link-down"):
                time.sleep(seconds)

        outage = once_there(machine, "/srv/b.count", lambda: cut(5))
        converge(host, Counted("b", seconds=3), carry_out=held)
        outage.join()
        assert times(machine, "b") == 1
        outage = once_there(machine, "/srv/c.count", lambda: cut(35))
        with detected("22 hung host (silence budget 15 s)"), pytest.raises(Hung, match="hung: no answer for"):
            converge(host, Counted("c", seconds=3), carry_out=held)
        outage.join()
    told: list[str] = []
    with tenancy(machine.host(), ROOT, "run-two", told.append) as held:
        change = converge(machine.host(), Counted("c"), carry_out=held)
    assert change.steps == () and times(machine, "c") == 1, "it had gone on while nobody watched"
    assert any("its unit had ended with exit status 0" in line for line in told)


# A killed worker (34)

WORKER = """
import sys
from pathlib import Path
from tasks.ssh import SshHost
from tasks.tenancy import tenancy
from tasks.operations.base import converge
from tests.hosts.test_faults_running import Counted, ROOT
key, pinned = map(Path, sys.argv[2:])
host = SshHost("box", address=sys.argv[1], port=22, user="ops", identity_file=key, known_hosts=pinned)
with tenancy(host, ROOT, "run-killed") as held:
    print("holding", flush=True)
    converge(host, Counted("d", seconds=20), carry_out=held)
"""


def test_a_killed_workers_step_is_adopted_and_not_repeated(machine: Machine) -> None:
    words = [sys.executable, "-c", WORKER, machine.address, str(machine.client_key), str(machine.known_hosts)]
    worker = subprocess.Popen(words, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert worker.stdout and worker.stdout.readline() == "holding\n"
    until(machine, "[ -e /srv/d.count ]", 40)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    told: list[str] = []
    with detected("34 worker killed"):
        host = machine.host()
        leases.take(host, ROOT, "run-next", "now")
    with tenancy(host, ROOT, "run-next", told.append) as held:
        change = converge(host, Counted("d"), carry_out=held)
    assert change.steps == () and times(machine, "d") == 1
    assert any("still runs; waiting for its end" in line for line in told)
    assert ("run-killed", "adopted", "make d") in events(machine)
    assert unfinished(read(host, ROOT).entries, "run-later") == ()


# Restarts (1, 2)


@pytest.mark.parametrize("long", [False, True])
def test_a_restart_in_mid_step_is_seen_and_the_next_run_asks_the_facts(machine: Machine, long: bool) -> None:
    name, host = f"restart-{long}", machine.host(connect_timeout=5)
    before = machine.boot_id
    with pytest.raises((Unreachable, Interrupted)) as met, tenancy(host, ROOT, "run-one", silence_s=60) as held:
        once_there(machine, f"/srv/{name}.count", lambda: machine.run_in_container("systemctl reboot", check=False))
        with detected(f"1 restart in mid-step, {'unit' if long else 'at once'}"):
            converge(host, Counted(name, seconds=20, long=long), carry_out=held)
    assert "not known" in met.value.what
    machine.wait_for_boot(after=before)
    told: list[str] = []
    host = machine.host()
    with tenancy(host, ROOT, "run-two", told.append) as held:
        assert converge(host, Counted(name, seconds=0), carry_out=held).steps == (f"make {name}",)
        assert converge(host, Counted(name), carry_out=held).steps == ()
    assert any("run-one began" in line for line in told)
    assert ("run-one", "abandoned", f"make {name}") in events(machine)


class Restarted:
    """The host runs another boot than `before`."""

    name = "a fresh boot"

    def __init__(self, before: str, kernel: str = "") -> None:
        self.before, self.kernel = before, kernel

    def plan(self, host: Host) -> Iterator[Step]:
        if look(host, BootFact()).id == self.before:
            yield Step("restart", "systemctl reboot", timeout=60, reboot=True, kernel=self.kernel, sudo=True)


def test_a_restart_is_a_step_and_the_lease_survives_it(machine: Machine) -> None:
    host, told = machine.host(), []
    with tenancy(host, ROOT, "run-one") as held:
        converge(host, Restarted(machine.boot_id), say=told.append, carry_out=held)
        with pytest.raises(LeaseHeld):
            leases.take(machine.host(), ROOT, "run-two", "now")
    assert any("back after" in line for line in told)
    assert [event for _, event, _ in events(machine)] == ["begun", "done"]


def test_a_host_that_does_not_come_back_is_lost_and_not_tried_again(machine: Machine) -> None:
    host, before = machine.host(connect_timeout=2), machine.boot_id
    once_there(machine, "/tmp/going", machine.power_off)
    with detected("2 does not return (deadline 8 s)"), pytest.raises(HostLost, match="lost: 8 s") as lost:
        restart(host, "touch /tmp/going", within_s=8)
    assert "out of band" in lost.value.fix and before in lost.value.what
    machine.power_on()
    assert machine.boot_id != before


def test_a_host_that_stays_up_and_one_with_another_kernel_are_told_apart(machine: Machine) -> None:
    with detected("2 did not restart (deadline 3 s)"), pytest.raises(NotRestarted):
        restart(machine.host(), "true", within_s=3)
    with detected("2 another kernel"), pytest.raises(WrongKernel, match=r"6\.99 was expected"):
        restart(machine.host(), "systemctl reboot", within_s=60, kernel="6.99")


# Units


def test_a_units_output_is_bounded_its_end_exact_and_its_input_gone(machine: Machine) -> None:
    host = machine.host()
    flood = run_unit(
        host, Unit.of(ROOT, "beachhead-flood"), "yes | head -c 40000000; echo last; exit 5", timeout_s=60, sudo=True
    )
    assert flood.exit == 5 and len(flood.stdout) < 5_000_000 and flood.stdout.endswith("y\nlast\n")
    unit = Unit.of(ROOT, "beachhead-input")
    assert run_unit(host, unit, "cat; echo >&2 err", timeout_s=20, stdin="a 'word'\n", sudo=True).stdout == "a 'word'\n"
    assert machine.run_in_container(f"grep -rl word {ROOT}/units/beachhead-input") == f"{unit.folder}/out"


def test_a_unit_that_was_killed_left_no_status_and_nobody_calls_it_done(machine: Machine) -> None:
    host, unit = machine.host(), Unit.of(ROOT, "beachhead-killed")
    once_there(machine, "/srv/killed", lambda: machine.run_in_container("systemctl kill -s KILL beachhead-killed"))
    with pytest.raises(Interrupted, match="gone"):
        run_unit(host, unit, "touch /srv/killed; sleep 60", timeout_s=90, sudo=True)
    assert look_at(host, Unit.of(ROOT, "beachhead-never")).state is UnitState.ABSENT


def test_a_torn_journal_is_read_up_to_the_tear_and_written_on(machine: Machine) -> None:
    host, told = machine.host(), []
    with tenancy(host, ROOT, "run-one") as held:
        held.plans(["x"])
    machine.run_in_container(f'printf \'{{"at": "2026\' >>{ROOT}/steps.jsonl')
    with detected("33 journal torn by a power loss"), tenancy(host, ROOT, "run-two", told.append) as held:
        held.plans(["y"])
    page = read(host, ROOT)
    assert [(entry.run, entry.event, entry.note) for entry in page.entries] == [
        ("run-one", Event.PLANNED, "x"),
        ("run-two", Event.PLANNED, "y"),
    ]
    assert page.torn == 1 and "can't be read" in told[0]
