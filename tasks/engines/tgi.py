"""Text Generation Inference, which the guide names as the alternative (§4): in its image, and not for Kimi.

It is in maintenance mode since 2025-12-11 (commit 34988476 of huggingface/text-generation-inference: "Going forward, we
will accept pull requests for minor bug fixes …" and a recommendation of vLLM, SGLang, llama.cpp and MLX), with 3.3.7 of
2025-12-18 its last release, and archived read-only since 2026-03-21
(aws-solutions-library-samples/global-capacity-orchestrator-on-aws#387).
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from inventories.errors import BadInput
from inventories.schema import Host, Inventory, Strict
from tasks.engine_parts.options import parsed
from tasks.engine_parts.placement import declared, image, in_container, listen_address, listen_reason, program
from tasks.engine_parts.recipes import card
from tasks.engine_parts.warm_up import GPU_WARM_UP
from tasks.engines.base import PORT, Flag, Launch, WarmUp
from tasks.facts.base import Fact
from tasks.facts.container_image import ContainerImageFact
from tasks.facts.engine_log import LogLines
from tasks.facts.engine_metrics import MetricNames
from tasks.operations.base import Operation
from tasks.operations.hub_environment import hub_environment, hub_python

# Every "type" in server/text_generation_server/models/__init__.py of v3.3.7.
MODEL_TYPES = frozenset((
    "deepseek_v2", "deepseek_v3", "idefics2", "idefics3", "llava_next", "llama", "llama4", "phi3", "granite",
    "gemma", "paligemma", "gemma2", "gemma3", "gemma3_text", "cohere", "dbrx", "mamba", "mistral", "mixtral",
    "gpt_bigcode", "phi", "phimoe", "baichuan", "falcon", "starcoder2", "qwen2", "qwen2_vl", "qwen2_5_vl",
    "opt", "t5", "galactica", "santacoder", "bloom", "mpt", "gpt2", "gpt_neox", "gptj", "idefics", "mllama",
))  # fmt: skip


class Options(Strict):
    """What `engine.options` may say for TGI."""

    python: str = Field("3.11", pattern=r"^3\.\d+$", description="Python of the environment that fetches weights")
    cuda_memory_fraction: float = Field(1.0, gt=0, le=1)
    max_batch_prefill_tokens: int | None = Field(None, ge=1)


class Tgi:
    """TGI's launcher.  Names and words: 3.3.7's source; no GPU has run it for this repository."""

    key_variable = ""  # its launcher hands a key on in the router's command line, where every user can read it
    metrics = MetricNames(
        running="tgi_batch_current_size",
        waiting="tgi_queue_size",
        prompt_tokens="tgi_request_input_length_sum",
        generation_tokens="tgi_request_generated_tokens_sum",
    )
    log = LogLines(
        version=r"text-generation-(?:launcher|router)[ :]+v?([0-9]+\.[0-9]+\.[0-9]+)",
        kv_tokens=r"Setting max batch total tokens to ([0-9]+)",
        load_s=r"Shard ready in ([0-9.]+)s",
        fatal=r"ERROR |Error: |error: |Error\b.*:",
        points_up=r"Shard [0-9]+ failed to start|Shutting down shards|ShardCannotStart|WebserverFailed",
        prefix=r"^\S+ +ERROR [^:]+: *",
    )

    def check(self, inventory: Inventory) -> None:
        """The options; a model that TGI's last release doesn't know is refused, and so is a process."""
        parsed(Options, inventory, "engines/tgi.py")
        found = card(inventory).read_config().get("model_type", "")
        if found not in MODEL_TYPES:
            raise BadInput(
                f"TGI can't serve {card(inventory).title}: {found!r} is none of its model types, and it takes no new "
                "ones: in maintenance mode since 2025-12-11, archived since 2026-03-21",
                where=f"inventory {inventory.name}: engine.kind",
                fix="take vllm or sglang, which its own README recommends",
            )
        if not in_container(inventory):
            raise BadInput(
                "TGI is built from Rust and CUDA sources, and comes as an image alone",
                where=f"inventory {inventory.name}: serving.runtime",
                fix="write runtime: compose or kubernetes, with its image by digest",
            )

    def warm_up(self, inventory: Inventory) -> WarmUp:
        """Not known of TGI: the longest of vLLM's is taken."""
        return GPU_WARM_UP

    def describe(self, inventory: Inventory) -> str:
        """For a record."""
        return declared("tgi", inventory)

    def installed(self, inventory: Inventory, host: Host) -> Fact[str]:
        """What Docker says of the image."""
        return ContainerImageFact("tgi", image(inventory))

    def install(self, inventory: Inventory, host: Host) -> Iterator[Operation]:
        """What fetches the weights."""
        yield from hub_environment(host.root, python=parsed(Options, inventory, "engines/tgi.py").python)

    def python(self, inventory: Inventory, host: Host) -> str:
        """The hub environment's interpreter."""
        return hub_python(host.root)

    def launch(self, inventory: Inventory, host: Host, model_dir: str) -> Launch:
        """Flags with reasons.  It gets no key: the gateway is the only lock."""
        env = {"HF_HUB_OFFLINE": "1", "USAGE_STATS": "off"}
        return Launch(program(inventory, "text-generation-launcher"), self.flags(inventory, model_dir), env)

    def flags(self, inventory: Inventory, model_dir: str) -> tuple[Flag, ...]:
        """The command line's flags with reasons."""
        return tuple(_flags(inventory, parsed(Options, inventory, "engines/tgi.py"), model_dir))


def _flags(inventory: Inventory, chosen: Options, model_dir: str) -> Iterator[Flag]:
    serving = inventory.serving
    yield Flag(("--model-id", model_dir), "the folder whose every digest was checked; clients may send any name")
    yield Flag(("--hostname", listen_address(inventory), "--port", PORT), listen_reason(inventory))
    yield Flag(("--num-shard", str(inventory.engine.tensor_parallel)), "ranks inside one host")
    tokens = ("--max-total-tokens", str(serving.context_tokens))
    yield Flag((*tokens, "--max-input-tokens", str(serving.context_tokens - 1)), "the declared context; one to answer")
    yield Flag(("--max-concurrent-requests", str(max(128, serving.concurrent_requests))), "more are refused at once")
    if chosen.cuda_memory_fraction < 1:
        yield Flag(("--cuda-memory-fraction", str(chosen.cuda_memory_fraction)), "as the inventory says")
    if chosen.max_batch_prefill_tokens is not None:
        words = ("--max-batch-prefill-tokens", str(chosen.max_batch_prefill_tokens))
        yield Flag(words, "tokens in one step: bounds a forward pass's activations")


ENGINE = Tgi()
