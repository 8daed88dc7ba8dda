"""`beachhead cost`: nothing is established without a fit and a measured rate; what was given is marked as given."""

import copy
import json
import math
import random
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from assumptions.formulas.economics import NotEstablished, Worth
from flows.cost import CostSheet, sheet
from flows.cost_capacity import Rates
from flows.cost_case import build
from flows.cost_command import cost
from flows.cost_load import Asked
from flows.cost_print import show
from inventories.errors import BadInput
from inventories.load import load, names
from inventories.money import Money, Throughput
from inventories.schema import Inventory
from inventories.validating import validated

FAST = Rates(30_000, None, 10_000)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cost, arguments, catch_exceptions=True)


def with_money(name: str, **block: Any) -> Inventory:
    money = Money.model_validate({"load": {"usd_per_month": 20_000}, **block})
    return load(name).model_copy(update={"money": money})


def measured(**rates: Any) -> Throughput:
    return Throughput(
        slo="TTFT p95 below 2 s", source="a run in this test", as_of="2026-11-22", basis="measured here", **rates
    )


def one(found: CostSheet, name: str) -> Any:
    return next(row for row in found.inputs if row.name == name)


@pytest.mark.parametrize("name", names())
def test_no_shipped_inventory_has_a_break_even(name: str) -> None:
    found = sheet(load(name))
    assert all(isinstance(answer, NotEstablished) for answer in found.ways.values())
    assert {line.split(":")[0] for line in found.not_established} == {"own", "rent"}
    assert set(found.months) == {"api"} and found.swings == {} and found.npv_usd == {}
    assert "payback" not in json.dumps(found.to_json()["ways"])


def test_the_default_case_is_said_to_be_one() -> None:
    assert "default case" in sheet(load("a100x4")).notes[0]
    assert sheet(load("a100x8")).notes == ()


def test_the_strategys_own_load_is_5475_a_year() -> None:
    found = sheet(load("a100x8"))
    assert found.years["api"][0] == pytest.approx(5_475)
    assert one(found, "load.output_tokens_per_month").mid == pytest.approx(456.25 / 1.20 * 1e6 / 4)
    assert one(found, "usd_per_month").basis == "vendor's word"


def test_a_rate_from_the_command_line_establishes_only_what_fits_and_says_so() -> None:
    fits, too_small = (sheet(load(name), Asked(tokens_per_second=FAST)) for name in ("h200x8", "a100x8"))
    assert isinstance(fits.ways["own"], Worth) and isinstance(fits.ways["rent"], Worth)
    assert any("only if that does" in note for note in fits.notes)
    assert one(fits, "capacity.input_tokens_per_second").source == "given on the command line"
    assert one(fits, "capacity.input_tokens_per_second").basis == "assumed"
    assert isinstance(too_small.ways["own"], NotEstablished)
    assert "does-not-fit" in too_small.not_established[0]


def test_a_tight_fit_establishes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.cost.fit_verdict", lambda inventory: "tight")
    assert isinstance(sheet(load("h200x8"), Asked(tokens_per_second=FAST)).ways["own"], NotEstablished)


def test_a_fit_on_other_cards_establishes_nothing() -> None:
    asked = Asked(tokens_per_second=FAST)
    found = sheet(with_money("h200x8", rent={"machine": "h100x8"}), asked)
    assert isinstance(found.ways["own"], Worth) and isinstance(found.ways["rent"], NotEstablished)


def test_a_class_that_was_not_measured_is_named() -> None:
    block = with_money("h200x8", load={"usd_per_month": 20_000, "cached_share": 0.5})
    found = sheet(block, Asked(tokens_per_second=FAST))
    assert "own: cached input tokens per second at the SLO" in found.not_established


def test_a_declared_measurement_carries_its_mark() -> None:
    found = sheet(
        with_money("h200x8", capacity=measured(input_tokens_per_second=30_000, output_tokens_per_second=10_000))
    )
    assert isinstance(found.ways["own"], Worth)
    assert one(found, "capacity.output_tokens_per_second").basis == "measured here"
    assert found.notes == ()


def test_lines_years_and_swings_belong_together() -> None:
    found = sheet(load("h200x8"), Asked(usd_per_month=50_000, tokens_per_second=FAST))
    assert set(found.months) == {"api", "own", "rent"} == set(found.years)
    for way, line in found.months.items():
        assert [month for month, *_ in line] == list(range(61))
        assert all(low <= mid <= high for _, low, mid, high in line)
        assert line[-1][2] == pytest.approx(sum(found.years[way]))
    widths = [swing.swing_usd for swing in found.swings["own"]]
    assert widths == sorted(widths, reverse=True) and widths[0] > 0
    own = found.ways["own"]
    assert isinstance(own, Worth) and own.npv_usd.mid == pytest.approx(found.npv_usd["own"])
    present = found.api.present_usd.mid - own.npv_usd.mid
    assert present > 0


