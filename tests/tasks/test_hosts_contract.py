"""What every real host keeps to: the same cases over OpenSSH and as a local process."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tasks import shell
from tasks.hosts import CommandFailed, DeadlineExceeded, Host, HostError, Unreachable, write_file
from tasks.local import LocalHost
from tests.tasks.sshd import gone_within, running_sshd


@pytest.fixture(scope="module", params=["ssh", "local"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    if request.param == "local":
        yield LocalHost("box")
        return
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        host = server.host()
        yield host
        host.close()


def only_here() -> str:
    """A length of sleep that no other process on this machine asks for."""
    return f"{60 + time.time_ns() % 10**9 / 10**9:.9f}"


def test_a_command_answers_whole(host: Host) -> None:
    ran = host.run("echo out; echo err >&2; exit 7")
    assert (ran.host, ran.command, ran.exit) == ("box", "echo out; echo err >&2; exit 7", 7)
    assert (ran.stdout, ran.stderr) == ("out\n", "err\n")
    assert ran.at.utcoffset() is not None
    assert 0 < ran.seconds < 10
    with pytest.raises(CommandFailed, match="exit status 7: err"):
        ran.check()


@pytest.mark.parametrize("status", [0, 1, 2, 124, 126, 127, 137, 255])
def test_exit_statuses_are_the_hosts_own(host: Host, status: int) -> None:
    assert host.run(f"exit {status}").exit == status


def test_it_is_bash(host: Host) -> None:
    assert host.run("set -o pipefail; false | cat; echo ${BASH_VERSION:+bash}").check().stdout == "bash\n"


@pytest.mark.parametrize(
    "text", ["no newline", "", "\n", "two\n\n", "tab\t'quote' \"double\" $HOME `x` \\", "日本語 ü 🙂"]
)
def test_output_comes_back_to_the_byte(host: Host, text: str) -> None:
    assert host.run("cat; exit 3", stdin=text).stdout == text
    assert host.run("cat >&2", stdin=text).stderr == text


def test_what_is_not_utf8_is_replaced(host: Host) -> None:
    assert host.run(r"printf 'a\377b'").stdout == "a\ufffdb"


def test_output_that_looks_like_our_marks_changes_nothing(host: Host) -> None:
    forged = "\x1e" + "0" * 32 + "<x\x1e" + "0" * 32 + ">0\n"
    ran = host.run("cat; exit 9", stdin=forged)
    assert (ran.stdout, ran.exit) == (forged, 9)


def test_a_command_that_reads_its_own_wrapping_changes_nothing(host: Host) -> None:
    ran = host.run("ps -eo args; cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' '; exit 5")
    assert ran.exit == 5
    assert "ps -eo args" in ran.stdout


def test_without_stdin_a_reader_meets_the_end(host: Host) -> None:
    assert host.run("cat", timeout=10).check().stdout == ""


def test_big_stdin_to_a_command_that_answers_as_it_reads(host: Host) -> None:
    text = "0123456789abcde\n" * (20 * 1024 * 1024 // 16)
    assert host.run("tee >(md5sum >&2) | wc -c", stdin=text, timeout=60).check().stdout.strip() == str(len(text))
    assert host.run("cat", stdin=text, timeout=60).check().stdout == text


def test_big_stdin_to_a_command_that_does_not_read_it(host: Host) -> None:
    assert host.run("exit 4", stdin="x" * 20_000_000, timeout=30).exit == 4


def test_both_streams_may_flood_at_once(host: Host) -> None:
    line = "x" * 99
    ran = host.run(f"for i in $(seq 50000); do echo {line}; echo {line} >&2; done", timeout=60).check()
    assert len(ran.stdout) == len(ran.stderr) == 5_000_000
    ran = host.run("head -c 5000000 /dev/zero >&2; echo done", timeout=60).check()
    assert (ran.stdout, len(ran.stderr)) == ("done\n", 5_000_000)


def test_a_command_past_its_deadline_is_stopped_on_the_host(host: Host) -> None:
    mark, start = only_here(), time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within 2 s.*still here"):
        host.run(f"echo still here; sleep {mark} | cat; true", timeout=2)
    assert 2 <= time.monotonic() - start < 30
    assert gone_within(f"sleep {mark}", 20)


def test_a_command_that_ignores_the_polite_signal_is_killed(host: Host) -> None:
    mark, start = only_here(), time.monotonic()
    with pytest.raises(DeadlineExceeded):
        host.run(f"trap '' TERM; sleep {mark}; sleep {mark}", timeout=1)
    assert time.monotonic() - start < 30
    assert gone_within(f"sleep {mark}", 20)


def test_a_host_that_never_says_the_end_is_given_up(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shell, "GRACE_S", 1.0)
    pids, start = tmp_path / "pids", time.monotonic()
    try:
        with pytest.raises(DeadlineExceeded, match="no word"):  # the wrapping itself stands still
            host.run(f"w=$(ps -o ppid= -p $PPID); echo $PPID $w > {pids}; kill -STOP $PPID $w; sleep 3", timeout=1)
        assert time.monotonic() - start < 30
    finally:
        for pid in pids.read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def test_a_wrapping_that_is_killed_is_not_an_exit_status(host: Host) -> None:
    with pytest.raises(Unreachable, match="whether it finished is not known"):
        host.run("kill -KILL $(ps -o ppid= -p $PPID) $PPID; exit 0", timeout=30)


def test_more_output_than_is_kept_is_an_error_and_stops_the_command(host: Host) -> None:
    mark = only_here()
    with pytest.raises(HostError, match="more than 32 MiB"):
        host.run(f"yes {mark}", timeout=60)
    assert gone_within(f"yes {mark}", 20)
    assert host.run("echo next").stdout == "next\n"


def test_a_process_left_behind_holds_nobody_up(host: Host) -> None:
    mark, start = only_here(), time.monotonic()
    ran = host.run(f"sleep {mark} & echo $!", timeout=30).check()
    assert time.monotonic() - start < 25
    os.kill(int(ran.stdout), 0)  # it lives on
    host.run(f"kill {ran.stdout.strip()}").check()


def test_threads_share_a_host(host: Host) -> None:
    together = threading.Barrier(8)

    def ask(n: int) -> list[str]:
        together.wait(10)
        return [host.run(f"sleep 0.1; echo {n}.{k}; exit {n}", stdin="x" * 1000).stdout for k in range(3)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [[f"{n}.{k}\n" for k in range(3)] for n in range(8)]


def test_write_file_writes_all_of_it(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "a 'b'"
    write_file(host, str(path), "é\nsecond", mode="0640")
    assert path.read_text() == "é\nsecond"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_nul_or_no_deadline_is_refused_at_once(host: Host) -> None:
    with pytest.raises(ValueError, match="NUL"):
        host.run("echo \0")
    with pytest.raises(ValueError, match="timeout"):
        host.run("true", timeout=0)
