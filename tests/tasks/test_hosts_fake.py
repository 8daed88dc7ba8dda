"""The strict double: exactly what was scripted, in order, and nothing else."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.fake import FakeHost
from tasks.hosts import CommandFailed, Host, Ran, Unreachable, write_file

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def ran(command: str, stdout: str = "", status: int = 0) -> Ran:
    return Ran("box", command, status, stdout, "", AT, 0.5)


def test_answers_are_given_as_scripted() -> None:
    gone = Unreachable("gone", where="box", fix="wait")
    host: Host = FakeHost("box", {"uname": "Linux\n", "false": ran("false", status=1), "reboot": gone})
    assert host.run("uname").check().stdout == "Linux\n"
    assert host.run("uname").host == "box"
    with pytest.raises(CommandFailed):
        host.run("false").check()
    with pytest.raises(Unreachable, match="gone"):
        host.run("reboot")


def test_a_list_is_consumed_in_order_and_not_repeated() -> None:
    host = FakeHost("box", {"date": ["one", "two"]})
    assert [host.run("date").stdout, host.run("date").stdout] == ["one", "two"]
    with pytest.raises(AssertionError, match="more often than scripted"):
        host.run("date")


def test_the_callers_list_is_left_alone() -> None:
    answers: list[Ran | str | Exception] = ["one"]
    FakeHost("box", {"date": answers}).run("date")
    assert answers == ["one"]


def test_what_is_not_scripted_names_the_nearest_that_is() -> None:
    host = FakeHost("box", {"nvidia-smi --query-gpu=name": "", "uname -r": ""})
    with pytest.raises(AssertionError, match="nearest scripted:\n  nvidia-smi --query-gpu=name\n"):
        host.run("nvidia-smi --query-gpu=uuid")
    assert host.asked == []


def test_unused_lists_commands_never_asked_and_answers_left() -> None:
    host = FakeHost("box", {"a": "", "b": "", "c": ["1", "2"]})
    host.run("a")
    host.run("c")
    assert host.unused() == ["b", "c"]


def test_calls_keep_what_was_sent() -> None:
    host = FakeHost("box", {"tee x": ""})
    host.run("tee x", stdin="text", sudo=True, timeout=5)
    assert host.stdin_of("tee x") == "text"
    assert (host.calls[0].sudo, host.calls[0].timeout) == (True, 5)
    with pytest.raises(AssertionError, match="never asked"):
        host.stdin_of("tee y")


def test_only_scripted_ports_are_forwarded() -> None:
    host = FakeHost("box", {}, forwards={8001: 40001})
    with host.forward(8001) as port:
        assert port == 40001
    with pytest.raises(AssertionError, match="8002"), host.forward(8002):
        pass


def test_write_file_sends_the_content_on_stdin_only() -> None:
    asked: list[tuple[str, str | None]] = []

    class Spy(FakeHost):
        def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
            asked.append((command, stdin))
            return ran(command)

    write_file(Spy("box", {}), "/etc/a b", "s3cret é")
    assert asked[0][1] == "s3cret é"
    assert "s3cret" not in asked[0][0]
    assert "-eq 9 ]" in asked[0][0]


def record(**other: object) -> str:
    base = {"host": "a100", "command": "date", "exit": 0, "stdout": "one", "stderr": "", "at": AT.isoformat()}
    return json.dumps(base | other)


def test_a_recording_is_replayed_in_order(tmp_path: Path) -> None:
    path = tmp_path / "recorded.jsonl"
    path.write_text("\n".join([record(seconds=1.5, id="x"), record(stdout="two"), record(command="id", exit=4)]) + "\n")
    host = FakeHost.from_recording(path)
    first = host.run("date")
    assert (first.host, first.stdout, first.seconds, first.at) == ("a100", "one", 1.5, AT)
    assert host.run("date").stdout == "two"
    assert [host.run("id").exit, host.run("id").exit] == [4, 4]
    assert FakeHost.from_recording(path, "other").run("date").host == "other"


@pytest.mark.parametrize(("line", "fault"), [('{"command": "date"}', "missing"), ("", "nothing is recorded")])
def test_a_broken_recording_says_so(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "recorded.jsonl"
    path.write_text(line)
    with pytest.raises(ValueError, match=fault):
        FakeHost.from_recording(path)
