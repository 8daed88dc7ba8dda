"""The way SGLang gets its key: not on the command line, not in its log, not left in the environment.

Real SGLang needs CUDA, so a package of that name stands in for it and does what its launch_server does with its
arguments: it logs them and starts a process of its own.
"""

import os
import subprocess
import sys
from pathlib import Path

from tasks.facts.base import REMOTE

CODE = (REMOTE / "sglang_server.py").read_text(encoding="utf-8")
KEY = "sk-a-key-that-nobody-may-read"
STAND_IN = """
import logging, os, subprocess, sys
assert __name__ == "__main__"
logging.basicConfig(level=logging.INFO, force=True)
logging.info("server_args=%s", sys.argv)
logging.info(f"server_args={sys.argv}")
logging.info("%d", "no number")
at = sys.argv.index("--api-key")
print("took", len(sys.argv[at + 1]), sys.argv[1:at])
print("cmdline", open("/proc/self/cmdline").read().count(sys.argv[at + 1]))
print("env", subprocess.run(["env"], capture_output=True, text=True).stdout.count(sys.argv[at + 1]))
"""


def run(tmp_path: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    package = tmp_path / "sglang"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "launch_server.py").write_text(STAND_IN)
    command = [sys.executable, "-c", CODE, "--model-path", "/m", "--tp-size", "8"]
    told = {**os.environ, "PYTHONPATH": str(tmp_path), **env}
    return subprocess.run(command, env=told, capture_output=True, text=True, timeout=60)


def test_the_key_reaches_it_and_is_seen_nowhere(tmp_path: Path) -> None:
    done = run(tmp_path, {"SGLANG_API_KEY": KEY})
    assert done.returncode == 0, done.stderr
    assert f"took {len(KEY)} ['--model-path', '/m', '--tp-size', '8']" in done.stdout
    assert "cmdline 0" in done.stdout and "env 0" in done.stdout
    assert KEY not in done.stdout + done.stderr
    assert done.stderr.count("'--api-key', '***'") == 2


def test_without_a_key_it_does_not_start(tmp_path: Path) -> None:
    done = run(tmp_path, {})
    assert done.returncode != 0 and "SGLANG_API_KEY" in done.stderr and "took" not in done.stdout
