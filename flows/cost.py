"""`beachhead cost`: API, rent and own over the horizon, from the inventory and the catalog; no host is contacted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from assumptions._core import Stage
from assumptions._strategy import GUIDE
from assumptions.formulas.case import Case, Way
from assumptions.formulas.cash_flow import CashFlow, api_cash_flow, machine_cash_flow, year_of
from assumptions.formulas.cumulative import api_paid_usd, machine_paid_usd
from assumptions.formulas.established import FIT, NotEstablished
from assumptions.formulas.shapes import Range
from assumptions.formulas.tornado import Swing, tornado
from assumptions.formulas.worth import ApiBill, Comparison, Worth, compare, npv_against_api_usd
from flows.cost_case import Built, build, said_clearly
from flows.cost_inputs import Input
from flows.cost_load import Asked
from inventories.machines import Machine
from inventories.schema import Inventory

if TYPE_CHECKING:
    from pandas import DataFrame

WAYS: tuple[Way, ...] = ("own", "rent")
Months = tuple[tuple[int, float, float, float], ...]
DEFAULT_CASE = "the inventory has no money block: this is the default case of inventories/catalog/costs.yaml"
IF_GIVEN = "the throughput was given on the command line: every figure of rent and own holds only if that does"


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of the hardware strategy, as it was judged."""

    id: str
    states: str
    outcome: str
    because: str


