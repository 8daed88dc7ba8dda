"""llama.cpp's server, for GGUF files: on a Linux host from a package or a binary that is there, or in its image."""

from __future__ import annotations

from collections.abc import Iterator

from inventories.errors import BadInput
from inventories.figures import gpu
from inventories.schema import Host, Inventory
from tasks.engine_parts import llamacpp_flags
from tasks.engine_parts.llamacpp_options import options
from tasks.engine_parts.placement import declared, image, in_container, program
from tasks.engine_parts.recipes import new_enough, thinking
from tasks.engines.base import Flag, Launch, WarmUp
from tasks.facts.base import Fact
from tasks.facts.container_image import ContainerImageFact
from tasks.facts.engine_log import LogLines
from tasks.facts.engine_metrics import MetricNames
from tasks.facts.llamacpp_version import LlamaCppVersion
from tasks.operations.base import Operation
from tasks.operations.hub_environment import hub_environment, hub_python
from tasks.operations.packages import Packages

PACKAGED = "/usr/bin/llama-server"
IMAGE_PROGRAM = "/app/llama-server"  # of the project's own images


class LlamaCpp:
    """llama.cpp's OpenAI server.  Words and names as 0.7.0 really gave them on a CPU."""

    key_variable = "LLAMA_API_KEY"
    metrics = MetricNames(
        running="llamacpp:requests_processing",
        waiting="llamacpp:requests_deferred",
        prompt_tokens="llamacpp:prompt_tokens_total",
        cached_tokens="llamacpp:prompt_tokens_cached_total",
        generation_tokens="llamacpp:tokens_predicted_total",
        cached_apart=True,
    )
    log = LogLines(
        kv_tokens=r"n_slots = ([0-9]+), n_ctx_slot = ([0-9]+)",  # their product
        fatal=r"^[0-9.]+ E |error: ",
        points_up=r"failed to load model|exiting due to model loading error",
        prefix=r"^[0-9.]+ E ",
    )

    def check(self, inventory: Inventory) -> None:
        """Options and the model's recipe; where the binary comes from is asked when it is installed."""
        chosen = options(inventory)
        new_enough(inventory)
        thinking(inventory, chosen.thinking)

    def warm_up(self, inventory: Inventory) -> WarmUp:
        """It compiles nothing and runs once empty."""
        return WarmUp(120, "assumed: nothing is compiled; one empty run, which took 5 ms of a 4 MB file here")

    def describe(self, inventory: Inventory) -> str:
        """For a record."""
        return declared("llama.cpp", inventory)

    def installed(self, inventory: Inventory, host: Host) -> Fact[str]:
        """What the binary says of itself, or Docker of the image."""
        if in_container(inventory):
            return ContainerImageFact("llama.cpp", image(inventory))
        return LlamaCppVersion(self._program(inventory))

    def install(self, inventory: Inventory, host: Host) -> Iterator[Operation]:
        """The package where one is named, and what fetches the weights; a Mac is refused."""
        _linux(inventory, host)
        self._program(inventory)
        chosen = options(inventory)
        if chosen.package and not in_container(inventory):
            yield Packages((chosen.package,))
        yield from hub_environment(host.root, python=chosen.python)

    def python(self, inventory: Inventory, host: Host) -> str:
        """The hub environment's interpreter."""
        return hub_python(host.root)

    def launch(self, inventory: Inventory, host: Host, model_dir: str) -> Launch:
        """Flags with reasons; the key reaches it by its environment."""
        _linux(inventory, host)
        chosen = options(inventory)
        if chosen.file is None:
            raise BadInput(
                "which GGUF file of the checkpoint is to be served is not declared",
                where=f"inventory {inventory.name}: engine.options.file",
                fix="name it, or the first of its parts: UD-Q2_K_XL/…-00001-of-00008.gguf",
            )
        told = tuple(llamacpp_flags.flags(inventory, chosen, model_dir, host.cpu_cores))
        return Launch(self._program(inventory), told, {})

    def flags(self, inventory: Inventory, model_dir: str) -> tuple[Flag, ...]:
        """The command line's flags with reasons, for a Mac too."""
        cores = inventory.hosts[0].cpu_cores
        return tuple(llamacpp_flags.flags(inventory, options(inventory), model_dir, cores))

    def _program(self, inventory: Inventory) -> str:
        if in_container(inventory):
            return program(inventory, IMAGE_PROGRAM)
        chosen = options(inventory)
        if chosen.program is None and chosen.package is None:
            raise BadInput(
                "where llama-server comes from is not declared",
                where=f"inventory {inventory.name}: engine.options",
                fix="write program: /path/of/llama-server, or package: llama.cpp-tools (Debian has it since 2025), or "
                "serve an image (serving.runtime: compose)",
            )
        return chosen.program or PACKAGED


def _linux(inventory: Inventory, host: Host) -> None:
    """A GPU that is no CUDA device is Apple's here; macOS has no systemd, and nothing keeps a process there yet."""
    if host.gpu is not None and gpu(host.gpu).compute_capability is None:
        raise BadInput(
            f"{gpu(host.gpu).title} is a Mac: it can be planned with, but not provisioned; launchd is not built",
            where=f"inventory {inventory.name}: hosts {host.name}",
            fix="use `beachhead plan` for it, and start llama-server there by hand with the flags that it shows",
        )


ENGINE = LlamaCpp()
