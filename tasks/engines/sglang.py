"""SGLang, in its image; or as a process with a Python that has it already."""

from __future__ import annotations

from collections.abc import Iterator

from inventories.errors import BadInput
from inventories.schema import Host, Inventory
from tasks.engine_parts import sglang_flags
from tasks.engine_parts.placement import declared, image, in_container, program
from tasks.engine_parts.recipes import new_enough, own_code, sees, thinking
from tasks.engine_parts.sglang_options import options
from tasks.engine_parts.warm_up import GPU_WARM_UP
from tasks.engines.base import Flag, Launch, WarmUp
from tasks.facts.base import Fact
from tasks.facts.container_image import ContainerImageFact
from tasks.facts.engine_log import LogLines
from tasks.facts.engine_metrics import MetricNames
from tasks.facts.packages import InstalledPackage
from tasks.operations.base import Operation
from tasks.operations.hub_environment import hub_environment, hub_python

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"


class Sglang:
    """SGLang's OpenAI server.  Words and names: SGLang 0.5.23's source; no GPU has run it for this repository."""

    key_variable = "SGLANG_API_KEY"  # tasks/remote/sglang_server.py takes it from there
    metrics = MetricNames(
        running="sglang:num_running_reqs",
        waiting="sglang:num_queue_reqs",
        kv_cache_usage="sglang:token_usage",
        prompt_tokens="sglang:prompt_tokens_total",
        cached_tokens="sglang:cached_tokens_total",
        generation_tokens="sglang:generation_tokens_total",
        ttft_s="sglang:time_to_first_token_seconds",
        preemptions="sglang:num_retracted_requests_total",
    )
    log = LogLines(
        kv_tokens=r"max_total_num_tokens=([0-9]+)",
        load_gib=rf"Load weight end\..*mem usage={_NUMBER} GB",  # it divides by 1 << 30 and says GB
        load_s=rf"Load weight end\. elapsed={_NUMBER} s",
        graph_s=rf"Capture .*CUDA graph end\. elapsed={_NUMBER} s",
        fatal=r"Error\b.*:|Error: |error: |Not enough memory|CUDA out of memory",
        points_up=r"Received sigquit from a child|Scheduler hit an exception",
        prefix=r"^\[[0-9: -]+(?: TP[0-9]+)?[^]]*\] *",
    )

    def check(self, inventory: Inventory) -> None:
        """Options and the model's recipe; how it is installed is asked when it is."""
        chosen = options(inventory)
        new_enough(inventory)
        own_code(inventory, chosen.trust_remote_code)
        thinking(inventory, chosen.thinking)
        for name in ("language_model_only", "mm_enable_dp_encoder"):
            if getattr(chosen, name):
                sees(inventory, name)

    def warm_up(self, inventory: Inventory) -> WarmUp:
        """Not known of SGLang: the longest of vLLM's is taken."""
        return GPU_WARM_UP

    def describe(self, inventory: Inventory) -> str:
        """For a record."""
        return declared("sglang", inventory)

    def installed(self, inventory: Inventory, host: Host) -> Fact[str]:
        """What Docker says of the image, or the environment's metadata."""
        if in_container(inventory):
            return ContainerImageFact("sglang", image(inventory))
        return InstalledPackage(self._program(inventory), ("sglang",))

    def install(self, inventory: Inventory, host: Host) -> Iterator[Operation]:
        """What fetches the weights; SGLang itself comes as an image, or is there."""
        self._program(inventory)
        yield from hub_environment(host.root, python=options(inventory).python)

    def python(self, inventory: Inventory, host: Host) -> str:
        """The hub environment's interpreter."""
        return hub_python(host.root)

    def launch(self, inventory: Inventory, host: Host, model_dir: str) -> Launch:
        """Flags with reasons; the key reaches it by its environment."""
        env = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
        return Launch(self._program(inventory), self.flags(inventory, model_dir), env)

    def flags(self, inventory: Inventory, model_dir: str) -> tuple[Flag, ...]:
        """The command line's flags with reasons."""
        return tuple(sglang_flags.flags(inventory, options(inventory), model_dir))

    def _program(self, inventory: Inventory) -> str:
        if in_container(inventory):
            return program(inventory, "python3")
        found = options(inventory).program
        if found is None:
            raise BadInput(
                "SGLang is not installed by Beachhead: there is no lock of its CUDA build",
                where=f"inventory {inventory.name}: engine.options.program",
                fix="serve its image (serving.runtime: compose), or name a Python on the host that has it",
            )
        return found


ENGINE = Sglang()
