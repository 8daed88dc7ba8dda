"""Command lines of every engine: word for word, with a reason each, and taken by the engine's own recorded parser."""

import json

import pytest

from inventories.errors import BadInput
from inventories.schema import Inventory
from tasks.engine_parts.locks import UV
from tasks.engines.base import PORT, Flag, engine
from tasks.facts.base import REMOTE
from tasks.facts.engine_options import EngineOptions, recorded
from tests.tasks.engine_cases import DIGEST, case, gpu_host

HOST = gpu_host()
GGUF = {"program": "/opt/llama/llama-server", "file": "UD-Q2_K_XL/K2.5-00001-of-00008.gguf"}
SGLANG_CODE = (REMOTE / "sglang_server.py").read_text(encoding="utf-8")
K2, K25 = "kimi-k2-thinking", "kimi-k2.5"
CUDA = {"gpu_memory_utilization": 0.95, "decode_context_parallel": 8}

SNAPSHOTS: dict[str, tuple[Inventory, str]] = {
    "vllm K2 Thinking in its image": (
        case("vllm", "0.33.0", model=K2, runtime="compose", tensor_parallel=8, options=CUDA, context_tokens=262144),
        "vllm serve /m --served-model-name kimi-k2-thinking --host 127.0.0.1 --port {port} --max-model-len 262144 "
        "--reasoning-parser kimi_k2 --enable-auto-tool-choice --tool-call-parser kimi_k2 "
        "--enable-prompt-tokens-details "
        "--gpu-memory-utilization 0.95 --tensor-parallel-size 8 --decode-context-parallel-size 8 --trust-remote-code",
    ),
    "vllm K2.5 with images, thinking off": (
        case("vllm", "0.33.0", model=K25, runtime="kubernetes", tensor_parallel=8,
             options={"thinking": False, "mm_encoder_tp_mode": "data", "images_per_request": 4, "enforce_eager": True}),
        "vllm serve /m --served-model-name kimi-k2.5 --host 0.0.0.0 --port {port} --max-model-len 32768 "
        "--reasoning-parser kimi_k2 --enable-auto-tool-choice --tool-call-parser kimi_k2 "
        '--default-chat-template-kwargs {"thinking": false} --enable-prompt-tokens-details --enforce-eager '
        '--tensor-parallel-size 8 --mm-encoder-tp-mode data --limit-mm-per-prompt {"image": 4} --trust-remote-code',
    ),
    "vllm K2.6 as text": (
        case("vllm", "0.33.0", model="kimi-k2.6", runtime="compose", options={"language_model_only": True}),
        "vllm serve /m --served-model-name kimi-k2.6 --host 127.0.0.1 --port {port} --max-model-len 32768 "
        "--reasoning-parser kimi_k2 --enable-auto-tool-choice --tool-call-parser kimi_k2 "
        "--enable-prompt-tokens-details "
        "--language-model-only --trust-remote-code",
    ),
    "vllm for a CPU in an image": (
        case("vllm", "0.32.0", runtime="compose", options={"device": "cpu"}),
        "python3 -m vllm.entrypoints.openai.api_server --model /m --served-model-name tiny-k2 --host 127.0.0.1 "
        "--port {port} --max-model-len 32768 --reasoning-parser kimi_k2 --enable-auto-tool-choice "
        "--tool-call-parser kimi_k2 --enable-prompt-tokens-details --enforce-eager --gpu-memory-utilization 0.1",
    ),
    "sglang K2.5": (
        case("sglang", "0.5.23", model=K25, runtime="compose", tensor_parallel=8,
             options={"thinking": True, "mem_fraction_static": 0.9, "mm_enable_dp_encoder": True}),
        "python3 -c CODE --model-path /m --served-model-name kimi-k2.5 --host 127.0.0.1 --port {port} "
        "--context-length 32768 --enable-metrics --enable-cache-report --reasoning-parser kimi_k2 "
        '--tool-call-parser kimi_k2 --default-chat-template-kwargs {"thinking": true} --tp-size 8 '
        "--mem-fraction-static 0.9 --mm-enable-dp-encoder --trust-remote-code",
    ),
    "sglang K2 Thinking, already there": (
        case("sglang", "0.5.23", model=K2, options={"program": "/opt/sglang/bin/python", "cpu_offload_gib": 4,
             "expert_parallel": 8, "max_running_requests": 64, "chunked_prefill_size": 4096,
             "kv_cache_dtype": "fp8_e4m3"}),
        "/opt/sglang/bin/python -c CODE --model-path /m --served-model-name kimi-k2-thinking --host 127.0.0.1 "
        "--port {port} --context-length 32768 --enable-metrics --enable-cache-report --reasoning-parser kimi_k2 "
        "--tool-call-parser kimi_k2 --ep-size 8 --kv-cache-dtype fp8_e4m3 --max-running-requests 64 "
        "--chunked-prefill-size 4096 --cpu-offload-gb 4 --trust-remote-code",
    ),
    "llamacpp K2.5, four slots": (
        case("llamacpp", "0.7.0", model="kimi-k2.5-ud-q2-k-xl", options=GGUF | {"thinking": False, "gpu_layers": "all",
             "cpu_moe_layers": 40, "cache_type": "q8_0", "flash_attention": "on", "load_mode": "mlock",
             "batch_tokens": 4096, "threads": 32}, concurrent_requests=4),
        "/opt/llama/llama-server --model /m/UD-Q2_K_XL/K2.5-00001-of-00008.gguf --alias kimi-k2.5-ud-q2-k-xl "
        "--host 127.0.0.1 --port {port} --ctx-size 131072 --parallel 4 --fit off --jinja --reasoning-format deepseek "
        '--chat-template-kwargs {"thinking": false} --metrics --no-slots --no-webui --offline --threads 32 '
        "--gpu-layers all --n-cpu-moe 40 --cache-type-k q8_0 --flash-attn on --load-mode mlock --batch-size 4096",
    ),
    "llamacpp in its image": (
        case("llamacpp", "0.7.0", runtime="compose", options={"file": "a.gguf"}),
        "/app/llama-server --model /m/a.gguf --alias tiny-k2 --host 127.0.0.1 --port {port} --ctx-size 32768 "
        "--parallel 1 --fit off --jinja --reasoning-format deepseek --metrics --no-slots --no-webui "
        "--offline --threads 64",
    ),
    "tgi": (
        case("tgi", "3.3.7", runtime="compose", tensor_parallel=2,
             options={"cuda_memory_fraction": 0.9, "max_batch_prefill_tokens": 4096}),
        "text-generation-launcher --model-id /m --hostname 127.0.0.1 --port {port} --num-shard 2 "
        "--max-total-tokens 32768 --max-input-tokens 32767 --max-concurrent-requests 128 --cuda-memory-fraction 0.9 "
        "--max-batch-prefill-tokens 4096",
    ),
}  # fmt: skip


