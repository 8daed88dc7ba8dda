"""dtype-int4: refused by every recorded parser, so the guide's claim fails; what runs without it is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from assumptions._core import Outcome, Stage
from assumptions.dtype_int4 import FLAG, Dtype, judge, observe
from tasks.facts.engine_options import Trial, recorded, versions
from tasks.site import Site
from tests.recorded import recordings

INVENTORY = recordings.rehearsal()


@pytest.mark.parametrize("version", list(versions("vllm")))
def test_every_recorded_version_refuses_it(version: str) -> None:
    finding = judge(Dtype(recorded("vllm", version)), INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert "invalid choice: 'int4'" in finding.parts[0].because


def test_the_plan_reads_the_recording_alone(tmp_path: Path) -> None:
    seen = observe(Site(INVENTORY, tmp_path), Stage.PLAN)
    assert judge(seen, INVENTORY) == judge(Dtype(recorded("vllm", "0.32.0")), INVENTORY)
    assert seen.options is not None and [option.names for option in seen.options.options] == [("--dtype",)]


def test_a_parser_that_takes_it_passes() -> None:
    known = recorded("vllm", "0.32.0")
    assert known is not None
    taking = replace(known, trials={**known.trials, FLAG: Trial(FLAG, True, "")})
    assert judge(Dtype(taking), INVENTORY).outcome is Outcome.PASS
    staged = Dtype(taking, "torch.bfloat16", "compressed-tensors", staged=True)
    assert judge(staged, INVENTORY).outcome is Outcome.PASS
    assert judge(replace(staged, quantization=None), INVENTORY).outcome is Outcome.UNKNOWN


def test_what_runs_without_the_flag_stands_beside_the_refusal() -> None:
    finding = judge(Dtype(recorded("vllm", "0.32.0"), "torch.bfloat16", "gptq", staged=True), INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert finding.parts[1].because == "without the flag: dtype torch.bfloat16, quantization gptq"


def test_an_unrecorded_version_is_unknown_and_another_engine_does_not_apply() -> None:
    assert judge(Dtype(None), INVENTORY).outcome is Outcome.UNKNOWN
    assert judge(Dtype(None, "torch.bfloat16", "gptq", staged=True), INVENTORY).outcome is Outcome.UNKNOWN
    other = INVENTORY.model_copy(update={"engine": INVENTORY.engine.model_copy(update={"kind": "llamacpp"})})
    assert judge(Dtype(None), other).outcome is Outcome.NOT_APPLICABLE
