"""int4-support: a refusal on a CPU tells nothing of a GPU; the guide's flag is told and decides nothing."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions.int4_support import FLAG_NOTE, Int4, Loaded, _bits, judge
from tasks.facts.engine_probe import Probed
from tests.recorded import recordings

INVENTORY = recordings.rehearsal()
REFUSED = "NotImplementedError: No WNA16 MoE backend supports the deployment configuration."
ANSWERS = Probed(True, "", 4, "0.33.0")
MAIN = Loaded("tiny-k2", "none", None, Probed(True, "", 8, "0.32.0"))
NATIVE = Loaded("tiny-k2-int4-native", "compressed-tensors", 4, recordings.probed("load-native"))
GPTQ = Loaded("tiny-k2-int4-gptq", "gptq", 4, recordings.probed("load-gptq"))
CPU = Int4("cpu", recordings.probed("flags"), (MAIN, NATIVE, GPTQ))
GPU = replace(CPU, device="cuda", loaded=(MAIN, replace(NATIVE, probed=ANSWERS), GPTQ))


def outcomes(seen: Int4) -> dict[str, Outcome]:
    return {part.name: part.outcome for part in judge(seen, INVENTORY).parts}


def test_the_recorded_cpu_refusal_is_unknown_with_the_engines_words() -> None:
    finding = judge(CPU, INVENTORY)
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.because == f"native-format: a CPU has no kernel for it; the engine says: {REFUSED}"
    assert outcomes(CPU) == {
        "native-format": Outcome.UNKNOWN,
        "other-format: gptq": Outcome.PASS,
        "guide-flag": Outcome.FAIL,
    }
    assert finding.measured == "none: loads; compressed-tensors: refused; gptq: loads"


def test_a_gpu_that_answers_passes_whatever_the_flag_says() -> None:
    finding = judge(GPU, INVENTORY)
    assert (finding.outcome, finding.because) == (
        Outcome.PASS,
        "native INT4 (compressed-tensors) loads and answers",
    )
    assert finding.notes == (FLAG_NOTE,)
    with_flag = judge(replace(GPU, flag=Probed(True, "", 0, "9.9")), INVENTORY)
    assert (with_flag.outcome, with_flag.notes) == (Outcome.PASS, ())


def test_a_main_model_in_the_native_format_passes_alone() -> None:
    main = Loaded("kimi-k2-thinking", "compressed-tensors", 4, ANSWERS)
    assert judge(Int4("cuda", CPU.flag, (main,)), INVENTORY).outcome is Outcome.PASS


FAULTS = {
    "refused on CUDA": ("native-format", replace(CPU, device="cuda")),
    "GPTQ refused on a CPU": (
        "other-format: gptq",
        replace(CPU, loaded=(MAIN, NATIVE, replace(GPTQ, probed=NATIVE.probed))),
    ),
    "GPTQ refused on CUDA": (
        "other-format: gptq",
        replace(GPU, loaded=(*GPU.loaded[:2], replace(GPTQ, probed=NATIVE.probed))),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_these_refusals_fail(fault: str) -> None:
    part, seen = FAULTS[fault]
    finding = judge(seen, INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert finding.because.startswith(f"{part}: ") and REFUSED in finding.because
    assert outcomes(seen)[part] is Outcome.FAIL


@pytest.mark.parametrize("loaded", [(), (MAIN,), (MAIN, GPTQ), (MAIN, replace(NATIVE, bits=8, probed=ANSWERS))])
def test_without_a_native_4_bit_checkpoint_nothing_was_shown(loaded: tuple[Loaded, ...]) -> None:
    finding = judge(replace(GPU, loaded=loaded), INVENTORY)
    assert finding.outcome is Outcome.UNKNOWN
    assert "no checkpoint in Kimi's native format was tried" in finding.because


@pytest.mark.parametrize(
    ("suffix", "bits"), [("", None), ("-native", 4), ("-gptq", 4)], ids=["bf16", "compressed-tensors", "gptq"]
)
def test_bits_are_read_from_the_recorded_config(suffix: str, bits: int | None) -> None:
    assert _bits(recordings.config(suffix).get("quantization_config") or {}) == bits


def test_mixed_widths_are_no_width() -> None:
    groups = {"a": {"weights": {"num_bits": 4}}, "b": {"weights": {"num_bits": 8}}, "c": {"weights": None}}
    assert _bits({"config_groups": groups}) is None
