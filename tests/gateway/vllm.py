"""A real vLLM for CPU with the tiny checkpoint, started with the product's own flags."""

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

from rehearsal.checkpoint import checkpoints
from tasks.engines.base import engine
from tests.ports import free_port
from tests.vllm_environment import rehearsed, vllm_python


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
    inventory = rehearsed(folder)
    checkpoints()[0].write(folder / "model")
    launch = engine("vllm").launch(inventory, inventory.hosts[0], str(folder / "model"))
    try:
        port = free_port()
        words = [str(vllm_python()), *(str(port) if word == "{port}" else word for word in launch.arguments)]
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
