"""Is a machine worth it?  Monthly cash flow for API, rent and own; no break-even without a fit and a measured rate."""

from __future__ import annotations

from assumptions.formulas.capacity import Capacity
from assumptions.formulas.case import Case, Way, pinned, ranges
from assumptions.formulas.cash_flow import CashFlow, Month, api_cash_flow, machine_cash_flow
from assumptions.formulas.established import NotEstablished, established
from assumptions.formulas.machines import Machine, Own, Rent
from assumptions.formulas.money import BadAssumption, Quantity, irr, npv_usd, payback_months, simple_payback_months
from assumptions.formulas.shapes import Range
from assumptions.formulas.spread import RangeOrNever
from assumptions.formulas.tokens import ApiPrices, Load, Tokens, blended_usd_per_million, mix
from assumptions.formulas.tornado import Swing, tornado
from assumptions.formulas.worth import ApiBill, Comparison, Worth, compare, worth

__all__ = [
    "ApiBill",
    "ApiPrices",
    "BadAssumption",
    "Capacity",
    "Case",
    "CashFlow",
    "Comparison",
    "Load",
    "Machine",
    "Month",
    "NotEstablished",
    "Own",
    "Quantity",
    "Range",
    "RangeOrNever",
    "Rent",
    "Swing",
    "Tokens",
    "Way",
    "Worth",
    "api_cash_flow",
    "blended_usd_per_million",
    "compare",
    "established",
    "irr",
    "machine_cash_flow",
    "mix",
    "npv_usd",
    "payback_months",
    "pinned",
    "ranges",
    "simple_payback_months",
    "tornado",
    "worth",
]
