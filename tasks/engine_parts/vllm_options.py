"""What `engine.options` may say for vLLM."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from inventories.schema import Inventory, Strict
from tasks.engine_parts.options import parsed


class Options(Strict):
    """vLLM's options, under names of our own: an engine's flags come and go."""

    device: Literal["cuda", "cpu"] = "cuda"
    python: str = Field("3.11", pattern=r"^3\.\d+$", description="Python of the environment on the host")
    find_links: str = Field("", description="folder or page with wheels that the registry lacks (PyTorch's CPU build)")
    kv_cache_gib: int | None = Field(None, ge=1, description="CPU: room for the KV cache, in GiB per rank")
    gpu_memory_utilization: float | None = Field(None, gt=0, lt=1)
    decode_context_parallel: int = Field(1, ge=1)
    reasoning_parser: str | None = Field(None, description="else the catalog's for this model")
    tool_call_parser: str | None = Field(None, description="else the catalog's for this model")
    trust_remote_code: bool | None = Field(None, description="absent: where the model's recipe needs it")
    thinking: bool | None = Field(None, description="default of the chat template's switch; a request can override it")
    language_model_only: bool = Field(False, description="leave a vision tower out of memory")
    mm_encoder_tp_mode: Literal["data", "weights"] | None = Field(
        None, description="vision tower whole on each rank, or divided; not together with language_model_only"
    )
    images_per_request: int | None = Field(None, ge=1, description="vision: more are refused")
    kv_cache_dtype: Literal["auto", "bfloat16", "fp8", "fp8_e4m3", "fp8_e5m2", "fp8_ds_mla"] = "auto"
    cpu_offload_gib: float = Field(0.0, ge=0, description="weights in host RAM, per GPU")
    max_num_seqs: int | None = Field(None, ge=1)
    max_num_batched_tokens: int | None = Field(None, ge=1)
    enable_expert_parallel: bool = Field(False, description="whole experts on each rank instead of a slice of each")
    enforce_eager: bool = Field(False, description="no CUDA graphs: slower, and their memory goes to the cache")

    @model_validator(mode="after")
    def _tower_is_in_or_out(self) -> Options:
        if self.language_model_only and (self.mm_encoder_tp_mode or self.images_per_request):
            raise ValueError("language_model_only and mm_encoder_tp_mode or images_per_request exclude each other")
        return self


def options(inventory: Inventory) -> Options:
    """`engine.options`, validated."""
    return parsed(Options, inventory, "engine_parts/vllm_options.py")
