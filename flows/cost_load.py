"""The load and the API that it could go to: tokens by class, as declared or as many as a bill buys."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.money import BadAssumption, Quantity, best, number
from assumptions.formulas.tokens import MOST_TOKENS, ApiPrices, Load, blended_usd_per_million, mix
from flows.cost_capacity import GIVEN, Rates
from flows.cost_inputs import Inputs, times
from inventories.errors import BadInput
from inventories.figures import price, prices
from inventories.money import Api
from inventories.money import Load as Declared

CLASSES = {"input": "input", "cached_input": "cached-input", "output": "output"}
TOKENS = "tokens per month"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line puts in the place of the declared load and throughput."""

    usd_per_month: float | None = None
    tokens_per_month: float | None = None
    tokens_per_second: Rates | None = None


def api_prices(declared: Api, inputs: Inputs) -> ApiPrices:
    """The catalog's prices of that model; BadInput names the models that have one."""
    ids = {name: f"api-{declared.model}-{word}" for name, word in CLASSES.items()}
    if lacking := [id for id in ids.values() if id not in prices()]:
        known = sorted({id.removeprefix("api-").removesuffix("-output") for id in prices() if id.endswith("-output")})
        fix = f"one of {', '.join(known)}, or add the prices to catalog/prices.yaml"
        raise BadInput(f"no API price called {lacking[0]!r}", where="money.api.model", fix=fix)
    fresh, cached, output = (inputs.figure(f"api.{n}_usd_per_million", price(id).usd) for n, id in ids.items())
    decline = inputs.or_default("api.decline_share_per_year", declared.decline_share_per_year, "decline-share-per-year")
    return ApiPrices(fresh, cached, output, decline)


def load(declared: Declared, api: ApiPrices, asked: Asked, inputs: Inputs) -> Load:
    """The load of a mean month; a bill or a total is split by the mix of input to output."""
    cached = inputs.or_default("load.cached_share", declared.cached_share, "cached-share")
    into, out = _tokens(declared, api, asked, best(cached), inputs)
    growth, peak = declared.growth_share_per_year, declared.peak_to_mean
    return Load(
        input_tokens_per_month=into,
        output_tokens_per_month=out,
        cached_share=cached,
        growth_share_per_year=inputs.or_default("load.growth_share_per_year", growth, "growth-share-per-year"),
        peak_to_mean=inputs.or_default("load.peak_to_mean", peak, "peak-to-mean"),
    )


def _tokens(
    declared: Declared, api: ApiPrices, asked: Asked, cached: float, inputs: Inputs
) -> tuple[Quantity, Quantity]:
    if asked.usd_per_month is None and asked.tokens_per_month is None and declared.usd_per_month is None:
        into = inputs.take("load.input_tokens_per_month", declared.input_tokens_per_month, None, TOKENS)
        return into, inputs.take("load.output_tokens_per_month", declared.output_tokens_per_month, None, TOKENS)
    per_output = _per_output(declared, inputs)
    total, how = _total(declared, asked, blended_usd_per_million(api, mix(per_output, cached)), inputs)
    share = per_output / (per_output + 1)
    into = inputs.derived("load.input_tokens_per_month", times(total, share), TOKENS, how)
    return into, inputs.derived("load.output_tokens_per_month", times(total, 1 - share), TOKENS, how)


def _total(declared: Declared, asked: Asked, usd_per_million: float, inputs: Inputs) -> tuple[Quantity, str]:
    if asked.tokens_per_month is not None:
        given = number("--tokens-per-month", asked.tokens_per_month, least=1, most=MOST_TOKENS)
        return inputs.add("tokens_per_month", given, TOKENS, "assumed", GIVEN, None), "the total, split by the mix"
    usd: Quantity
    if asked.usd_per_month is not None:
        bill = number("--usd-per-month", asked.usd_per_month)
        usd = inputs.add("usd_per_month", bill, "USD per month", "assumed", GIVEN, None)
    else:
        usd = inputs.take("usd_per_month", declared.usd_per_month, None, "USD per month")
    if usd_per_million <= 0:
        raise BadAssumption("this mix costs nothing on the API: a bill can't say how many tokens it is")
    return times(usd, 1e6 / usd_per_million), f"the bill at ${usd_per_million:.4g} a million tokens of this mix"


def _per_output(declared: Declared, inputs: Inputs) -> float:
    """Input tokens to one output token."""
    into, out = declared.input_tokens_per_month, declared.output_tokens_per_month
    if into and out and out.mid > 0:
        return best(inputs.derived("input_per_output", into.mid / out.mid, "tokens per token", "the declared tokens"))
    if declared.input_per_output:
        said = ("assumed", f"declared in inventory {inputs.inventory}", None)
        return best(inputs.add("input_per_output", declared.input_per_output, "tokens per token", *said))
    return best(inputs.or_default("input_per_output", None, "input-per-output"))