def test_the_break_even_is_where_the_npv_is_nothing() -> None:
    """The load's own range of growth and peak is taken out, so that only its size moves."""
    still = {"growth_share_per_year": 0, "peak_to_mean": 1}
    block = with_money("h200x8", load={"usd_per_month": 60_000, **still}, api={"decline_share_per_year": 0})
    asked = Asked(tokens_per_second=Rates(300_000, None, 100_000))
    own = sheet(block, asked).ways["own"]
    assert isinstance(own, Worth) and own.break_even_tokens_per_month.mid is not None
    there = sheet(block, replace(asked, tokens_per_month=own.break_even_tokens_per_month.mid))
    assert there.npv_usd["own"] == pytest.approx(0, abs=1)


def test_tokens_that_are_declared_are_taken_as_they_are() -> None:
    block = with_money("h200x8", load={"input_tokens_per_month": 3e9, "output_tokens_per_month": {"mid": 1e9}})
    found = sheet(block)
    assert one(found, "load.input_tokens_per_month").mid == 3e9
    assert found.years["api"][0] == pytest.approx((3_000 * 0.60 + 1_000 * 3.00) * 12)
    total = sheet(block, Asked(tokens_per_month=8e9))
    assert one(total, "load.input_tokens_per_month").mid == pytest.approx(6e9)


def test_a_machine_without_a_price_or_power_is_asked_for_it() -> None:
    lines = sheet(load("rtx4090x8")).not_established
    assert any("money.own.hardware_usd" in line for line in lines)
    priced = with_money("rtx4090x8", own={"hardware_usd": 30_000})
    if build(priced, Asked()).case.own is None:
        assert "own" in build(priced, Asked()).lacking
    whole = with_money("rtx4090x8", own={"hardware_usd": 30_000, "it_kw": 4})
    assert build(whole, Asked()).case.own is not None


def test_a_spare_is_paid_for() -> None:
    none, spare = (sheet(with_money("h200x8", own={"spares": n})).standing_usd["own"] for n in (0, 1))
    assert spare.mid > 1.5 * none.mid


def test_the_command_prints_at_most_100_columns() -> None:
    done = run("h200x8", "--tokens-per-second", "30000,,10000", "--usd-per-month", "50000")
    assert done.exit_code == 0, done.output
    assert max(len(line.rstrip()) for line in done.output.splitlines()) <= 100
    for word in ("Inputs", "assumed", "vendor's word", "break-even utilisation", "What own hangs on", "FAIL"):
        assert word in done.output


def test_the_command_says_what_to_measure_and_ends_with_0() -> None:
    done = run("a100x8")
    assert done.exit_code == 0
    assert "not established" in done.output and "output tokens per second at the SLO" in done.output
    assert "break-even" not in done.output and "payback" not in done.output


def test_brackets_in_a_source_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    block = {"usd_per_month": {"mid": 500, "source": "bill [/no] of [bold]May[/bold] :smile:"}}
    show(sheet(with_money("a100x8", load=block)))
    assert "bill [/no] of [bold]May[/bold] :smile:" in capsys.readouterr().out


def test_json_and_csv(tmp_path: Any) -> None:
    file = tmp_path / "months.csv"
    done = run("h200x8", "--json", "--tokens-per-second", "30000,,10000", "--csv", str(file))
    told = json.loads(done.output, parse_constant=lambda word: pytest.fail(word))
    assert told["fit"] == "fits" and {"advantage-18x", "saves-100k"} <= {claim["id"] for claim in told["claims"]}
    lines = file.read_text().splitlines()
    assert lines[0].startswith("way,month,tokens_asked") and len(lines) == 1 + 3 * 61


