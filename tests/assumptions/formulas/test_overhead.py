"""The overhead's ranges: published ends they must hold, and how they move with version, card and batch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assumptions.formulas.architecture import Architecture, read
from assumptions.formulas.eras import ERAS, UNREAD, era_of
from assumptions.formulas.overhead import GRAPHS, overhead_gib, standing_gib
from assumptions.formulas.shapes import Range
from assumptions.formulas.warm_up import warm_up_gib

CONFIGS = Path(__file__).parent / "data" / "configs"


def model(name: str) -> Architecture:
    return read(json.loads((CONFIGS / f"{name}_config.json").read_text()))


LLAMA8, LLAMA70 = model("meta-llama--Meta-Llama-3.1-8B"), model("meta-llama--Meta-Llama-3.1-70B")
R1, K25, QWEN235 = (
    model("deepseek-ai--DeepSeek-R1"),
    model("moonshotai--Kimi-K2.5"),
    model("Qwen--Qwen3-235B-A22B-FP8"),
)
OSS120 = model("openai--gpt-oss-120b")
MISTRAL = replace(LLAMA8, vocab=131_072, hidden=5120, dense_width=32_768)  # Mistral Small 3.2's shape
H200, H100, B200 = (139.80, 9.0), (79.18, 9.0), (178.35, 10.0)


def ask(vllm: str, arch: Architecture, card: tuple[float, float], tp: int, **limits: int) -> Range:
    return overhead_gib(vllm, arch, tp=tp, gpu_memory_gib=card[0], compute_capability=card[1], **limits)


# Least and most overhead by logged weights, over the models of LOGS (`eras.py`) with each kind of set-up.
@pytest.mark.parametrize(
    ("vllm", "card", "tp", "least", "most", "small", "large"),
    [
        ("0.11.0", H200, 8, 2.6, 3.8, R1, R1),
        ("0.11.2", H200, 8, 5.4, 8.9, MISTRAL, R1),
        ("0.18.0", H200, 8, 4.0, 7.0, K25, R1),
        ("0.18.0", H200, 8, 4.0, 7.0, MISTRAL, LLAMA70),
        ("0.20.0", H200, 8, 4.6, 7.6, R1, QWEN235),
        ("0.11.2", H200, 1, 5.0, 6.7, LLAMA8, LLAMA8),
        ("0.18.0", H200, 1, 2.2, 4.3, LLAMA8, LLAMA8),
        ("0.20.0", H200, 1, 2.8, 3.6, LLAMA8, LLAMA8),
        ("0.18.0", B200, 8, 4.2, 4.5, R1, R1),
        ("0.11.0", H100, 1, 2.3, 7.49, MISTRAL, OSS120),  # 2.3 is row m289; the largest vocabulary there is gpt-oss's
    ],
)
def test_published_ends_lie_inside(
    vllm: str, card: tuple[float, float], tp: int, least: float, most: float, small: Architecture, large: Architecture
) -> None:
    assert ask(vllm, small, card, tp).low <= least
    assert ask(vllm, large, card, tp).high >= most


@pytest.mark.parametrize(("vllm", "measured"), [("0.11.0", 2.80), ("0.11.2", 7.28), ("0.13.0", 5.75), ("0.20.0", 7.64)])
def test_one_model_over_versions_with_the_same_flags(vllm: str, measured: float) -> None:
    """DeepSeek R1 on eight H200, by logged weights: rows m038, m006, m046, m247."""
    found = ask(vllm, R1, H200, 8)
    assert found.low <= measured <= found.high


@pytest.mark.parametrize(
    ("vllm", "limits", "measured"),
    [
        ("0.15.0", {"max_num_seqs": 64, "max_num_batched_tokens": 8192}, 2.56),
        ("0.11.1rc6", {"max_num_seqs": 1, "max_num_batched_tokens": 4096}, 3.26),
    ],
)
def test_kimi_on_80_gib_cards_with_small_batches(vllm: str, limits: dict[str, int], measured: float) -> None:
    """Two public reports of Kimi K2.5 and K2 Thinking on eight H100; neither is a row of the table."""
    found = ask(vllm, K25, H100, 8, **limits)
    assert found.low <= measured <= found.high


@pytest.mark.parametrize("arch", [LLAMA8, LLAMA70, R1, K25, QWEN235], ids=lambda arch: arch.name)
@pytest.mark.parametrize("era", [*ERAS, UNREAD], ids=lambda era: era.name)
def test_ranges_are_ordered_and_positive(era: object, arch: Architecture) -> None:
    vllm = {each.name: text for each, text in zip(ERAS, ("0.6.4", "0.11.0", "0.13.0", "0.18.0", "0.33.0"), strict=True)}
    found = ask(vllm.get(getattr(era, "name", ""), "nightly"), arch, H200, 8)
    assert 0.0 < found.low <= found.mid <= found.high < 15.0


def test_graphs_are_inside_the_budget_from_0_20_only() -> None:
    before, after = ask("0.19.0", R1, H200, 8), ask("0.20.0", R1, H200, 8)
    assert after.mid - before.mid == pytest.approx(GRAPHS[True, True].mid)
    assert after.low > before.low and after.high > before.high


def test_two_independent_uncertainties_add_up_to_less_than_their_sum() -> None:
    kept = standing_gib("0.19.0", experts=True, several=True)
    both = standing_gib("0.20.0", experts=True, several=True)
    assert kept.width < both.width < kept.width + GRAPHS[True, True].width


def test_a_build_that_names_no_release_is_as_uncertain_as_the_newest_or_more() -> None:
    named, unnamed = ask("0.33.0", R1, H200, 8), ask("nightly", R1, H200, 8)
    assert unnamed.low <= named.low and unnamed.high >= named.high
    assert era_of("nightly") is UNREAD


def test_smaller_batches_take_less_and_a100_has_small_ones_by_default() -> None:
    assert ask("0.33.0", K25, H200, 8, max_num_seqs=64).mid < ask("0.33.0", K25, H200, 8).mid
    a100 = warm_up_gib("0.33.0", K25, tp=8, gpu_memory_gib=79.18, compute_capability=8.0)
    h100 = warm_up_gib("0.33.0", K25, tp=8, gpu_memory_gib=79.18, compute_capability=9.0)
    unknown = warm_up_gib("0.33.0", K25, tp=8, gpu_memory_gib=79.18)
    assert a100.high < h100.low
    assert unknown.low == a100.low and unknown.high == h100.high
