"""A real vLLM for CPU with the tiny checkpoint, installed by the product's own operations and started with its flags.

$BEACHHEAD_TEST_VLLM_PYTHON names an interpreter that has vLLM already, which saves the installation.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from flows import environment
from inventories.load import load
from rehearsal.checkpoint import checkpoints
from tasks.engines.base import engine
from tasks.local import LocalHost
from tasks.operations.base import converge
from tests.tasks.sshd import free_port


@dataclass
class Vllm:
    """Where it listens, and its log."""

    port: int
    log: Path

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return str(answer.read().decode())


@contextmanager
def vllm(key: str, *, budget_s: float = 420) -> Iterator[Vllm]:
    """Runs while the context lasts; ended by its process group."""
    folder = Path(tempfile.mkdtemp(prefix="vllm-"))
    given = {"BEACHHEAD_CHECKOUT": str(folder), "BEACHHEAD_FIND_LINKS": environment.find_links()}
    with patch.dict(os.environ, given):
        inventory = load("rehearsal")
    host, kind, spec = LocalHost(), engine("vllm"), inventory.hosts[0]
    checkpoints()[0].write(folder / "model")
    launch = kind.launch(inventory, spec, str(folder / "model"))
    python = os.environ.get("BEACHHEAD_TEST_VLLM_PYTHON")
    try:
        if not python:
            for operation in kind.install(inventory, spec):
                converge(host, operation)
        port = free_port()
        words = [python or launch.program, *(str(port) if word == "{port}" else word for word in launch.arguments)]
        yield from _running(words, launch.env | {"VLLM_API_KEY": key}, Vllm(port, folder / "log"), budget_s)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(words: list[str], env: dict[str, str], server: Vllm, budget_s: float) -> Iterator[Vllm]:
    with server.log.open("wb") as log:
        child = subprocess.Popen(words, env=os.environ | env, stdout=log, stderr=log, start_new_session=True)
    try:
        until = time.monotonic() + budget_s
        while not _healthy(server):
            ended = child.poll() is not None or time.monotonic() > until
            assert not ended, f"vLLM did not start:\n{server.log.read_text()[-3000:]}"
            time.sleep(1)
        yield server
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _healthy(server: Vllm) -> bool:
    try:
        server.get("/health")
    except (urllib.error.URLError, OSError):
        return False
    return True
