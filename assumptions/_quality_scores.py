"""What the vendor says that its models score, in percent, by catalog id; data, with the names that suites use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CARD = "model card of moonshotai/Kimi-K2-Thinking, Evaluation Results (INT4)"
RECIPE = "vllm-project/recipes moonshotai/Kimi-K2-Think.md: 5-shot, TP8, 8x H200"


@dataclass(frozen=True, slots=True)
class Score:
    """One benchmark: its name, the names of tasks that run it, the score, whose word, and whether the guide has it."""

    name: str
    tasks: tuple[str, ...]
    percent: float
    source: str
    in_guide: bool = True


SCORES: Mapping[str, tuple[Score, ...]] = {
    "kimi-k2-thinking": (
        # the guide (§1.3) has GPT-5's 85.7 here, and this figure as GPT-5's
        Score("GPQA Diamond, no tools", ("gpqa_diamond",), 84.5, CARD),
        Score("LiveCodeBench v6, no tools", ("livecodebench_v6", "livecodebench"), 83.1, CARD),
        Score("SWE-Bench Verified, with tools", ("swe_bench_verified", "swe_bench"), 71.3, CARD),
        Score("HLE text-only, with tools", ("hle",), 44.9, CARD),
        Score("BrowseComp, with tools", ("browsecomp", "browse_comp"), 60.2, CARD),
        Score("SEAL-0, with tools", ("seal_0", "seal0", "sealqa"), 56.3, CARD),  # the guide says 45.6
        Score("AIME 2025, no tools", ("aime2025", "aime25"), 94.5, CARD, in_guide=False),
        Score("MMLU-Pro, no tools", ("mmlu_pro",), 84.6, CARD, in_guide=False),
        Score("GSM8K", ("gsm8k",), 94.1, RECIPE, in_guide=False),
    ),
}


def score(model: str, task: str) -> Score | None:
    """The vendor's score of a suite's task; None where it names none."""
    name = task.rpartition("/")[2].lower().replace("-", "_").replace(" ", "_")
    known = SCORES.get(model, ())
    return next((s for s in known if any(name == each or name.startswith(f"{each}_") for each in s.tasks)), None)
