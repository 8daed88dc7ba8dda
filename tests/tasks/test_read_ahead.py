"""Reading ahead: few exchanges, the same outcome, and never an answer from before a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tasks.batch import run_all
from tasks.hosts import CommandFailed, DeadlineExceeded, HostError, Ran, SudoRefused
from tasks.local import LocalHost
from tasks.operations import read_ahead
from tasks.operations.base import Change, NotConverged, Operation, Step, converge
from tasks.operations.files import File, Folder
from tasks.operations.read_ahead import reading_ahead


class Counting:
    """This machine, and how often it was asked; `broken` is raised at every exchange that has it in its text."""

    def __init__(self, broken: str = "", error: HostError | None = None) -> None:
        self.name = "here"
        self.commands: list[str] = []
        self.host = LocalHost("here")
        self.broken, self.error = broken, error

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        self.commands.append(command)
        if self.error and self.broken in command:
            raise self.error
        return self.host.run(command, timeout=timeout, stdin=stdin, sudo=False)

    def forward(self, port: int) -> AbstractContextManager[int]:
        return self.host.forward(port)

    def close(self) -> None:
        self.host.close()


@dataclass(frozen=True)
class Counter:
    """A file holds at least `lines` lines; each step adds one, and the plan looks again after each."""

    path: Path
    lines: int

    @property
    def name(self) -> str:
        return "counter"

    def plan(self, host: object) -> Iterator[Step]:
        while int(host.run(f"cat {self.path} 2>/dev/null | wc -l").check().stdout) < self.lines:  # type: ignore[attr-defined]
            yield Step("add a line", f"echo x >> {self.path}")


def bring_about(host: Counting, operations: list[Operation]) -> list[Change]:
    return [converge(host, operation) for operation in reading_ahead(host, operations)]


def wanted(folder: Path) -> list[Operation]:
    files = [File(str(folder / f"file{n}"), f"text {n}") for n in range(8)]
    return [Folder(str(folder)), *files, Counter(folder / "c", 3)]


def test_a_run_that_changes_nothing_takes_one_exchange(tmp_path: Path) -> None:
    first, again = Counting(), Counting()
    made = bring_about(first, wanted(tmp_path / "a"))
    assert [bool(change.steps) for change in made] == [True] * 10
    unchanged = bring_about(again, wanted(tmp_path / "a"))
    assert [change.steps for change in unchanged] == [()] * 10
    assert [change.operation for change in unchanged] == [operation.name for operation in wanted(tmp_path / "a")]
    assert len(again.commands) == 1


def test_the_outcome_is_that_of_going_one_by_one(tmp_path: Path) -> None:
    plain, ahead = tmp_path / "plain", tmp_path / "ahead"
    one_by_one = [converge(Counting(), operation) for operation in wanted(plain)]
    read = bring_about(Counting(), wanted(ahead))
    assert [len(change.steps) for change in read] == [len(change.steps) for change in one_by_one]
    assert {p.name: p.read_text() for p in ahead.iterdir()} == {p.name: p.read_text() for p in plain.iterdir()}
    assert len((ahead / "c").read_text().splitlines()) == 3


def test_a_step_ends_the_life_of_everything_that_was_read(tmp_path: Path) -> None:
    """The first operation undoes what the second, read at the same time, had found in place."""
    kept = File(str(tmp_path / "kept"), "as it should be")
    converge(Counting(), kept)

    @dataclass(frozen=True)
    class Spoils:
        name: str = "spoils"

        def plan(self, host: object) -> Iterator[Step]:
            if host.run(f"test -e {tmp_path}/done || echo missing").stdout:  # type: ignore[attr-defined]
                yield Step("spoil", f"touch {tmp_path}/done; echo spoiled > {tmp_path}/kept")

    changes = bring_about(Counting(), [Spoils(), kept])
    assert [len(change.steps) for change in changes] == [1, 1]
    assert (tmp_path / "kept").read_text() == "as it should be"


def test_what_was_read_long_ago_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host, operations = Counting(), [File(str(tmp_path / "a"), "a"), File(str(tmp_path / "b"), "b")]
    for operation in operations:
        converge(host, operation)
    first, second = reading_ahead(host, operations)
    assert list(first.plan(host)) == []
    (tmp_path / "b").write_text("changed by somebody else")
    assert list(second.plan(host)) == [], "within its life a reading stands"
    monkeypatch.setattr(read_ahead, "FRESH_S", 0.0)
    assert [step.why for step in second.plan(host)] == [f"write file {tmp_path}/b"]


def test_a_plan_that_waits_by_asking_again_gets_new_answers(tmp_path: Path) -> None:
    @dataclass
    class Waits:
        name: str = "waits"
        seen: list[str] = field(default_factory=list)

        def plan(self, host: object) -> Iterator[Step]:
            while (said := host.run(f"echo x >> {tmp_path}/asked; wc -l < {tmp_path}/asked").stdout) < "4":  # type: ignore[attr-defined]
                self.seen.append(said)
            yield from ()

    host = Counting()
    assert bring_about(host, [Waits()])[0].steps == ()
    assert len((tmp_path / "asked").read_text().splitlines()) == 4


def test_a_step_that_does_not_help_is_still_found_out(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class InVain:
        name: str = "in vain"

        def plan(self, host: object) -> Iterator[Step]:
            if host.run(f"cat {tmp_path}/absent 2>/dev/null || echo missing").stdout == "missing\n":  # type: ignore[attr-defined]
                yield Step("do nothing", "true")

    with pytest.raises(NotConverged, match="do nothing"):
        bring_about(Counting(), [InVain(), Folder(str(tmp_path / "after"))])
    assert not (tmp_path / "after").exists()


def test_an_error_comes_from_the_command_that_met_it_and_in_its_turn(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Fails:
        name: str = "fails"

        def plan(self, host: object) -> Iterator[Step]:
            host.run("echo no such thing >&2; exit 7").check()  # type: ignore[attr-defined]
            yield from ()

    with pytest.raises(CommandFailed, match="exit status 7: no such thing") as failed:
        bring_about(Counting(), [Folder(str(tmp_path / "before")), Fails(), Folder(str(tmp_path / "after"))])
    assert failed.value.ran.command == "echo no such thing >&2; exit 7"
    assert (tmp_path / "before").exists() and not (tmp_path / "after").exists()


@pytest.mark.parametrize("error", [SudoRefused("no", where="h", fix="f"), DeadlineExceeded("late", where="h", fix="f")])
def test_a_batch_that_fails_leaves_each_look_to_be_asked_alone(tmp_path: Path, error: HostError) -> None:
    host = Counting(broken="(eval ", error=error)
    assert [bool(change.steps) for change in bring_about(host, wanted(tmp_path / "a"))] == [True] * 10
    again = Counting(broken="(eval ", error=error)
    assert not any(change.steps for change in bring_about(again, wanted(tmp_path / "a")))
    assert len(again.commands) > 10


ODD = [
    ("echo out; echo err >&2; exit 3", 3, "out\n", "err\n"),
    ("printf 'no newline'", 0, "no newline", ""),
    ("exec true", 0, "", ""),
    ("set -e; false; echo not reached", 1, "", ""),
    ("cat; echo $?", 0, "0\n", ""),
    ("cd /; x=1", 0, "", ""),
    ('echo "[$x]"', 0, "[]\n", ""),
    ("printf '\\036'", 0, "\x1e", ""),
]


def test_commands_of_a_batch_keep_their_own_ends() -> None:
    found = run_all(LocalHost(), [command for command, *_ in ODD])
    assert [(ran.command, ran.exit, ran.stdout, ran.stderr) for ran in found if ran] == ODD


def test_a_command_that_bash_cannot_read_does_not_touch_its_neighbours() -> None:
    before, broken, after = run_all(LocalHost(), ["echo 1", "echo 'unclosed", "echo 2"])
    assert before and broken and after
    assert (before.stdout, broken.exit, after.stdout) == ("1\n", 2, "2\n") and "unexpected EOF" in broken.stderr


def test_one_command_that_hangs_costs_the_batch_its_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        run_all(LocalHost(), ["echo 1", "sleep 60"], timeout=0.3)


def test_no_commands_are_no_exchange() -> None:
    host = Counting()
    assert run_all(host, []) == [] and host.commands == []