def refused(flag: Flag, options: EngineOptions) -> str:
    """Why the recorded parser would not take a flag; a flag's words are options with at most one value each."""
    words = list(flag.words)
    while words:
        name = words.pop(0)
        option = options.option(name)
        if option is None:
            return f"{name} is not known"
        if option.values == "0":
            continue
        value = words.pop(0)
        if option.choices and value not in option.choices:
            return f"{name} does not take {value}"
    return ""


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_command_line_is_this(name: str) -> None:
    inventory, expected = SNAPSHOTS[name]
    kind = engine(inventory.engine.kind)
    kind.check(inventory)
    launch = kind.launch(inventory, HOST, "/m")
    words = [launch.program, *("CODE" if word == SGLANG_CODE else word for word in launch.arguments)]
    assert " ".join(words) == expected
    assert launch.arguments.count(PORT) == 1
    assert all(len(flag.why) >= 10 for flag in launch.flags)


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_engines_own_parser_takes_every_flag(name: str) -> None:
    inventory, _ = SNAPSHOTS[name]
    options = recorded(inventory.engine.kind, inventory.engine.version)
    assert options is not None and len(options.options) > 50
    launch = engine(inventory.engine.kind).launch(inventory, HOST, "/m")
    asked = [flag for flag in launch.flags if flag.words[0] not in ("-m", "-c", "serve")]
    assert [why for flag in asked if (why := refused(flag, options))] == []


