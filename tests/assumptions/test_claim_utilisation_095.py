"""utilisation-095: only a burst survived at 0.95 passes; less is UNKNOWN, or FAIL where the rest has no room."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assumptions._core import Outcome, Stage
from assumptions._serving_burst import TOKENS, Burst, burst
from assumptions.utilisation_095 import Full, judge, least_free, observe
from inventories.load import load
from serving.client import Client
from tasks.facts.gpu_memory import GpuMemory, GpuMemoryFact
from tasks.facts.reading import Reading
from tasks.site import Site
from tests.recorded import recordings

H200 = load("h200x8")
TOTAL = 143_771


def gpu(free: int | None, index: int = 0) -> GpuMemory:
    return GpuMemory(index, Reading(TOTAL), Reading(TOTAL - (free or 0)), Reading(free, "" if free else "[N/A]"))


DONE = Burst(sent=64, answered=64, failures=(), looks=((gpu(9000), gpu(3000, 1)), (gpu(8000), gpu(2500, 1))))
FULL = Full(share=0.95, burst=DONE, began=(1000.0, 1000.0))


def test_a_burst_survived_at_the_guides_share_passes() -> None:
    finding = judge(FULL, H200)
    assert (finding.outcome, finding.value, finding.unit) == (Outcome.PASS, 2500.0, "MiB free on the fullest GPU")
    assert judge(replace(FULL, share=0.97), H200).outcome is Outcome.PASS


def test_at_a_smaller_share_room_enough_is_unknown_and_too_little_fails() -> None:
    roomy = judge(replace(FULL, share=0.94), H200)  # 0.01 x 143,771 = 1,438 MiB more; 2,500 were free
    assert roomy.outcome is Outcome.UNKNOWN
    tight = judge(replace(FULL, share=0.92), H200)  # 4,313 MiB more
    assert tight.outcome is Outcome.FAIL
    assert "0.95 takes 4,313 MiB more, and 2,500 MiB were free" in tight.because


FAULTS: dict[str, tuple[Outcome, Full]] = {
    "restarted": (Outcome.FAIL, replace(FULL, began=(1000.0, 1200.0))),
    "start not seen": (Outcome.UNKNOWN, replace(FULL, began=(None, None))),
    "out of memory in the log": (Outcome.FAIL, replace(FULL, complaint="torch.OutOfMemoryError: CUDA out of memory")),
    "one request lost": (Outcome.FAIL, replace(FULL, burst=replace(DONE, answered=63, failures=("500: died",)))),
    "share not logged": (Outcome.UNKNOWN, replace(FULL, share=None)),
    "memory not read, at less": (Outcome.UNKNOWN, replace(FULL, share=0.9, burst=replace(DONE, looks=((gpu(None),),)))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_decides(fault: str) -> None:
    outcome, seen = FAULTS[fault]
    assert judge(seen, H200).outcome is outcome


def test_without_a_gpu_or_with_another_engine_nothing_is_asked(tmp_path: Path) -> None:
    cpu = recordings.rehearsal()
    assert observe(Site(cpu, tmp_path / "a"), Stage.STAGING) == Full(None)
    assert judge(Full(None), cpu).outcome is Outcome.NOT_APPLICABLE
    other = H200.model_copy(update={"engine": H200.engine.model_copy(update={"kind": "sglang"})})
    assert observe(Site(other, tmp_path / "b"), Stage.STAGING) == Full(None)
    assert judge(Full(None), other).outcome is Outcome.NOT_APPLICABLE


def test_the_fullest_gpu_at_its_fullest_counts() -> None:
    assert least_free(DONE.looks) == (2500, TOTAL)
    assert least_free(()) is None
    assert least_free(((gpu(9000), gpu(None, 1)),)) is None


def test_the_fact_reads_what_nvidia_smi_prints() -> None:
    table = "index, memory.total [MiB], memory.used [MiB], memory.free [MiB]\n0, 143771 MiB, 130004 MiB, 13155 MiB\n"
    (found,) = GpuMemoryFact().parse(table)
    assert (found.total_mib.value, found.used_mib.value, found.free_mib.value) == (143771, 130004, 13155)
    (masked,) = GpuMemoryFact().parse(table.replace("13155 MiB", "[N/A]"))
    assert masked.free_mib.value is None


class _Engine(BaseHTTPRequestHandler):
    """Answers completions; refuses those longer than 100 tokens."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        told = {"tokens": [1, 2, 3]} if self.path == "/tokenize" else {"usage": {"completion_tokens": TOKENS}}
        status = 500 if self.path != "/tokenize" and len(body["prompt"]) > 100 else 200
        data = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@pytest.mark.parametrize(("context", "answered"), [(100, 8), (4096, 6)])
def test_the_burst_sends_the_promised_windows_and_fills_up_with_short_ones(context: int, answered: int) -> None:
    engine = H200.engine.model_copy(update={"options": {**H200.engine.options, "max_num_seqs": 8}})
    serving = H200.serving.model_copy(update={"context_tokens": context, "concurrent_requests": 2})
    inventory = H200.model_copy(update={"engine": engine, "serving": serving})
    with ThreadingHTTPServer(("127.0.0.1", 0), _Engine) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/v1"
        with Client(address, model="m", api_key=None, record=lambda *_, **__: "") as client:
            done = burst(client, inventory, lambda: (gpu(5000),))
        server.shutdown()
        thread.join(5)
    assert (done.sent, done.answered, len(done.looks) >= 2) == (8, answered, True)
    assert [each[:3] for each in done.failures] == ([] if answered == 8 else ["500"])
