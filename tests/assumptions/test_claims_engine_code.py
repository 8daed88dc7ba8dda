"""quantisation-methods, moe-architecture, metric-names: what the engine's own code and metrics say."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions import metric_names, moe_architecture, quantisation_methods
from assumptions._core import Outcome
from assumptions.metric_names import WANTED, Exposed
from assumptions.moe_architecture import Architecture
from assumptions.quantisation_methods import Methods
from inventories.load import load
from tasks.facts.engine_code import EngineCode
from tests.assumptions.served_api import REAL, REHEARSAL, outcomes, seen

METHODS: Methods = seen("quantisation-methods")
MOE: Architecture = seen("moe-architecture")
EXPOSED: Exposed = seen("metric-names", "fail")
assert METHODS.code is not None and MOE.code is not None and EXPOSED.names is not None
CODE, MODELS, NAMES = METHODS.code, MOE.code, EXPOSED.names
OTHER_ENGINE = load("mac-studio-m3-ultra")


def methods(*without: str) -> Methods:
    return Methods(replace(CODE, methods=tuple(each for each in CODE.methods if each not in without)))


def schemes(*without: str) -> Methods:
    return Methods(replace(CODE, schemes=tuple(each for each in CODE.schemes if each not in without)))


def moe(**fields: Any) -> Architecture:
    return replace(MOE, code=replace(MODELS, **fields))


AWQ, GPTQ = ("awq", "auto_awq", "awq_marlin"), ("gptq", "auto_gptq", "gptq_marlin")
GOOD_NAMES = Exposed(200, tuple(sorted({*NAMES, *WANTED})))
RECORDED_CASES = {
    "quantisation-methods": {
        "pass": lambda: (METHODS, "rehearsal"),
        "fail": lambda: (methods(*AWQ), "rehearsal"),
        "unknown": lambda: (Methods(replace(CODE, methods=())), "rehearsal"),
    },
    "moe-architecture": {
        "pass": lambda: (MOE, "rehearsal"),
        "fail": lambda: (moe(architectures={}), "rehearsal"),
        "unknown": lambda: (replace(MOE, logged=""), "rehearsal"),
    },
    "metric-names": {
        "pass": lambda: (GOOD_NAMES, "rehearsal"),
        "fail": lambda: (EXPOSED, "rehearsal"),
        "unknown": lambda: (Exposed(404, None), "rehearsal"),
    },
}


def test_the_real_engine_has_the_four() -> None:
    finding = quantisation_methods.judge(METHODS, REHEARSAL)
    assert finding.outcome is Outcome.PASS
    assert set(outcomes(finding)) == {"INT4", "INT8", "AWQ", "GPTQ"}


@pytest.mark.parametrize(
    ("part", "seen_", "outcome"),
    [
        ("AWQ", methods(*AWQ), Outcome.FAIL),
        ("AWQ", methods(*AWQ[:2]), Outcome.PASS),
        ("GPTQ", methods(*GPTQ), Outcome.FAIL),
        ("INT4", methods("compressed-tensors"), Outcome.FAIL),
        ("INT4", schemes("compressed_tensors_wNa16"), Outcome.FAIL),
        ("INT8", schemes("compressed_tensors_w8a8_int8"), Outcome.PASS),
        ("list", Methods(replace(CODE, methods=())), Outcome.UNKNOWN),
    ],
)
def test_each_quantisation_decides(part: str, seen_: Methods, outcome: Outcome) -> None:
    finding = quantisation_methods.judge(seen_, REAL)
    assert outcomes(finding)[part] is finding.outcome is outcome


def test_the_real_engine_runs_the_architecture() -> None:
    finding = moe_architecture.judge(MOE, REHEARSAL)
    assert finding.outcome is Outcome.PASS
    assert finding.because == "vLLM 0.32.0 runs DeepseekV3ForCausalLM with 4 experts in its fused layer"


@pytest.mark.parametrize(
    ("part", "seen_", "outcome"),
    [
        ("served", moe(architectures={}), Outcome.FAIL),
        ("served", moe(modules={}), Outcome.FAIL),
        ("served", replace(MOE, served=""), Outcome.UNKNOWN),
        ("K2.5", replace(MOE, others={"K2.5": "KimiK9"}), Outcome.FAIL),
        ("experts' layer", moe(modules={"deepseek_v2": False, "kimi_k25": False}), Outcome.FAIL),
        ("experts", replace(MOE, experts=None), Outcome.UNKNOWN),
        ("experts", replace(MOE, experts=1), Outcome.FAIL),
        ("running", replace(MOE, logged="TransformersForCausalLM"), Outcome.FAIL),
        ("running", replace(MOE, logged=""), Outcome.UNKNOWN),
    ],
)
def test_each_part_of_the_architecture_decides(part: str, seen_: Architecture, outcome: Outcome) -> None:
    finding = moe_architecture.judge(seen_, REAL)
    assert outcomes(finding)[part] is outcome
    assert finding.outcome is outcome


def test_the_real_engine_exposes_none_of_the_guides_names() -> None:
    finding = metric_names.judge(EXPOSED, REHEARSAL)
    assert (finding.outcome, finding.value) == (Outcome.FAIL, 0.0)
    failed = [part for part in finding.parts if part.outcome is Outcome.FAIL]
    assert [part.measured for part in failed] == list(WANTED.values())
    assert all(instead in NAMES for instead in WANTED.values())
    assert outcomes(finding)["nvidia_smi_utilization_gpu_ratio"] is Outcome.NOT_APPLICABLE


def test_names_decide() -> None:
    assert metric_names.judge(GOOD_NAMES, REAL).outcome is Outcome.PASS
    one_less = Exposed(200, tuple(name for name in GOOD_NAMES.names or () if name != "kimi_k2_requests_total"))
    assert metric_names.judge(one_less, REAL).outcome is Outcome.FAIL
    assert "not exposed either" in metric_names.judge(Exposed(200, ("up",)), REAL).because
    for silent in (Exposed(404, None), Exposed(200, None), Exposed(200, ())):
        assert metric_names.judge(silent, REAL).outcome is Outcome.UNKNOWN


def test_another_engine_is_not_asked() -> None:
    assert quantisation_methods.judge(Methods(None), OTHER_ENGINE).outcome is Outcome.NOT_APPLICABLE
    empty = Architecture("", None, {}, None, "")
    assert moe_architecture.judge(empty, OTHER_ENGINE).outcome is Outcome.NOT_APPLICABLE
    assert metric_names.judge(EXPOSED, OTHER_ENGINE).outcome is Outcome.NOT_APPLICABLE
    assert isinstance(CODE, EngineCode)
