"""The money block: numbers or spans, one load or the other, and every default with its source."""

import pytest

from inventories.costs import costs, machine_of
from inventories.errors import BadInput
from inventories.load import load
from inventories.machines import machine
from inventories.money import Money
from inventories.validating import validated

SOURCE = {"source": "a log of some run", "as_of": "2026-11-22", "basis": "measured elsewhere"}


def read(**block):
    return validated(Money, {"load": {"usd_per_month": 100}, **block}, "money")


def test_a_number_stands_for_all_three_ends():
    amount = read(load={"usd_per_month": 456.25}).load.usd_per_month
    assert (amount.low, amount.mid, amount.high, amount.basis) == (456.25, 456.25, 456.25, "assumed")


def test_an_end_that_is_left_out_is_the_mid():
    amount = read(load={"usd_per_month": {"mid": 5, "high": 7}}).load.usd_per_month
    assert (amount.low, amount.mid, amount.high) == (5, 5, 7)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"load": {}}, "give usd_per_month, or input_tokens_per_month and output_tokens_per_month"),
        ({"load": {"usd_per_month": 1, "output_tokens_per_month": 1}}, "give usd_per_month, or"),
        ({"load": {"output_tokens_per_month": 1}}, "go together"),
        (
            {"load": {"input_tokens_per_month": 1, "output_tokens_per_month": 1, "input_per_output": 3}},
            "input_per_output goes with usd_per_month",
        ),
        ({"load": {"usd_per_month": {"low": 3, "mid": 2, "high": 4}}}, "low 3 <= mid 2 <= high 4 does not hold"),
        ({"load": {"usd_per_month": "much"}}, "give a number, or low, mid and high"),
        ({"load": {"usd_per_month": True}}, "give a number, or low, mid and high"),
        ({"load": {"usd_per_month": {"mid": 5, "basis": "measured here"}}}, "needs a source and its date"),
        ({"own": {"pu": 1.4}}, "own.pu: unknown key"),
        ({"own": {"spares": -1}}, "own.spares"),
        ({"horizon_months": 0}, "horizon_months"),
        ({"capacity": {"output_tokens_per_second": 100}}, "capacity.source: Field required"),
        ({"capacity": {**SOURCE, "basis": "assumed", "slo": "TTFT p95 < 2 s"}}, "capacity.basis"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_error(block, said):
    with pytest.raises(BadInput) as refused:
        read(**block)
    assert said in refused.value.what and refused.value.where == "money" and refused.value.fix


@pytest.mark.parametrize("name", ["a100x8", "b200x8", "h200x8", "mac-studio-m3-ultra"])
def test_the_shipped_blocks_hold_the_strategys_own_load_and_no_throughput(name):
    money = load(name).money
    bill = money.load.usd_per_month
    assert (bill.mid * 12, bill.basis) == (5_475, "vendor's word") and bill.source
    assert [round(end * 12 / 365) for end in (bill.low, bill.high)] == [10, 20]
    assert money.capacity is None and money.api.model == "kimi-k2.5"


def test_a_block_survives_being_written_out_and_read_again():
    inventory = load("mac-studio-m3-ultra")
    assert validated(type(inventory), inventory.model_dump(), "again") == inventory


@pytest.mark.parametrize("id", sorted(costs()))
def test_a_default_says_where_it_comes_from_or_that_it_is_assumed(id):
    found = costs()[id]
    assert found.low <= found.mid <= found.high
    assert found.what and found.source
    if "no source" in found.source:
        assert found.basis == "assumed"


@pytest.mark.parametrize(
    ("name", "id"), [("a100x8", "a100x8"), ("mac-studio-m3-ultra", "mac-studio-m3-ultra"), ("a100x16", "a100x16")]
)
def test_an_inventorys_machine_is_the_one_with_its_cards(name, id):
    assert machine_of(load(name)) == machine(id)


def test_a_rehearsal_is_no_machine_one_can_buy():
    assert machine_of(load("rehearsal")) is None
