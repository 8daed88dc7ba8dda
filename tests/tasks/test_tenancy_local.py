"""Lease, journal, units and restarts on this machine and on the scripted host: no network, no systemd."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import journal, leases, reboots, units
from tasks.facts.boot import BootFact
from tasks.fake import FakeHost
from tasks.hosts import CommandFailed, DeadlineExceeded, Host, HostKeyChanged, Ran, Unreachable, now
from tasks.journal import Entry, Event, Journal, unfinished
from tasks.leases import LeaseHeld, LeaseLost
from tasks.local import LocalHost
from tasks.operations.base import Step, converge
from tasks.processes import has_ended, ourselves
from tasks.tenancy import tenancy
from tasks.units import Hung, Interrupted, Unit, UnitState, look_at, run_unit, watch

pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")]
HOST = LocalHost()


@pytest.fixture
def root(tmp_path: Path) -> str:
    folder = tmp_path / "it's a root"
    folder.mkdir()
    return str(folder)


class Written:
    """A file is there; its step may be long."""

    name = "a file"

    def __init__(self, path: Path, command: str = "", **more: object) -> None:
        self.path, self.command, self.more = path, command or f"touch '{path}'", more

    def plan(self, host: Host) -> Iterator[Step]:
        if not self.path.exists():
            yield Step("write it", self.command, **self.more)  # type: ignore[arg-type]


# Leases


def test_a_lease_is_ours_again_refused_to_others_and_gone_after_release(root: str) -> None:
    assert leases.take(HOST, root, "one", "now").how == "free"
    assert leases.take(HOST, root, "one", "now").how == "ours"
    with pytest.raises(LeaseHeld, match=r"run one, since now"):
        leases.take(HOST, root, "two", "now")
    assert not leases.release(HOST, root, "two")
    held = leases.read(HOST, root)
    assert held and (held.run, held.owner, held.process) == ("one", leases.owner(), ourselves())
    assert leases.renew(HOST, root, "one") and not leases.renew(HOST, root, "two")
    assert leases.release(HOST, root, "one") and leases.read(HOST, root) is None
    assert not leases.release(HOST, root, "one") and not leases.renew(HOST, root, "one")


@pytest.mark.parametrize(
    ("edit", "how"),
    [
        ("s/^boot=.*/boot=another/", "restarted"),
        ("s/^renewed=.*/renewed=1/", "silent"),
        ("s/^renewed=.*/renewed=torn/", None),
        ("s/^run=.*//", None),
    ],
)
def test_what_makes_a_lease_stale_and_what_does_not(root: str, edit: str, how: str | None) -> None:
    leases.take(HOST, root, "one", "now")
    subprocess.run(["sed", "-i", edit, f"{root}/lease"], check=True)
    if how is None:
        with pytest.raises(LeaseHeld):
            leases.take(HOST, root, "two", "now")
        return
    answer = leases.take(HOST, root, "two", "now")
    assert answer.how == how and answer.old is not None and answer.old.run == "one"


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_over(root: str) -> None:
    code = "import sys; from tasks import leases; from tasks.local import LocalHost; "
    code += "leases.take(LocalHost(), sys.argv[1], 'dead', 'now')"
    subprocess.run([sys.executable, "-c", code, root], check=True)
    assert leases.take(HOST, root, "two", "now").how == "dead"


def test_a_process_elsewhere_is_never_called_dead() -> None:
    place, _, own = ourselves().partition("/")
    assert not has_ended(ourselves())
    assert has_ended(f"{place}/{own.partition('/')[0]}/1") and has_ended(f"{place}/999999999/5")
    for unknown in ("", "x", f"elsewhere/{own}", f"{place}/", f"{place}/x/y", f"{place}/12/"):
        assert not has_ended(unknown)


def test_a_root_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="absent"):
        leases.take(HOST, str(tmp_path / "absent"), "one", "now")


# Journal


def test_what_was_begun_and_not_ended_is_found(root: str) -> None:
    one, two = Journal(HOST, root, "one", "boot"), Journal(HOST, root, "two", "boot")
    one.write(Event.BEGUN, step=1, why="first")
    one.write(Event.DONE, step=1)
    one.write(Event.BEGUN, step=2, operation="op", why='it\'s the "second"', unit="u")
    two.write(Event.BEGUN, step=2, why="mine")
    page = journal.read(HOST, root)
    assert page.torn == 0
    (left,) = unfinished(page.entries, "two")
    assert (left.run, left.step, left.why, left.unit) == ("one", 2, 'it\'s the "second"', "u")
    two.close_for(left, Event.ABANDONED, "asked")
    assert unfinished(journal.read(HOST, root).entries, "two") == ()


def test_a_torn_line_and_a_strange_one_are_counted(root: str) -> None:
    Path(root, "steps.jsonl").write_text(
        '{"at": "x", "run": "r", "boot": "b", "event": "begun"}\n{"event": "new"}\n{"a'
    )
    Journal(HOST, root, "one", "boot").write(Event.ENDED)
    page = journal.read(HOST, root)
    assert page.torn == 2
    assert [entry.event for entry in page.entries] == [Event.BEGUN, Event.ENDED]
    assert journal.read(HOST, f"{root}/absent").entries == ()


# Units


def unit(root: str, name: str = "u1") -> Unit:
    return Unit.of(root, f"beachhead-test-{os.getpid()}-{name}")


@pytest.mark.parametrize("sudo", [False, True])
def test_a_unit_gives_status_and_both_streams(root: str, sudo: bool) -> None:
    if sudo and os.getuid() != 0:
        pytest.skip("needs root")
    ran = run_unit(HOST, unit(root), "cat; echo err >&2; pwd; exit 7", timeout_s=20, stdin="in 'put'\n", sudo=sudo)
    assert (ran.exit, ran.stdout, ran.stderr) == (7, "in 'put'\n/\n", "err\n")
    left = {path.name for path in Path(unit(root).folder).iterdir()}
    assert "stdin" not in left and Path(unit(root).folder).stat().st_mode & 0o777 == 0o700


def test_a_second_start_finds_the_first(root: str, tmp_path: Path) -> None:
    command = f"echo ran >> '{tmp_path}/count'; sleep 0.5"
    units.begin(HOST, unit(root), command, timeout_s=20)
    assert run_unit(HOST, unit(root), command, timeout_s=20).exit == 0
    assert (tmp_path / "count").read_text() == "ran\n"


def test_a_unit_that_takes_too_long_is_stopped(root: str) -> None:
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within 1 s and was stopped; its last output: here"):
        run_unit(HOST, unit(root), "echo here; sleep 30", timeout_s=1)
    assert time.monotonic() - began < 15


def test_a_unit_whose_process_is_gone_or_whose_boot_is_over_is_not_done(root: str) -> None:
    u = unit(root)
    units.begin(HOST, u, "sleep 30", timeout_s=60)
    while not (pid := Path(u.folder, "pid")).exists() or not pid.read_text().strip():
        time.sleep(0.05)
    assert look_at(HOST, u).state is UnitState.RUNNING
    os.killpg(int(pid.read_text().split()[0]), 9)
    with pytest.raises(Interrupted, match="gone"):
        watch(HOST, u, "sleep 30", timeout_s=60)
    Path(u.folder, "boot").write_text("another\n")
    assert look_at(HOST, u).state is UnitState.RESTARTED
    assert look_at(HOST, unit(root, "never")).state is UnitState.ABSENT


class Flaky:
    """A host whose connection goes every other time, before or after the command ran."""

    name = "flaky"

    def __init__(self, silent_from: int = 10_000) -> None:
        self.calls, self.silent_from = 0, silent_from

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        self.calls += 1
        lost = Unreachable("the connection went", where="flaky", fix="-")
        if self.calls % 4 == 1 or self.calls > self.silent_from:
            raise lost
        ran = HOST.run(command, timeout=timeout, stdin=stdin, sudo=sudo)
        if self.calls % 4 == 3:
            raise lost
        return ran

    def forward(self, port: int) -> object:
        raise AssertionError(port)

    def close(self) -> None:
        pass


def test_a_step_runs_once_however_often_the_link_goes(root: str, tmp_path: Path) -> None:
    host: Host = Flaky()  # type: ignore[assignment]
    ran = run_unit(host, unit(root), f"echo ran >> '{tmp_path}/count'; sleep 1; echo out", timeout_s=20)
    assert (ran.exit, ran.stdout) == (0, "out\n")
    assert (tmp_path / "count").read_text() == "ran\n"


def test_silence_beyond_the_budget_is_hung(root: str) -> None:
    host: Host = Flaky(silent_from=9)  # type: ignore[assignment]
    with pytest.raises(Hung, match="hung: no answer for"):
        run_unit(host, unit(root), "sleep 5", timeout_s=20, silence_s=1)


# Tenancy


def entries(root: str) -> list[Entry]:
    return list(journal.read(HOST, root).entries)


@pytest.mark.parametrize("long", [False, True])
def test_a_step_is_journalled_and_a_second_run_does_nothing(root: str, tmp_path: Path, long: bool) -> None:
    wanted = Written(tmp_path / "made", long=long, cannot_undo="what was there")
    told: list[str] = []
    with tenancy(HOST, root, "one") as held:
        assert converge(HOST, wanted, say=told.append, carry_out=held).steps == ("write it",)
        assert converge(HOST, wanted, carry_out=held).steps == ()
    assert [entry.event for entry in entries(root)] == [Event.BEGUN, Event.DONE]
    assert bool(entries(root)[0].unit) is long
    assert "localhost: this can't be undone: what was there" in told
    assert not Path(root, "lease").exists() and not list(Path(root).glob("units/*"))


@pytest.mark.parametrize("long", [False, True])
def test_a_failed_step_is_journalled_with_its_text(root: str, tmp_path: Path, long: bool) -> None:
    with pytest.raises(CommandFailed, match="the reason"), tenancy(HOST, root, "one") as held:
        converge(HOST, Written(tmp_path / "x", "echo the reason >&2; exit 4", long=long), carry_out=held)
    assert [entry.event for entry in entries(root)] == [Event.BEGUN, Event.FAILED]
    assert "the reason" in entries(root)[1].note and not Path(root, "lease").exists()


def test_a_secret_on_stdin_of_a_long_step_is_nowhere_afterwards(root: str, tmp_path: Path) -> None:
    with tenancy(HOST, root, "one") as held:
        made = Written(tmp_path / "made", f"cat > /dev/null; touch '{tmp_path}/made'", long=True, stdin="hush-hush\n")
        converge(HOST, made, carry_out=held)
    assert [str(p) for p in Path(root).rglob("*") if p.is_file() and "hush-hush" in p.read_text()] == []


def test_a_step_whose_end_was_not_seen_stays_open_for_the_next_run(root: str) -> None:
    with pytest.raises(Unreachable), tenancy(HOST, root, "one") as held:
        gone = FakeHost("gone", {"touch it": Unreachable("gone", where="x", fix="y")})
        held(gone, "op", Step("touch", "touch it"), lambda _: None)
    told: list[str] = []
    with tenancy(HOST, root, "two", told.append):
        pass
    assert "run one began 'touch'" in told[0] and "asked of the facts" in told[1]
    assert unfinished(entries(root), "three") == ()


def test_a_unit_of_a_dead_run_is_waited_for(root: str, tmp_path: Path) -> None:
    left = unit(root)
    Journal(HOST, root, "dead", "boot").write(Event.BEGUN, step=1, why="slowly", unit=left.id)
    units.begin(HOST, left, f"sleep 1; touch '{tmp_path}/made'", timeout_s=20)
    with tenancy(HOST, root, "two"):
        assert (tmp_path / "made").exists()
    assert entries(root)[-1].event is Event.ADOPTED and "exit status 0" in entries(root)[-1].note


def test_who_lost_the_lease_stops(root: str, tmp_path: Path) -> None:
    with tenancy(HOST, root, "one") as held:
        subprocess.run(["sed", "-i", "s/^run=.*/run=two/", f"{root}/lease"], check=True)
        held.renew()
        with pytest.raises(LeaseLost):
            converge(HOST, Written(tmp_path / "x"), carry_out=held)
    assert Path(root, "lease").exists(), "another's lease is not ours to remove"


def test_a_lease_that_cannot_be_given_back_is_said(root: str) -> None:
    told: list[str] = []
    with tenancy(HOST, root, "one", told.append) as held:
        held.host = FakeHost("gone", {})
        held.host.run = _unreachable  # type: ignore[method-assign]
    assert "could not be given back" in told[-1]


def _unreachable(*_: object, **__: object) -> Ran:
    raise Unreachable("no route", where="x", fix="y")


# Restarts


BEFORE, AFTER = (f"id=1f0c2d3e-0000-0000-0000-00000000000{n}\nat=1795360000\nkernel=6.8.0-{45 + n}\n" for n in (0, 1))
GONE = Unreachable("no SSH connection", where="box", fix="-")
RESTART = "systemctl reboot"


def box(*boots: str | Exception, restarted: str | Exception | Ran = "") -> FakeHost:
    return FakeHost("box", {BootFact().command: list(boots), RESTART: restarted})


def test_a_restart_waits_for_another_boot_and_asks_once() -> None:
    host = box(BEFORE, BEFORE, GONE, GONE, AFTER, restarted=GONE)
    boot = reboots.restart(host, RESTART, within_s=5, poll_s=0.01)
    assert boot.kernel == "6.8.0-46" and host.asked.count(RESTART) == 1 and host.calls[1].sudo


def test_a_host_that_does_not_return_is_lost() -> None:
    host = FakeHost("box", {BootFact().command: [BEFORE, *[GONE] * 500], RESTART: ""})
    with pytest.raises(reboots.HostLost, match=r"lost: 0\.3 s after its restart"):
        reboots.restart(host, RESTART, within_s=0.3, poll_s=0.01)
    assert host.asked.count(RESTART) == 1


def test_a_host_that_never_went_down_is_not_restarted() -> None:
    host = FakeHost("box", {BootFact().command: BEFORE, RESTART: ""})
    with pytest.raises(reboots.NotRestarted):
        reboots.restart(host, RESTART, within_s=0.2, poll_s=0.01)


def test_another_kernel_than_expected_is_said() -> None:
    with pytest.raises(reboots.WrongKernel, match=r"6\.8\.0-46, and 6\.8\.0-50 was expected"):
        reboots.restart(box(BEFORE, AFTER), RESTART, within_s=5, kernel="6.8.0-50", poll_s=0.01)
    assert reboots.restart(box(BEFORE, AFTER), RESTART, within_s=5, kernel="6.8.0-46", poll_s=0.01)


def test_a_refused_restart_and_a_changed_host_key_are_what_they_are() -> None:
    refused = Ran("box", RESTART, 1, "", "Interactive authentication required.", now())
    with pytest.raises(CommandFailed, match="Interactive"):
        reboots.restart(box(BEFORE, restarted=refused), RESTART, within_s=5)
    with pytest.raises(HostKeyChanged):
        reboots.restart(box(BEFORE, HostKeyChanged("x", where="y", fix="z")), RESTART, within_s=5)


def test_the_journal_is_one_json_object_a_line(root: str) -> None:
    Journal(HOST, root, "one", "b").write(Event.BEGUN, step=1, why="line\nbreak")
    (line,) = Path(root, "steps.jsonl").read_text().splitlines()
    assert json.loads(line)["why"] == "line\nbreak"
