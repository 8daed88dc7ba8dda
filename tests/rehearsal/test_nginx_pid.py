"""The gateway's nginx is found by a number alone, and only where it is that folder's."""

import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.processes import read_nginx_pid

SLEEPS = "import time; time.sleep(60)"  # no nginx: what is looked at is a command line


def _noted(folder: Path, pid: int) -> Path:
    (folder / "run").mkdir(parents=True)
    file = folder / "run" / "nginx.pid"
    file.write_text(f"{pid}\n")
    return file


def test_the_folder_s_own_is_found_however_narrow_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    folder = tmp_path / "gateway"
    with subprocess.Popen([sys.executable, "-c", SLEEPS, f"{folder}/"]) as child:
        (found,) = read_nginx_pid(_noted(folder, child.pid))
        assert found.pid == child.pid and found.alive
        assert found.stop()
    assert read_nginx_pid(folder / "run" / "nginx.pid") == ()


def test_a_number_that_is_somebody_else_s_now_is_not_taken(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPS]) as child:
        assert read_nginx_pid(_noted(tmp_path / "gateway", child.pid)) == ()
        child.kill()