@dataclass(frozen=True, slots=True)
class CostSheet:
    """All that can be said about the money of one inventory.

    `ways` holds a Worth, or what to measure first, for each machine.  `months` is (month, low, mid, high) of what has
    been paid by then in USD, for the API and each established way; `years` what is paid each year, at the mid of
    every input; `swings` the tornado, around `npv_usd`.  `not_established` names the way before each reason.
    """

    inventory: str
    title: str
    notes: tuple[str, ...]
    fit: str
    inputs: tuple[Input, ...]
    api: ApiBill
    ways: Mapping[str, Worth | NotEstablished]
    standing_usd: Mapping[str, Range]
    months: Mapping[str, Months]
    years: Mapping[str, tuple[float, ...]]
    swings: Mapping[str, tuple[Swing, ...]]
    npv_usd: Mapping[str, float]
    not_established: tuple[str, ...]
    claims: tuple[Claim, ...]
    flows: tuple[CashFlow, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values; a way that is not established holds `what_to_measure` and no figure."""
        return {key: value for key, value in asdict(self).items() if key != "flows"}

    def rows(self) -> list[dict[str, Any]]:
        """The monthly cash flow, one row a way and month, at the mid of every input."""
        return [row for flow in self.flows for row in flow.rows()]

    def to_frame(self) -> DataFrame:
        """The monthly cash flow as a table."""
        import pandas as pd  # here: nothing else of the cost needs it

        return pd.DataFrame(self.rows())


def sheet(inventory: Inventory, asked: Asked | None = None, *, judged: bool = True) -> CostSheet:
    """The whole sheet, but for the claims unless `judged`; BadInput where a figure can't be true."""
    asked = asked or Asked()
    built = build(inventory, asked)
    with said_clearly(inventory):
        return _sheet(inventory, asked, built, claims(inventory) if judged else ())


def _sheet(inventory: Inventory, asked: Asked, built: Built, judged: tuple[Claim, ...]) -> CostSheet:
    verdict = fit_verdict(inventory)
    holds = {way: verdict == "fits" and same_machine(inventory, built.machines[way]) for way in WAYS}
    found = compare(built.case, own_fits=holds["own"], rent_fits=holds["rent"])
    ways: dict[str, Worth | NotEstablished] = {way: _way(way, found, built, verdict) for way in WAYS}
    sure: tuple[Way, ...] = tuple(way for way in WAYS if isinstance(ways[way], Worth))
    flows = (api_cash_flow(built.case), *_flows(built.case, sure))
    standing = {"own": found.own_standing_usd, "rent": found.rent_standing_usd}
    return CostSheet(
        inventory=inventory.name,
        title=inventory.title,
        notes=_notes(inventory, asked),
        fit=verdict,
        inputs=tuple(built.inputs.rows),
        api=found.api,
        ways=ways,
        standing_usd={way: usd for way, usd in standing.items() if usd is not None},
        months=_months(built.case, sure),
        years={flow.way: _years(flow) for flow in flows},
        swings={way: _swings(built.case, way) for way in sure},
        npv_usd={way: npv_against_api_usd(built.case.only(way), way) for way in sure},
        not_established=tuple(
            f"{way}: {each}"
            for way, one in ways.items()
            if isinstance(one, NotEstablished)
            for each in one.what_to_measure
        ),
        claims=judged,
        flows=flows,
    )


def fit_verdict(inventory: Inventory) -> str:
    """The memory model's word on the declared hosts; only `fits` establishes anything."""
    from flows.fit import of_inventory

    return str(of_inventory(inventory)["verdict"])


def same_machine(inventory: Inventory, found: Machine | None) -> bool:
    """Whether the machine has the very cards that the fit was asked for."""
    if found is None or {host.gpu for host in inventory.hosts} != {found.gpu}:
        return False
    return (sum(host.gpus for host in inventory.hosts), len(inventory.hosts)) == (found.gpus, found.hosts)


def claims(inventory: Inventory) -> tuple[Claim, ...]:
    """The strategy's claims about money, judged as a plan judges them."""
    from assumptions._judge import judge
    from assumptions._registry import at
    from tasks.site import Site

    with TemporaryDirectory() as folder:
        site = Site(inventory, Path(folder))
        due = [claim for claim in at(Stage.PLAN) if claim.guide.startswith(GUIDE)]
        judged = [judge(site, claim, Stage.PLAN).evidence for claim in due]
    return tuple(Claim(e.claim, e.states, str(e.finding.outcome), e.finding.because) for e in judged)


def _notes(inventory: Inventory, asked: Asked) -> tuple[str, ...]:
    return (*([] if inventory.money else [DEFAULT_CASE]), *([IF_GIVEN] if asked.tokens_per_second else []))


def _way(way: Way, found: Comparison, built: Built, verdict: str) -> Worth | NotEstablished:
    answer = found.own if way == "own" else found.rent
    if isinstance(answer, Worth):
        return answer
    said = f"that the model fits on the machine: the memory model says {verdict} for the declared hosts"
    if answer is None:
        return NotEstablished((built.lacking[way], *([] if verdict == "fits" else [said])))
    return NotEstablished(tuple(said if reason == FIT else reason for reason in answer.what_to_measure))


def _flows(case: Case, sure: tuple[Way, ...]) -> tuple[CashFlow, ...]:
    flows = (machine_cash_flow(case, way, fit_holds=True) for way in sure)
    return tuple(flow for flow in flows if isinstance(flow, CashFlow))


def _months(case: Case, sure: tuple[Way, ...]) -> dict[str, Months]:
    lines: dict[str, tuple[Range, ...] | NotEstablished] = {"api": api_paid_usd(case)}
    lines |= {way: machine_paid_usd(case, way, fit_holds=True) for way in sure}
    return {
        way: tuple((month, paid.low, paid.mid, paid.high) for month, paid in enumerate(line))
        for way, line in lines.items()
        if not isinstance(line, NotEstablished)
    }


def _years(flow: CashFlow) -> tuple[float, ...]:
    """Paid in each year; what is bought at the start counts to the first."""
    paid = [0.0] * (year_of(len(flow.months) - 1) + 1)
    for month in flow.months:
        paid[max(0, year_of(month.month))] += month.paid_usd
    return tuple(paid)


def _swings(case: Case, way: Way) -> tuple[Swing, ...]:
    found = tornado(case, way, fit_holds=True)
    return () if isinstance(found, NotEstablished) else found
