"""Real vLLM on the CPU: its engine is stopped, /health goes on saying 200, and the watchdog replaces it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.checkpoint import checkpoints
from tasks.engines.base import engine
from tasks.remote.watch_host import processes, stat_of
from tests.vllm_environment import rehearsed, vllm_python
from tests.watch.scene import KEY, Scene, scene, until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1500)]
EVERY_S, DEADLINE_S, FAILURES, BUDGET_S = 2.0, 5.0, 2, 400.0
TOKENS = {"model": "tiny-k2", "prompt": "a b c"}
SLACK_S = 10.0  # two looks at /health and /proc, on a machine with two busy cores


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """vLLM with the tiny checkpoint and its engine in a process of its own, as on GPUs; and a watchdog."""
    folder = tmp_path_factory.mktemp("vllm")
    inventory, model = rehearsed(folder), folder / "model"
    checkpoints()[0].write(model)
    launch = engine("vllm").launch(inventory, inventory.hosts[0], str(model))
    arguments = (*launch.arguments, "--max-num-seqs", "1")  # so that a few clients can keep a probe waiting
    with scene(folder / "host", program=str(vllm_python()), arguments=arguments) as made:
        env = {**launch.env, "VLLM_ENABLE_V1_MULTIPROCESSING": "1"}
        object.__setattr__(made.release, "env", env)
        made.prepare(every_s=EVERY_S, deadline_s=DEADLINE_S, failures=FAILURES, start_budget_s=BUDGET_S)
        made.start_engine()
        made.start_watchdog()
        made.await_answer(BUDGET_S)
        yield made


def ask(scene: Scene, method: str, path: str, body: object = None, timeout: float = 5) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", scene.slot.port, timeout=timeout)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    return connection.getresponse().status


def engine_processes(scene: Scene) -> list[int]:
    """vLLM's own processes behind its API server."""
    return [int(line.split()[0]) for line in processes(scene.slot.port) if "VLLM" in line]


def test_a_stopped_engine_is_found_though_health_says_200_and_it_answers_again(serving: Scene) -> None:
    first, behind = serving.pid(), engine_processes(serving)
    assert behind, processes(serving.slot.port)
    began = time.monotonic()
    for pid in behind:
        os.kill(pid, signal.SIGSTOP)
    assert all(stat_of(pid)[1] == "T" for pid in behind)
    with pytest.raises(TimeoutError):
        ask(
            serving, "POST", "/v1/completions", {"model": "tiny-k2", "prompt": "a", "max_tokens": 1}, timeout=DEADLINE_S
        )
    assert ask(serving, "GET", "/health") == 200, "it says that all is well"
    until(lambda: "restart" in serving.told(), FAILURES * (EVERY_S + DEADLINE_S) + SLACK_S, "found")
    found = time.monotonic() - began
    until(lambda: "recovered" in serving.told(), BUDGET_S, "answers again")
    whole = time.monotonic() - began
    event = next(e for e in serving.events() if e["event"] == "restart")
    assert event["health"] == "200" and all(f"{pid} T " in " ".join(event["processes"]) for pid in behind)
    assert serving.pid() not in (None, first)
    assert all(stat_of(pid)[1:2] in ([], ["Z"]) for pid in behind), "nothing of the old one runs"
    print(f"\nfound {found:.1f} s after the stop, answers again {whole:.1f} s after it; /health 200 till then")
    print(json.dumps(event)[:1500])


def test_while_it_works_for_others_a_slow_probe_is_no_fault(serving: Scene) -> None:
    """A deadline that a busy engine can't meet: its token counters move, so it is left alone."""
    serving.stop_watchdog()
    serving.prepare(every_s=1, deadline_s=1.5, failures=1)
    first, stop = serving.pid(), threading.Event()
    body = {**TOKENS, "max_tokens": 400, "ignore_eos": True}

    def load() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):  # the last ones are cut off
                ask(serving, "POST", "/v1/completions", body, timeout=120)

    clients = [threading.Thread(target=load, daemon=True) for _ in range(8)]
    for client in clients:
        client.start()
    try:
        time.sleep(3)
        told = serving.told()
        serving.start_watchdog()
        until(lambda: "busy" in serving.told()[len(told) :], 30, "it is seen to be busy")
        time.sleep(15)
        since = serving.told()[len(told) :]
        assert serving.pid() == first and "restart" not in since, serving.events()[-3:]
        print("\nunder load:", since, next(e["why"] for e in serving.events() if e["event"] == "busy"))
    finally:
        stop.set()


def test_an_engine_that_is_killed_is_started_again(serving: Scene) -> None:
    serving.stop_watchdog()
    serving.prepare(every_s=EVERY_S, deadline_s=DEADLINE_S, failures=FAILURES)
    serving.start_watchdog()
    serving.await_answer(60)
    first, before = serving.pid(), serving.told().count("recovered")
    os.killpg(first or 0, signal.SIGKILL)
    began = time.monotonic()
    until(lambda: serving.told().count("recovered") > before, BUDGET_S)
    print(f"\nanswers again {time.monotonic() - began:.1f} s after kill -9")
    assert serving.pid() not in (None, first) and Path(f"/proc/{serving.pid()}").exists()