def test_the_frame_has_a_row_for_each_way_and_month() -> None:
    frame = sheet(load("a100x8")).to_frame()
    assert list(frame["month"]) == list(range(61)) and set(frame["way"]) == {"api"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tokens-per-second", "1,2"), "not IN,CACHED,OUT"),
        (("--tokens-per-second", ",,"), "not IN,CACHED,OUT"),
        (("--tokens-per-second", "a,b,c"), "something else than numbers"),
        (("--tokens-per-second", "nan,,5"), "input_tokens_per_second is nan"),
        (("--tokens-per-second", "-1,,5"), "it must lie in"),
        (("--usd-per-month", "1e300"), "--usd-per-month"),
        (("--usd-per-month", "1e-9"), "less than one token"),
        (("--tokens-per-month", "1e300"), "--tokens-per-month"),
        (("--tokens-per-month", "5", "--usd-per-month", "5"), "exclude each other"),
        (("--csv", "/no/such/folder/x.csv"), "can't write it"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: tuple[str, ...], said: str) -> None:
    done = run("a100x8", *arguments)
    assert isinstance(done.exception, BadInput), done.output
    assert said in done.exception.what and done.exception.fix


def test_an_unknown_machine_or_api_names_the_known_ones() -> None:
    for block, near in (({"own": {"machine": "a100x9"}}, "a100x8"), ({"api": {"model": "kimi-k9"}}, "kimi-k2.5")):
        with pytest.raises(BadInput) as refused:
            sheet(with_money("a100x8", **block))
        assert near in refused.value.fix


def test_the_cost_loads_neither_pandas_nor_prefect() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from flows.cost_command import cost\n"
        "done = CliRunner().invoke(cost, ['a100x8']); assert done.exit_code == 0, done.output\n"
        "print([m for m in ('pandas', 'prefect', 'great_expectations') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


WHOLE: dict[str, Any] = {
    "load": {"usd_per_month": {"low": 304, "mid": 456, "high": 608}, "input_per_output": 3, "cached_share": 0.2,
             "growth_share_per_year": {"low": -0.1, "mid": 0, "high": 0.5}, "peak_to_mean": {"mid": 3}},
    "api": {"model": "kimi-k2.5", "decline_share_per_year": 0.3},
    "own": {"machine": "h200x8", "hardware_usd": 3e5, "install_usd": 1e4, "life_years": {"low": 3, "mid": 5, "high": 5},
            "resale_share": 0.1, "it_kw": {"low": 6, "mid": 8, "high": 10}, "idle_share_of_power": 0.2, "pue": 1.5,
            "usd_per_kwh": 0.1, "colocation_usd_per_kw_month": 180, "support_share_per_year": 0.1, "staff_fte": 0.25,
            "usd_per_fte_year": 150_000, "other_usd_per_year": 100, "spares": 0},
    "rent": {"machine": "h200x8", "usd_per_gpu_hour": 3, "setup_usd": 10, "storage_usd_per_month": 5, "spares": 1},
    "discount_rate_per_year": {"low": 0.05, "mid": 0.08, "high": 0.1},
    "horizon_months": 12,
    "capacity": {"input_tokens_per_second": 3e4, "cached_input_tokens_per_second": 9e4,
                 "output_tokens_per_second": {"low": 9e3, "mid": 1e4, "high": 1.1e4}, "utilisation_share": 0.6,
                 "slo": "TTFT p95 below 2 s", "source": "a log of some run", "as_of": "2026-11-22",
                 "basis": "measured here"},
}  # fmt: skip
JUNK: list[Any] = [
    *(None, True, -1, 0, 1e-9, 0.5, 1, 3, 99, 1e6, 1e13, 1e308, -1e308, 10**400, math.nan, math.inf, "", "x", "5"),
    *([], [1], {}, {"mid": 1}, {"low": 2, "mid": 1}, {"low": 0, "mid": 1, "high": 1e308}, {"low": -5, "mid": 0}),
    *({"mid": 5, "basis": "measured here"}, {"low": 1, "mid": 2, "high": 3, "source": 7}, "2026-13-45", {"a": {}}),
]


def mutated(chance: random.Random) -> dict[str, Any]:
    block = copy.deepcopy(WHOLE)
    for _ in range(chance.randint(1, 3)):
        at: Any = block
        key = chance.choice(list(at))
        while isinstance(at[key], dict) and at[key] and chance.random() < 0.85:
            at, key = at[key], chance.choice(list(at[key]))
        how = chance.random()
        if how < 0.75:
            at[key] = copy.deepcopy(chance.choice(JUNK))
        elif how < 0.9:
            del at[key]
        else:
            at[f"{key}x"] = at.pop(key)
        if not block:
            break
    return block


def test_5000_mutated_money_blocks_give_a_sheet_or_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.cost.fit_verdict", lambda inventory: "fits")
    monkeypatch.setattr("flows.cost.claims", lambda inventory: ())
    base, chance = load("h200x8").model_dump(), random.Random(3)
    built = refused = whole = 0
    for number in range(5_000):
        try:
            inventory = validated(Inventory, base | {"money": mutated(chance)}, "mutated")
            build(inventory, Asked())
            built += 1
            if number % 6 == 0:
                json.dumps(sheet(inventory).to_json(), allow_nan=False)
                whole += 1
        except BadInput as error:
            refused += 1
            assert error.what and error.where and error.fix and len(str(error)) < 20_000
    assert built + refused >= 5_000 and min(built, refused) > 500 and whole > 50
