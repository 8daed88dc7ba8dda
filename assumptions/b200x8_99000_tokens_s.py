"""Claim: 8x B200 makes 99,000 tokens a second.  So it is published for a 70B model; of Kimi K2.5 it says nothing."""

from __future__ import annotations

from assumptions import _speed_said
from assumptions._core import Assumption, Severity, Stage
from assumptions._speed_said import Peak, Rate, rate
from assumptions._strategy import GUIDE, of_a_purchase
from tasks.site import Site

SAID = 99_000.0  # Hardware Options, Option 3, "99,000+ tokens/sec for 70B models"
MACHINE, CARDS = "b200x8", 8
PEAK = Peak(
    fastest=CARDS * 9_000e12,
    fastest_format="FP4",
    bf16=CARDS * 2_250e12,
    source="NVIDIA's DGX B200 page: 72 PFLOPS of FP4 dense on eight cards; bf16 is a quarter of that",
)
PUBLISHED = 103_000.0
PUBLISHED_SOURCE = (
    "MLPerf Inference 5.1, Llama 2 70B offline on 8x B200 in FP4: about 103,000 (ainews247.org/story/36773 on NVIDIA's "
    "tables); Kimi K2.5 in INT4 on B200, 1k/1k: 344 output tokens a second and card (inferencex.semianalysis.com)"
)

judge = of_a_purchase(_speed_said.judge)


def observe(site: Site, stage: Stage) -> Rate:
    """The cards' peaks and published runs; the inventory's measured throughput if it declares one."""
    return rate(site.inventory, SAID, MACHINE, PEAK, PUBLISHED, PUBLISHED_SOURCE)


ASSUMPTION = Assumption(
    id="b200x8-99000-tokens-s",
    guide=f"{GUIDE}, Hardware Options, Option 3",
    states="8x B200 makes 99,000 tokens a second, of 70B models and so of Kimi K2.5.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Rent the machine for an hour, run vllm bench serve at your own mix, and declare money.capacity.",
    version=1,
    observe=observe,
    judge=judge,
)
