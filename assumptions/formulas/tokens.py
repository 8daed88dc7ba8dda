"""Tokens by class: a load, what an API charges for it, and how volumes, rates and spend turn into one another."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.money import (
    MONTHS_PER_YEAR,
    SECONDS_PER_YEAR,
    BadAssumption,
    Quantity,
    best,
    check,
    lower,
    number,
    upper,
)

MILLION = 1e6
MOST_TOKENS = 1e18
MOST_USD_PER_MILLION = 1e6
LEAST_RATE = 1e-6


@dataclass(frozen=True, slots=True)
class Tokens:
    """A volume by class; `input` is what missed the cache."""

    input: float
    cached_input: float
    output: float

    def __post_init__(self) -> None:
        check(self, dict.fromkeys(("input", "cached_input", "output"), (0.0, 1e75)))

    @property
    def total(self) -> float:
        """All classes together."""
        return self.input + self.cached_input + self.output

    def times(self, factor: float) -> Tokens:
        """The same mix, `factor` times as much."""
        return Tokens(self.input * factor, self.cached_input * factor, self.output * factor)


@dataclass(frozen=True, slots=True)
class ApiPrices:
    """What an API asks per million tokens of each class, and the share by which it falls on every anniversary."""

    input_usd_per_million: Quantity
    cached_input_usd_per_million: Quantity
    output_usd_per_million: Quantity
    decline_share_per_year: Quantity = 0.0

    def __post_init__(self) -> None:
        for name in ("input", "cached_input", "output"):
            check(self, {f"{name}_usd_per_million": (0.0, MOST_USD_PER_MILLION)})
        check(self, {"decline_share_per_year": (0.0, 1.0)})

    def usd(self, tokens: Tokens, year: int = 0) -> float:
        """The bill for `tokens` bought in that year, counted from zero."""
        first_year = (
            tokens.input * best(self.input_usd_per_million)
            + tokens.cached_input * best(self.cached_input_usd_per_million)
            + tokens.output * best(self.output_usd_per_million)
        )
        return float(first_year / MILLION * (1 - best(self.decline_share_per_year)) ** year)


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for in a mean month of the first year; it grows by a share on every anniversary.

    `input_tokens_per_month` holds the cached ones too, which are `cached_share` of it.  `peak_to_mean` is the
    busiest rate over the mean one.
    """

    input_tokens_per_month: Quantity
    output_tokens_per_month: Quantity
    cached_share: Quantity = 0.0
    growth_share_per_year: Quantity = 0.0
    peak_to_mean: Quantity = 1.0

    def __post_init__(self) -> None:
        check(self, dict.fromkeys(("input_tokens_per_month", "output_tokens_per_month"), (0.0, MOST_TOKENS)))
        check(self, {"cached_share": (0, 1), "growth_share_per_year": (-0.99, 10), "peak_to_mean": (1, 1e4)})
        both = (self.input_tokens_per_month, self.output_tokens_per_month)
        if sum(lower(part) for part in both) < 1:
            raise BadAssumption("the load is less than one token a month: there is nothing to price")

    def in_year(self, year: int) -> Tokens:
        """A mean month's tokens in that year, counted from zero."""
        cached = best(self.cached_share)
        asked = best(self.input_tokens_per_month)
        first = Tokens(asked * (1 - cached), asked * cached, best(self.output_tokens_per_month))
        return first.times((1 + best(self.growth_share_per_year)) ** year)

    def most(self) -> Tokens:
        """The most that each class can be in a month of the first year, whichever end its inputs stand at."""
        asked, cached = upper(self.input_tokens_per_month), self.cached_share
        return Tokens(asked * (1 - lower(cached)), asked * upper(cached), upper(self.output_tokens_per_month))


def mix(input_per_output: float, cached_share: float = 0.0) -> Tokens:
    """One output token and the input tokens that go with it, `cached_share` of them read from the cache."""
    asked = number("input_per_output", input_per_output, most=1e6)
    cached = number("cached_share", cached_share, most=1)
    return Tokens(asked * (1 - cached), asked * cached, 1.0)


def blended_usd_per_million(prices: ApiPrices, of: Tokens) -> float:
    """What a million tokens of that mix cost in the first year."""
    if of.total <= 0:
        raise BadAssumption("a mix of no tokens has no price")
    return prices.usd(of.times(1 / of.total)) * MILLION


def tokens_for_usd(usd: float, usd_per_million: float) -> float:
    """How many tokens `usd` buys."""
    return number("usd", usd) / number("usd_per_million", usd_per_million, least=LEAST_RATE) * MILLION


def usd_for_tokens(tokens: float, usd_per_million: float) -> float:
    """What `tokens` cost."""
    return number("tokens", tokens, most=MOST_TOKENS) * number("usd_per_million", usd_per_million) / MILLION


def per_second_from_year(per_year: float) -> float:
    """The rate, day and night, that makes `per_year` in a year of 365.25 days."""
    return number("per_year", per_year, most=1e30) / SECONDS_PER_YEAR


def per_second_from_month(per_month: float) -> float:
    """The rate, day and night, that makes `per_month` in a twelfth of a year."""
    return per_second_from_year(number("per_month", per_month, most=1e28) * MONTHS_PER_YEAR)


def shared_time_tokens_per_second(
    of: Tokens, prefill_tokens_per_second: float, decode_tokens_per_second: float
) -> float:
    """Tokens of that mix per second on a machine that either reads or writes; cached input takes no time."""
    prefill = number("prefill_tokens_per_second", prefill_tokens_per_second, least=LEAST_RATE)
    decode = number("decode_tokens_per_second", decode_tokens_per_second, least=LEAST_RATE)
    seconds = of.input / prefill + of.output / decode
    if seconds <= 0:
        raise BadAssumption("a mix with nothing to read or write has no rate")
    return of.total / seconds
