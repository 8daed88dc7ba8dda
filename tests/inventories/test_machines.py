"""The catalog of machines: every span has a source and stands in order; both documents' machines are in it."""

from datetime import date

import pytest

from inventories import figures, machines
from inventories.errors import BadInput
from inventories.figures import gpu, model
from inventories.load import load, names
from inventories.machines import Machine, Run, Span
from inventories.validating import validated

SPAN = {"low": 1, "mid": 2, "high": 3, "unit": "USD", "source": "somebody's list", "as_of": "2026-01-01"}


def every_span():
    for id, machine in machines.machines().items():
        for name in ("hardware_usd", "rent_usd_per_gpu_hour", "it_kw"):
            if (span := getattr(machine, name)) is not None:
                yield pytest.param(name, span, id=f"{id} {name}")


@pytest.mark.parametrize(("name", "span"), list(every_span()))
def test_a_span_says_where_it_comes_from(name, span):
    assert span.unit == {"hardware_usd": "USD", "rent_usd_per_gpu_hour": "USD per GPU-hour", "it_kw": "kW"}[name]
    assert date(2018, 1, 1) <= span.as_of <= date(2026, 11, 22)
    assert 0 < span.low <= span.mid <= span.high and len(span.source) > 40
    assert ("assumed" not in span.source) or span.basis == "assumed"


@pytest.mark.parametrize("id", machines.machines())
def test_a_machine_names_known_cards_and_models(id):
    found = machines.machine(id)
    card = gpu(found.gpu)
    assert (card.compute_capability is None) == (found.engine == "llamacpp")
    assert not found.runs or found.engine == "vllm"
    for run in found.runs:
        assert model(run.model).checkpoint_bytes.value > 0
        assert run.tp * run.pp == found.gpus and run.tp % run.dcp == 0


def test_every_planned_machine_of_the_inventories_is_in_it():
    have = {(each.gpu, each.gpus) for each in machines.machines().values()}
    for name in names():
        hosts = load(name).hosts
        if hosts[0].gpu:
            assert (hosts[0].gpu, sum(host.gpus for host in hosts)) in have, name


def test_the_strategys_prices():
    usd = {id: m.hardware_usd for id, m in machines.machines().items() if m.hardware_usd}
    assert (usd["mac-studio-m3-ultra"].low, usd["mac-studio-m3-ultra"].high) == (8_000, 10_000)
    assert (usd["a100x8"].low, usd["a100x8"].mid, usd["a100x8"].high) == (250_000, 275_000, 280_000)
    assert (usd["b200x8"].low, usd["b200x8"].high) == (340_000, 460_000)


def test_no_public_log_of_an_a100_is_claimed():
    assert not [m.id for m in machines.machines().values() if m.gpu == "a100-80gb" and m.runs]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mid": 0.5}, "low 1 <= mid 0.5 <= high 3 does not hold"),
        ({"source": ""}, "source"),
        ({"basis": "rumour"}, "basis"),
        ({"as_of": "soon"}, "as_of"),
        ({"low": -1}, "low"),
    ],
)
def test_a_wrong_span_is_one_clear_error(change, words):
    with pytest.raises(BadInput, match=words):
        validated(Span, {**SPAN, "basis": "assumed", **change}, "here")


def test_cards_that_do_not_spread_evenly_are_refused():
    with pytest.raises(BadInput, match="do not spread evenly"):
        validated(Machine, {"id": "x", "title": "x", "gpu": "h200", "gpus": 9, "hosts": 2}, "here")


def test_a_run_without_a_source_is_refused():
    with pytest.raises(BadInput, match="source"):
        validated(Run, {"model": "m", "tp": 8, "kv_tokens": 1, "vllm": "1", "as_of": "2026-01-01"}, "here")


def test_an_unknown_machine_names_the_near_ones():
    with pytest.raises(BadInput) as caught:
        machines.machine("h200x9")
    assert "h200x8" in caught.value.fix and caught.value.where == str(figures.FOLDER / "machines.yaml")
