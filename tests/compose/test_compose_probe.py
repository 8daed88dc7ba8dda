"""The container's health probe, as a program, against a fake engine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.compose import probe
from tests.compose.ground import FAKE
from tests.ports import free_port


@contextmanager
def fake_engine(*flags: str) -> Iterator[int]:
    port = free_port()
    words = [sys.executable, str(FAKE), "--port", str(port), *flags]
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"VLLM_API_KEY": "k"}
    ) as engine:
        try:
            yield port
        finally:
            engine.kill()


def probed(port: int, key: str = "k", seconds: int = 2) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-I", str(probe.__file__), str(port), str(seconds), "VLLM_API_KEY"]
    return subprocess.run(words, capture_output=True, text=True, timeout=30, env={**os.environ, "VLLM_API_KEY": key})


def test_the_probe_asks_for_a_completion() -> None:
    with fake_engine("--says", "token") as port:
        deadline = time.monotonic() + 10
        while (ran := probed(port)).returncode != 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert (ran.returncode, ran.stdout) == (0, "one token came back\n")
        wrong = probed(port, key="not-the-key")
        assert wrong.returncode == 1
        assert "status 401" in wrong.stderr
        assert "not-the-key" not in wrong.stderr
    refused = probed(port)
    assert (refused.returncode, "ConnectionRefusedError" in refused.stderr) == (1, True)


def test_the_probe_does_not_wait_longer_than_it_is_told() -> None:
    with fake_engine("--hangs-after-s", "0") as port:
        time.sleep(1)
        began = time.monotonic()
        assert probed(port, seconds=1).returncode != 0
        assert time.monotonic() - began < 25