def test_a_flag_that_no_parser_knows_is_found() -> None:
    for kind, version in (("vllm", "0.33.0"), ("sglang", "0.5.23"), ("llamacpp", "0.7.0"), ("tgi", "3.3.7")):
        options = recorded(kind, version)
        assert options is not None
        assert refused(Flag(("--dtyp", "int4"), ""), options) == "--dtyp is not known"
    sglang = recorded("sglang", "0.5.23")
    assert sglang and refused(Flag(("--kv-cache-dtype", "int4"), ""), sglang) == "--kv-cache-dtype does not take int4"


def test_every_option_of_llamacpps_help_was_read() -> None:
    llamacpp = recorded("llamacpp", "0.7.0")
    assert llamacpp and llamacpp.option("--metrics") and llamacpp.option("-ngl")
    fit = llamacpp.option("--fit")
    assert fit and fit.choices == ("on", "off")


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_no_secret_and_no_key_in_a_command_line(name: str) -> None:
    inventory, _ = SNAPSHOTS[name]
    launch = engine(inventory.engine.kind).launch(inventory, HOST, "/m")
    assert not [word for word in launch.arguments if word.startswith("--api-key")]
    assert not [variable for variable in launch.env if variable.endswith("KEY")]


def test_another_image_is_another_release() -> None:
    inside = case("vllm", "0.33.0", runtime="compose")
    assert engine("vllm").describe(inside) == f"vllm 0.33.0 (cuda, image {DIGEST})"
    assert engine("vllm").describe(case("vllm", "0.32.0", options={"device": "cpu"})) == "vllm 0.32.0 (cpu)"


def test_a_declared_program_of_an_image_decides_how_vllm_is_called() -> None:
    own = case("vllm", "0.32.0", runtime="compose", options={"device": "cpu"}, program="/opt/venv/bin/python")
    launch = engine("vllm").launch(own, HOST, "/m")
    assert (launch.program, launch.arguments[:2]) == (
        "/opt/venv/bin/python", ("-m", "vllm.entrypoints.openai.api_server"),
    )  # fmt: skip
    served = case("vllm", "0.33.0", runtime="compose", options={"device": "cpu"}, program="/usr/local/bin/vllm")
    assert engine("vllm").launch(served, HOST, "/m").arguments[:2] == ("serve", "/m")


@pytest.mark.parametrize(("branch", "path"), [(570, "/usr/local/cuda-13.0/compat"), (580, None), (None, None)])
def test_an_older_driver_gets_the_compatibility_libraries(branch: int | None, path: str | None) -> None:
    host = gpu_host(branch)
    process = case(
        "vllm", "0.32.0", options={"device": "cpu"}
    )  # the one lock that there is; the rule looks at the host
    env = engine("vllm").launch(process, host, "/m").env
    assert env.get("LD_LIBRARY_PATH") == path
    assert env.get("VLLM_ENABLE_CUDA_COMPATIBILITY") == ("1" if path else None)
    inside = engine("vllm").launch(case("vllm", "0.33.0", runtime="compose"), host, "/m").env
    assert "LD_LIBRARY_PATH" not in inside, "the image has its own copy, at its own place"
    assert inside.get("VLLM_ENABLE_CUDA_COMPATIBILITY") == ("1" if path else None)


