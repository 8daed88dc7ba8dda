"""Claim: 8x A100 makes 30,000 tokens a second.  The figure is for 70B models, and near the cards' peak even there."""

from __future__ import annotations

from assumptions import _speed_said
from assumptions._core import Assumption, Severity, Stage
from assumptions._speed_said import Peak, Rate, rate
from assumptions._strategy import GUIDE, NODE_ID, of_a_purchase
from tasks.site import Site

SAID = 30_000.0  # Hardware Options, Option 2, "30,000+ tokens/sec for 70B models"
CARDS = 8
PEAK = Peak(
    fastest=CARDS * 624e12,
    fastest_format="INT8",
    bf16=CARDS * 312e12,
    source="NVIDIA's A100 80 GB data sheet: 624 TOPS in INT8 and 312 TFLOPS in bf16 a card, dense",
)
PUBLISHED = CARDS * 670.0
PUBLISHED_SOURCE = (
    "NVIDIA/TensorRT-LLM@138f96d docs/source/performance.md: LLaMA 70B in FP16 on A100, 670 output tokens a second and "
    "card at 128/128; eight H200 made 32,124 in MLPerf 4.1 (FP8, Llama 2 70B, offline)"
)

judge = of_a_purchase(_speed_said.judge)


def observe(site: Site, stage: Stage) -> Rate:
    """The cards' peaks and published runs; the inventory's measured throughput if it declares one."""
    return rate(site.inventory, SAID, NODE_ID, PEAK, PUBLISHED, PUBLISHED_SOURCE)


ASSUMPTION = Assumption(
    id="a100x8-30000-tokens-s",
    guide=f"{GUIDE}, Hardware Options, Option 2",
    states="8x A100 makes 30,000 tokens a second, of 70B models and so of Kimi K2.5.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Rent the machine for an hour, run vllm bench serve at your own mix, and declare money.capacity.",
    version=1,
    observe=observe,
    judge=judge,
)
