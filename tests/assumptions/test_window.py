"""A watched window on a scripted GPU host, with a real HTTP server for the engine's counters."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from assumptions._core import Outcome, Stage
from assumptions._void import reasons
from assumptions._window import Watch, Window, watched
from inventories.load import load
from tasks.facts.engine_log import EngineLogFact
from tasks.facts.gpu_throttle import GpuThrottleTotalsFact
from tasks.fake import Answer, FakeHost
from tasks.releases import Slot
from tasks.runtimes.process import log_file
from tasks.service_gaps import ServiceWatch
from tasks.site import Site
from tests.assumptions import host_scene
from tests.assumptions.windows import CALM
from tests.recorded import recordings
from tests.recorded.scene import Scene, set_key

SLOT = Slot("a4c2be2949e8", 8001)
RECORDED = (
    'process_start_time_seconds 1.79538319624e+09\nvllm:num_requests_running{engine="0"} 0.0\n'
    'vllm:num_requests_waiting{engine="0"} 0.0\nvllm:prompt_tokens_total{engine="0"} %d\n'
    'vllm:generation_tokens_total{engine="0"} 100\nvllm:time_to_first_token_seconds_count{engine="0"} %d\n'
)


@contextmanager
def engine(*texts: str) -> Iterator[int]:
    """Gives each text once, in turn; its port."""
    left = list(texts)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = left.pop(0) if left else ""
            self.send_response(200 if text else 500)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield http.server_address[1]
        finally:
            http.shutdown()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    set_key(monkeypatch)


def seen(folder: Path, port: int, changes: dict[str, Answer | list[Answer]] | None = None) -> Window:
    """Two requests of 40 tokens on eight H200."""
    inventory = load("h200x8")
    spec = inventory.hosts[0]
    site = Site(inventory, folder)
    script: dict[str, Answer | list[Answer]] = {
        **host_scene.script(inventory),
        GpuThrottleTotalsFact().command: host_scene.rows("rtx2080-throttle-totals.csv"),
        EngineLogFact(log_file(spec.root, SLOT)).command: recordings.text("server.log"),
        **(changes or {}),
    }
    site.use(spec.name, FakeHost(spec.name, script, forwards={SLOT.port: port}))
    with watched(site, SLOT) as watch:
        pass
    site.close()
    return replace(watch.window(2, 80), client=CALM)  # of an empty window nothing can be said of the client


def test_a_window_holds_what_was_seen_around_it(tmp_path: Path) -> None:
    with engine(RECORDED % (1000, 7), RECORDED % (1080, 9)) as port:
        window = seen(tmp_path, port)
    assert window.before is not None and window.after is not None
    assert (window.before.requests, window.after.requests) == (7.0, 9.0)
    assert (window.before.tokens, window.after.tokens) == (1100.0, 1180.0)
    ((before, after),) = window.clocks.values()
    assert before.value is not None and len(before.value) == 8 and before == after
    assert window.compiled == ()
    assert reasons(window, load("h200x8")) == ()


def test_while_the_live_engine_is_measured_this_run_asks_it_nothing_else(tmp_path: Path) -> None:
    site = Site(load("h200x8"), tmp_path)
    spec = site.specs[0]
    script = {
        **host_scene.script(site.inventory),
        GpuThrottleTotalsFact().command: host_scene.rows("rtx2080-throttle-totals.csv"),
        EngineLogFact(log_file(spec.root, SLOT)).command: recordings.text("server.log"),
    }
    with engine(*[RECORDED % (1000, 7)] * 4) as port:
        gateway = site.inventory.serving.live_port
        site.use(spec.name, FakeHost(spec.name, script, forwards={SLOT.port: port, gateway: port}))
        for live in (True, False):
            with watched(site, SLOT, live=live):
                watch = ServiceWatch(site)
                watch.start()
                asked = watch.stop().asked
            assert (asked == 0) is live
        assert not site.undisturbed.locked()
    site.close()


def test_heat_and_a_compile_between_the_two_looks_are_seen(tmp_path: Path) -> None:
    table, log = host_scene.rows("rtx2080-throttle-totals.csv"), recordings.text("server.log")
    grown = log + "WARNING [jit_monitor.py:140] Triton kernel JIT compilation during inference: k. This causes\n"
    *first, last = table.splitlines()
    cells = last.split(", ")
    hot = "\n".join([*first, ", ".join([*cells[:2], "77000 us", *cells[3:]])]) + "\n"
    spec = load("h200x8").hosts[0]
    changes: dict[str, Answer | list[Answer]] = {
        GpuThrottleTotalsFact().command: [table, hot],
        EngineLogFact(log_file(spec.root, SLOT)).command: [log, grown],
    }
    with engine(RECORDED % (1000, 7), RECORDED % (1080, 9)) as port:
        window = seen(tmp_path, port, changes)
    heat, compiled = reasons(window, load("h200x8"))
    assert "hardware heat held its clocks down" in heat
    assert "Triton kernel JIT compilation" in compiled


def test_counters_that_are_not_there_any_more_are_seen(tmp_path: Path) -> None:
    with engine(RECORDED % (1000, 7)) as port:
        window = seen(tmp_path, port)
    assert window.after is None
    assert "could not be read after" in reasons(window, load("h200x8"))[0]


def test_a_window_that_has_not_ended_tells_nothing() -> None:
    with pytest.raises(ValueError, match="not ended"):
        Watch().window(1, 1)


def test_an_engine_that_can_not_be_reached_leaves_the_claim_unknown(tmp_path: Path) -> None:
    with engine() as port:
        evidence = Scene(tmp_path, Stage.STAGING, port).judged("latency-50-tokens")
    assert evidence.finding.outcome is Outcome.UNKNOWN