@pytest.mark.parametrize(
    ("inventory", "words"),
    [
        (case("vllm", "0.19.0", model=K25, runtime="compose"), "0.19.1 or newer"),
        (case("vllm", "0.11.2", model=K2, runtime="compose"), "0.12.0 or newer"),
        (case("sglang", "0.5.4", model=K2, runtime="compose"), "0.5.5.post2 or newer"),
        (case("vllm", "0.33.0", model=K2, options={"trust_remote_code": False}), "its own code: tokenization_kimi.py"),
        (case("vllm", "0.33.0", model=K2, options={"thinking": False}), "no switch for thinking"),
        (case("vllm", "0.33.0", model=K2, options={"mm_encoder_tp_mode": "data"}), "takes text alone"),
        (case("sglang", "0.5.23", model=K2, options={"language_model_only": True}), "takes text alone"),
        (case("sglang", "0.5.23", options={"mem_fraction_static": 2}), "engine.options.mem_fraction_static"),
        (case("llamacpp", "0.7.0", options={"file": "../../etc/x.gguf"}), "engine.options.file"),
        (case("llamacpp", "0.7.0", options={"file": "a.safetensors"}), "engine.options.file"),
        (case("llamacpp", "0.7.0", options={"program": "/a b"}), "engine.options.program"),
        (case("llamacpp", "0.7.0", options={"program": "/a", "package": "llama.cpp-tools"}), "exclude each other"),
        (case("tgi", "3.3.7", model=K2, runtime="compose"), "'kimi_k2' is none of its model types"),
        (case("tgi", "3.3.7", model=K25, runtime="compose"), "'kimi_k25' is none of its model types"),
        (case("tgi", "3.3.7"), "comes as an image alone"),
        (case("tgi", "3.3.7", runtime="compose", options={"dtype": "int4"}), "engine.options.dtype"),
    ],
)
def test_what_an_engine_refuses_before_anything_is_touched(inventory: Inventory, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        engine(inventory.engine.kind).check(inventory)
    assert words in caught.value.what and caught.value.where and caught.value.fix


@pytest.mark.parametrize(
    ("inventory", "words"),
    [
        (case("sglang", "0.5.23"), "not installed by Beachhead"),
        (case("llamacpp", "0.7.0", options={"file": "a.gguf"}), "where llama-server comes from"),
        (case("llamacpp", "0.7.0", options={"program": "/a"}), "which GGUF file"),
    ],
)
def test_what_is_missing_is_told_at_launch(inventory: Inventory, words: str) -> None:
    engine(inventory.engine.kind).check(inventory)
    with pytest.raises(BadInput, match=words):
        engine(inventory.engine.kind).launch(inventory, HOST, "/m")


def test_a_mac_is_planned_with_and_not_provisioned() -> None:
    mac = gpu_host(gpu="m3-ultra")
    asked = case("llamacpp", "0.7.0", options=GGUF)
    llamacpp = engine("llamacpp")
    assert json.dumps([flag.words for flag in getattr(llamacpp, "flags")(asked, "/m")])  # noqa: B009
    for act in (lambda: list(llamacpp.install(asked, mac)), lambda: llamacpp.launch(asked, mac, "/m")):
        with pytest.raises(BadInput, match="launchd is not built"):
            act()


@pytest.mark.parametrize("kind", ["vllm", "sglang", "llamacpp", "tgi"])
def test_beside_an_image_only_the_hub_environment_is_installed(kind: str) -> None:
    inventory = case(kind, "3.3.7", runtime="compose")
    names = [operation.name for operation in engine(kind).install(inventory, HOST)]
    assert names == [f"uv {UV}", "engine hub-2.4.0"]
    assert engine(kind).python(inventory, HOST) == "/srv/beachhead/engines/hub-2.4.0/bin/python"
    assert "docker image inspect" in engine(kind).installed(inventory, HOST).command


def test_a_package_is_installed_where_one_is_named() -> None:
    asked = case("llamacpp", "0.7.0", options={"package": "llama.cpp-tools", "file": "a.gguf"})
    names = [operation.name for operation in engine("llamacpp").install(asked, HOST)]
    assert names[0] == "packages llama.cpp-tools" and len(names) == 3
    assert engine("llamacpp").launch(asked, HOST, "/m").program == "/usr/bin/llama-server"
