"""`beachhead plan` for every shipped inventory: no host, no network, no program but git, nothing heavy imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inventories.load import names

ROOT = Path(__file__).parents[2]
HEAVY = ("prefect", "pandas", "great_expectations", "fabric", "paramiko", "openai", "huggingface_hub", "matplotlib")
WATCHED = r"""
import json, sys
seen = []
REACHES_OUT = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")

def watch(event, arguments):
    if event in REACHES_OUT:
        seen.append(f"{event} {arguments[1:]!r}")
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        seen.append(f"{event} {arguments[1] if len(arguments) > 1 else arguments[0]!r}")

sys.addaudithook(watch)
from flows.cli import main
try:
    main(sys.argv[1:], standalone_mode=True)
except SystemExit as end:
    print(json.dumps({"status": end.code, "seen": seen, "modules": sorted({m.split(".")[0] for m in sys.modules})}),
          file=sys.stderr)
"""


def watched(folder: Path, *arguments: str) -> dict:
    environment = {**os.environ, "BEACHHEAD_EVIDENCE": str(folder), "BEACHHEAD_HOME": str(folder / "home")}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=60,
    )
    return {"out": done.stdout, **json.loads(done.stderr.splitlines()[-1])}


@pytest.mark.parametrize("name", names())
def test_a_plan_reaches_nothing_and_imports_nothing_heavy(name: str, tmp_path: Path) -> None:
    told = watched(tmp_path, "plan", name, "--json")
    assert told["status"] in (0, 1), told["out"]
    assert [each for each in told["seen"] if "'git', '-C'" not in each] == []
    assert not set(HEAVY) & set(told["modules"])
    assert json.loads(told["out"])["report"].startswith(str(tmp_path))


def test_the_watch_can_see(tmp_path: Path) -> None:
    """A command that does reach out is caught by the same hook."""
    code = WATCHED.replace("from flows.cli import main", "import socket, subprocess").replace(
        "main(sys.argv[1:], standalone_mode=True)",
        "subprocess.run(['true']); socket.socket().connect_ex(('127.0.0.1', 9)); import pandas; sys.exit(0)",
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    told = json.loads(done.stderr.splitlines()[-1])
    assert any("socket.connect" in each for each in told["seen"])
    assert any("'true'" in each for each in told["seen"])
    assert "pandas" in told["modules"]
