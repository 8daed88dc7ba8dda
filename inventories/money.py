"""The optional `money:` block of an inventory: the load, the API it could go to, and what a machine costs to keep.

What is left out is taken from catalog/costs.yaml and catalog/machines.yaml; `beachhead cost` prints which.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from inventories.strict import CatalogId, Strict

Mark = Literal["measured here", "measured elsewhere", "modelled", "vendor's word", "assumed"]


class Amount(Strict):
    """One figure between two ends.  Without a source it is assumed."""

    low: float
    mid: float
    high: float
    source: str = ""
    as_of: date | None = None
    basis: Mark = "assumed"

    @model_validator(mode="after")
    def _in_order_and_sourced(self) -> Amount:
        if not self.low <= self.mid <= self.high:
            raise ValueError(f"low {self.low:g} <= mid {self.mid:g} <= high {self.high:g} does not hold")
        if self.basis != "assumed" and (len(self.source) < 10 or self.as_of is None):
            raise ValueError(f"basis {self.basis!r} needs a source and its date (as_of)")
        return self


def _widened(given: Any) -> Any:
    """A plain number stands for all three; an end that is left out is the mid."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return {"low": given, "mid": given, "high": given}
    if isinstance(given, dict) and "mid" in given:
        return {"low": given["mid"], "high": given["mid"], **given}
    if not isinstance(given, dict | Amount):
        raise ValueError("give a number, or low, mid and high")
    return given


class _Written(Strict):
    """How an amount may be written; only editors see it."""

    mid: float
    low: float | None = None
    high: float | None = None
    source: str = ""
    as_of: str | None = None
    basis: Mark = "assumed"


Quantity = Annotated[Amount, BeforeValidator(_widened, json_schema_input_type=float | _Written)]


class Load(Strict):
    """What is asked for in a mean month: tokens by class, or the API bill that they make and their mix."""

    input_tokens_per_month: Quantity | None = Field(None, description="those read from the cache included")
    output_tokens_per_month: Quantity | None = None
    usd_per_month: Quantity | None = Field(None, description="today's API bill, instead of tokens")
    input_per_output: float | None = Field(None, gt=0, le=1e6, description="with usd_per_month: input tokens an output")
    cached_share: Quantity | None = Field(None, description="of the input")
    growth_share_per_year: Quantity | None = None
    peak_to_mean: Quantity | None = None

    @model_validator(mode="after")
    def _tokens_or_a_bill(self) -> Load:
        tokens = (self.input_tokens_per_month, self.output_tokens_per_month)
        if (self.usd_per_month is None) == (tokens == (None, None)):
            raise ValueError("give usd_per_month, or input_tokens_per_month and output_tokens_per_month")
        if self.usd_per_month is None and None in tokens:
            raise ValueError("input_tokens_per_month and output_tokens_per_month go together")
        if self.usd_per_month is None and self.input_per_output is not None:
            raise ValueError("input_per_output goes with usd_per_month; the tokens say it themselves")
        return self


class Api(Strict):
    """Whose prices: api-<model>-input, -cached-input and -output of catalog/prices.yaml."""

    model: CatalogId = "kimi-k2.5"
    decline_share_per_year: Quantity | None = None


class Own(Strict):
    """A bought machine of catalog/machines.yaml; a figure given here replaces the catalog's."""

    machine: CatalogId | None = Field(None, description="absent: the machine with the inventory's cards")
    hardware_usd: Quantity | None = None
    install_usd: Quantity | None = None
    life_years: Quantity | None = None
    resale_share: Quantity | None = None
    it_kw: Quantity | None = Field(None, description="under load, without cooling")
    idle_share_of_power: Quantity | None = None
    pue: Quantity | None = None
    usd_per_kwh: Quantity | None = None
    colocation_usd_per_kw_month: Quantity | None = None
    support_share_per_year: Quantity | None = None
    staff_fte: Quantity | None = None
    usd_per_fte_year: Quantity | None = None
    other_usd_per_year: Quantity | None = None
    spares: int = Field(0, ge=0, le=99, description="whole machines that are paid for and stand idle")


class Rent(Strict):
    """The same machine by the hour, day and night."""

    machine: CatalogId | None = None
    usd_per_gpu_hour: Quantity | None = None
    setup_usd: Quantity | None = None
    storage_usd_per_month: Quantity | None = None
    staff_fte: Quantity | None = None
    usd_per_fte_year: Quantity | None = None
    spares: int = Field(0, ge=0, le=99)


class Throughput(Strict):
    """Tokens per second by class that were measured on this very machine while the SLO held."""

    input_tokens_per_second: Quantity | None = Field(None, description="that missed the cache")
    cached_input_tokens_per_second: Quantity | None = None
    output_tokens_per_second: Quantity | None = None
    measured: Literal["together", "apart"] = Field("together", description="in one run at this mix, or class by class")
    utilisation_share: Quantity | None = Field(None, description="the highest mean utilisation one plans for")
    slo: str = Field(min_length=5, description="what held during the measurement, such as TTFT p95 below 2 s")
    source: str = Field(min_length=10)
    as_of: date
    basis: Literal["measured here", "measured elsewhere"]


class Money(Strict):
    """Everything that an answer about money rests on and the catalog can't know."""

    load: Load
    api: Api = Api()
    own: Own = Own()
    rent: Rent = Rent()
    discount_rate_per_year: Quantity | None = None
    horizon_months: int | None = Field(None, ge=1, le=600)
    capacity: Throughput | None = Field(None, description="absent: not measured, so no break-even is given")
