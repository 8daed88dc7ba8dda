"""int4-native-format: Kimi's own quantization_config, and what the engine's log makes of it."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions._serving_flags_log import configured
from assumptions._stored_format import parsed
from assumptions.int4_native_format import _KERNEL, Format, judge
from inventories.load import load
from rehearsal.quantization import GPTQ_INT4, NATIVE_INT4
from tests.recorded import recordings

INVENTORY = load("h200x8")
NATIVE = parsed("kimi-k2-thinking", {"quantization_config": NATIVE_INT4})
SERVED = Format(NATIVE, (), "compressed-tensors", ("CompressedTensorsWNA16MoEMethod", "MARLIN"))
GPTQ = parsed("kimi-k2-gptq", {"quantization_config": GPTQ_INT4})
# as vLLM 0.32 words them (compressed_tensors_moe.py, oracle/int_wna16.py), and 0.11; not recorded
LINES = {
    "INFO [compressed_tensors_moe.py:139] Using CompressedTensorsWNA16MoEMethod": ["CompressedTensorsWNA16MoEMethod"],
    "INFO [int_wna16.py:307] Using 'MARLIN' WNA16 MoE backend.": ["MARLIN"],
    "INFO [compressed_tensors_moe.py:96] Using CompressedTensorsWNA16MarlinMoEMethod": [
        "CompressedTensorsWNA16MarlinMoEMethod"
    ],
    "WNA16 MoE backend 'MARLIN' does not support the deployment configuration.": [],
    "INFO Using FLASH_ATTN_MLA attention backend": [],
}

RECORDED_CASES = {
    "int4-native-format": {
        "pass": lambda: (SERVED, "h200x8"),
        "fail": lambda: (replace(SERVED, served=GPTQ, quantization="gptq", kernels=()), "h200x8"),
        "unknown": lambda: (replace(SERVED, kernels=()), "h200x8"),
    },
}


def test_kimis_own_format_passes() -> None:
    finding = judge(SERVED, INVENTORY)
    assert finding.outcome is Outcome.PASS
    assert finding.because == (
        "compressed-tensors pack-quantized, 4 bits int, groups of 32, served by CompressedTensorsWNA16MoEMethod, MARLIN"
    )


CASES = {
    "groups of 128": (replace(SERVED, served=replace(NATIVE, group=128)), "served: stored", Outcome.FAIL),
    "8 bits": (replace(SERVED, served=replace(NATIVE, bits=8)), "served: stored", Outcome.FAIL),
    "floats": (replace(SERVED, served=replace(NATIVE, kind="float")), "served: stored", Outcome.FAIL),
    "activations too": (replace(SERVED, served=replace(NATIVE, activations="{}")), "served: stored", Outcome.FAIL),
    "16 bits": (replace(SERVED, served=parsed("kimi-k2-thinking", {})), "served: stored", Outcome.FAIL),
    "attention rounded": (
        replace(SERVED, served=replace(NATIVE, ignore=NATIVE.ignore[:1])),
        "served: left in 16 bits",
        Outcome.FAIL,
    ),
    "loaded as another": (replace(SERVED, quantization="gptq_marlin"), "engine: format", Outcome.FAIL),
    "loaded without": (replace(SERVED, quantization="None"), "engine: format", Outcome.FAIL),
    "the log does not tell": (replace(SERVED, quantization=None), "engine: format", Outcome.UNKNOWN),
    "no kernel named": (replace(SERVED, kernels=()), "engine: kernel", Outcome.UNKNOWN),
}


@pytest.mark.parametrize("case", CASES)
def test_one_difference_is_told(case: str) -> None:
    seen, part, outcome = CASES[case]
    finding = judge(seen, INVENTORY)
    assert finding.outcome is outcome
    assert [p.name for p in finding.parts if p.outcome is not Outcome.PASS] == [part]


def test_more_left_in_16_bits_is_kimis_too() -> None:
    more = (*NATIVE.ignore, "re:vision_tower.*", "re:mm_projector.*")  # Kimi K2.6
    assert judge(replace(SERVED, served=replace(NATIVE, ignore=more)), INVENTORY).outcome is Outcome.PASS


def test_a_rehearsal_serves_16_bits_on_purpose_and_shows_its_probe() -> None:
    probe = replace(NATIVE, name="tiny-k2-int4-native")
    seen = Format(parsed("tiny-k2", {}), (probe, GPTQ), "None", ())
    finding = judge(seen, recordings.rehearsal())
    assert finding.outcome is Outcome.UNKNOWN
    assert {part.name: part.outcome for part in finding.parts} == {
        "served: stored": Outcome.UNKNOWN,
        "probe tiny-k2-int4-native: stored": Outcome.PASS,
        "probe tiny-k2-int4-native: left in 16 bits": Outcome.PASS,
    }


@pytest.mark.parametrize("line", LINES)
def test_the_kernels_name_in_the_log(line: str) -> None:
    assert _KERNEL.findall(line) == LINES[line]


def test_the_recorded_logs_name_the_format() -> None:
    assert configured(recordings.text("server-fatal.log"), "quantization") == "compressed-tensors"
    assert configured(recordings.text("server.log"), "quantization") == "None"


def test_the_recorded_configs_are_read() -> None:
    assert parsed("x", recordings.config()).method == "none"
    nested = {"text_config": {"quantization_config": NATIVE_INT4}}
    assert parsed("kimi-k2-thinking", nested) == NATIVE
    assert (GPTQ.method, GPTQ.bits, GPTQ.group) == ("gptq", 4, 32)
