"""The engine's log: real ones of vLLM 0.32 for CPU, and GPU lines as worded in vLLM's source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.facts.engine_log import EngineLogFact, fatal_line
from tests.recorded import recordings

FACT = EngineLogFact("/x.log")

# As worded in vLLM 0.33 source; not recorded.
GPU = """
(APIServer pid=1) INFO 11-22 10:00:00 [utils.py:1] vLLM API server version 0.33.0
(Worker_TP0 pid=2) INFO 11-22 10:04:00 [gpu_model_runner.py:1] Model loading took 71.8300 GiB memory and 180.0 seconds
(Worker_TP0 pid=2) INFO 11-22 10:05:00 [gpu_worker.py:1] Available KV cache memory: 47.01 GiB
(EngineCore pid=3) INFO 11-22 10:05:01 [kv_cache_utils.py:1] GPU KV cache size: 718,288 tokens, Maximum concurrency \
for 262,144 tokens per request: 2.74x
"""


def test_the_recorded_log() -> None:
    log = FACT.parse(recordings.text("server.log"))
    assert (log.version, log.kv_tokens, log.kv_gib, log.load_gib) == ("0.32.0", 466_032, 1.0, None)
    assert log.prefix_caching is False
    assert log.fatal is None, "a warning that quotes an error is not the end"


def test_the_recorded_end() -> None:
    log = FACT.parse(recordings.text("server-fatal.log"))
    assert log.fatal == "NotImplementedError: No WNA16 MoE backend supports the deployment configuration."
    assert (log.version, log.kv_tokens, log.kv_gib) == ("0.32.0", None, None)


@pytest.mark.parametrize("cut", [121, 208])
def test_the_reason_is_found_wherever_the_log_was_cut(cut: int) -> None:
    text = "\n".join(recordings.text("server-fatal.log").splitlines()[:cut])
    assert fatal_line(text) == "NotImplementedError: No WNA16 MoE backend supports the deployment configuration."


def test_gpu_wording() -> None:
    log = FACT.parse(GPU)
    assert (log.version, log.kv_tokens, log.kv_gib, log.load_gib) == ("0.33.0", 718_288, 47.01, 71.83)
    assert (log.prefix_caching, log.fatal) == (None, None)


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("GPU KV cache size: 1,259,712 tokens", 1_259_712),
        ("GPU KV cache size: 96 tokens", 96),
        ("CPU KV cache size: 466,032 tokens, Maximum concurrency", 466_032),
        ("CPU KV cache usage: 0.0%", None),
    ],
)
def test_kv_tokens_with_and_without_commas(line: str, tokens: int | None) -> None:
    assert FACT.parse(line).kv_tokens == tokens


@pytest.mark.parametrize(
    "line",
    [
        "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`.",
        "ValueError: To serve at least one request with the models's max seq len (262144), (17.16 GiB KV cache is "
        "needed, which is larger than the available KV cache memory (1.20 GiB).",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 896.00 MiB.",
    ],
)
def test_gpu_ends(line: str) -> None:
    """As worded in vLLM 0.33 source; not recorded."""
    log = GPU + f"(EngineCore pid=3) ERROR 11-22 10:05:02 [core.py:1] {line}\n"
    log += "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}\n"
    assert fatal_line(log) == line


def test_the_newest_figure_counts_and_the_pointer_alone_is_better_than_nothing() -> None:
    assert FACT.parse("GPU KV cache size: 10 tokens\nGPU KV cache size: 20 tokens").kv_tokens == 20
    assert fatal_line("x\nRuntimeError: See root cause above.") == "RuntimeError: See root cause above."


def test_switched_off_by_a_flag_is_off_too() -> None:
    assert FACT.parse("config: enable_prefix_caching=False, x").prefix_caching is False
    assert FACT.parse("config: enable_prefix_caching=True, x").prefix_caching is None


@given(st.text())
def test_any_text_gives_a_log_with_nothing_made_up(text: str) -> None:
    log = FACT.parse(text)
    assert log.text == text
    if "KV" not in text:
        assert (log.kv_tokens, log.kv_gib) == (None, None)
