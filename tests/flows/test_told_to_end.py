"""SIGTERM, as from systemd or a CI's time limit: what was begun is undone, and the exit status says it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.watch.scene import REPOSITORY, until

CODE = """
import signal, sys, time
from pathlib import Path
from flows.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests are a job in the background, it is ignored
undone, begun = Path(sys.argv.pop()), Path(sys.argv.pop())

@main.command()
def busy():
    try:
        begun.touch()
        time.sleep(60)
    finally:
        {finally_}
        undone.touch()

main()
"""


def ended(tmp_path: Path, *numbers: signal.Signals, finally_: str = "pass") -> tuple[int, str, bool]:
    begun, undone = tmp_path / "begun", tmp_path / "undone"
    child = subprocess.Popen(
        [sys.executable, "-c", CODE.format(finally_=finally_), "busy", str(begun), str(undone)],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(begun.exists, 30, "it has begun")
        for number in numbers:
            child.send_signal(number)
            time.sleep(0.5)
        said = child.communicate(timeout=30)[1]
    finally:
        child.kill()
        child.wait()
    return child.returncode, said, undone.exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_was_begun_is_undone(tmp_path: Path, number: signal.Signals, status: int) -> None:
    code, said, undone = ended(tmp_path, number)
    assert (code, undone) == (status, True), said
    assert "the evidence so far is kept" in said and "Traceback" not in said


def test_a_second_one_ends_it_at_once(tmp_path: Path) -> None:
    code, _, undone = ended(tmp_path, signal.SIGTERM, signal.SIGTERM, finally_="time.sleep(20)")
    assert (code, undone) == (-signal.SIGTERM, False)
