"""What `engine.options` may say for llama.cpp."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from inventories.schema import Inventory, Strict
from inventories.stack import AbsolutePath, PackageName
from tasks.engine_parts.options import parsed


class Options(Strict):
    """llama-server's options.  `program` or `package` says where a process's binary comes from."""

    file: str | None = Field(
        None,
        pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.gguf$",
        description="in the checkpoint: the GGUF, or the first of its parts (…-00001-of-00008.gguf)",
    )
    program: AbsolutePath | None = Field(None, description="llama-server on the host, put there by somebody else")
    package: PackageName | None = Field(None, description="package of the distribution that has it: llama.cpp-tools")
    python: str = Field("3.11", pattern=r"^3\.\d+$", description="Python of the environment that fetches weights")
    gpu_layers: int | Literal["all"] | None = Field(None, description="layers in GPU memory; absent: none on a CPU")
    cpu_moe_layers: int = Field(0, ge=0, description="layers whose experts stay in host RAM")
    cache_type: Literal["f16", "bf16", "q8_0"] = Field("f16", description="numbers of the KV cache")
    flash_attention: Literal["auto", "on", "off"] = "auto"
    load_mode: Literal["auto", "none", "mmap", "mlock", "mmap+mlock"] = "auto"
    batch_tokens: int | None = Field(None, ge=1, description="tokens of a prompt in one step")
    threads: int | None = Field(None, ge=1, description="absent: the host's declared cores")
    thinking: bool | None = Field(None, description="default of the chat template's switch; a request can override it")

    @model_validator(mode="after")
    def _one_origin(self) -> Options:
        if self.program and self.package:
            raise ValueError("program and package exclude each other: it is there already, or it is installed")
        return self


def options(inventory: Inventory) -> Options:
    """`engine.options`, validated."""
    return parsed(Options, inventory, "engine_parts/llamacpp_options.py")
