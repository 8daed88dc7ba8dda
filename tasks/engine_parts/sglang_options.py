"""What `engine.options` may say for SGLang."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from inventories.schema import Inventory, Strict
from inventories.stack import AbsolutePath
from tasks.engine_parts.options import parsed


class Options(Strict):
    """SGLang's options; names that vLLM has too mean the same."""

    program: AbsolutePath | None = Field(
        None, description="as a process: a Python on the host that has SGLang, put there by somebody else"
    )
    python: str = Field("3.11", pattern=r"^3\.\d+$", description="Python of the environment that fetches weights")
    mem_fraction_static: float | None = Field(None, gt=0, lt=1, description="weights and KV cache, share of the GPU")
    reasoning_parser: str | None = Field(None, description="else the catalog's for this model")
    tool_call_parser: str | None = Field(None, description="else the catalog's for this model")
    trust_remote_code: bool | None = Field(None, description="absent: where the model's recipe needs it")
    thinking: bool | None = Field(None, description="default of the chat template's switch; a request can override it")
    language_model_only: bool = Field(False, description="leave a vision tower out of memory")
    mm_enable_dp_encoder: bool = Field(False, description="the vision tower whole on each rank")
    kv_cache_dtype: Literal["auto", "bf16", "fp8_e4m3", "fp8_e5m2"] = "auto"
    expert_parallel: int = Field(1, ge=1)
    max_running_requests: int | None = Field(None, ge=1)
    chunked_prefill_size: int | None = Field(None, ge=1, description="tokens of a prompt in one step")
    cpu_offload_gib: int = Field(0, ge=0, description="weights in host RAM, per GPU")

    @model_validator(mode="after")
    def _tower_is_in_or_out(self) -> Options:
        if self.language_model_only and self.mm_enable_dp_encoder:
            raise ValueError("language_model_only and mm_enable_dp_encoder exclude each other")
        return self


def options(inventory: Inventory) -> Options:
    """`engine.options`, validated."""
    return parsed(Options, inventory, "engine_parts/sglang_options.py")
