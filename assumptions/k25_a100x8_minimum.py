"""Claim: 8x A100 80 GB is the least that serves Kimi K2.5.  By the memory model, with all that a card has."""

from __future__ import annotations

from assumptions import _configuration
from assumptions._configuration import Configuration, configuration
from assumptions._core import Assumption, Severity, Stage
from assumptions._paper import STRATEGY_MODEL
from assumptions._strategy import GUIDE, of_a_purchase
from tasks.site import Site

CARD, CARDS = "a100-80gb", 8  # Current Kimi K2.5 Technical Specifications, "Minimum Hardware"; Option 2
CONTEXT_TOKENS = 262_144  # "256K tokens", the same place
UTILIZATION = 1.0  # the strategy names none: the most that can be asked of a card
ASKED_BY = f"{GUIDE}, Current Kimi K2.5 Technical Specifications, for the context; utilisation 1 is the bound"

judge = of_a_purchase(_configuration.judge)


def observe(site: Site, stage: Stage) -> Configuration:
    """The catalog's model and cards; no host is asked."""
    return configuration(
        STRATEGY_MODEL, CARD, CARDS, context_tokens=CONTEXT_TOKENS, utilization=UTILIZATION, asked_by=ASKED_BY
    )


ASSUMPTION = Assumption(
    id="k25-a100x8-minimum",
    guide=f"{GUIDE}, Current Kimi K2.5 Technical Specifications; Hardware Options, Option 2",
    states="8x A100 80 GB, the least hardware that the strategy names, holds Kimi K2.5 and a 256K context.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Rent eight such cards for an hour and start it with the KV cache shared (decode context parallel 8), or "
    "take 8x H200, which public runs show.",
    version=1,
    observe=observe,
    judge=judge,
)
