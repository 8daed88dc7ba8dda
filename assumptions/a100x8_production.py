"""Claim: 8x A100 80 GB serves Kimi K2 Thinking at 256K.  By the memory model, at the guide's own settings."""

from __future__ import annotations

from assumptions import _configuration
from assumptions._configuration import Configuration, configuration
from assumptions._core import Assumption, Severity, Stage
from assumptions._paper import GUIDE, GUIDE_MODEL
from assumptions._strategy import of_a_purchase
from tasks.site import Site

CARD, CARDS = "a100-80gb", 8  # §2.1, tier Production

judge = of_a_purchase(_configuration.judge)


def observe(site: Site, stage: Stage) -> Configuration:
    """The catalog's model and cards; no host is asked."""
    return configuration(GUIDE_MODEL, CARD, CARDS)


ASSUMPTION = Assumption(
    id="a100x8-production",
    guide=f"{GUIDE} §2.1, tier Production",
    states="8x A100 80 GB, started as the guide says, holds Kimi K2 Thinking and a 256K context.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="The weights leave no room for a context of this length: take 8x H200, or try 16 cards before you buy them.",
    version=1,
    observe=observe,
    judge=judge,
)
