"""How far a served engine is from a reference in three figures, each with its line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from assumptions._core import Part
from assumptions._parts import check
from assumptions._quality_compared import Compared, Sums, per_token
from assumptions._quality_logprobs import TOP
from assumptions.formulas.intervals import at_least, at_most

# LLaMA 3 8B, q8_0 against FP16: the 8-bit form that its users take for lossless
KL = 0.001355  # nats a token
SAME_TOP = 0.97674
# the next row, q6_K: in perplexity q8_0's 1.000425 would take some 40,000 tokens to tell from nothing, and a reference
# that is further than this from itself can't show what "the same" is
PERPLEXITY, WIDEST_KL, LEAST_SAME_TOP = 1.00349, 0.005452, 0.96031
SOURCE = "llama.cpp tools/perplexity/README.md, LLaMA 3 8b: q8_0, perplexity and the widest spread of q6_K; "
COVERED = 0.9  # assumed: with less than that of the probability in sight, too much of it is told by nobody


def _spread(passages: Sequence[Compared]) -> tuple[float, float]:
    """How far the reference is from itself: most divergence, least agreement, by the far ends of its repeats."""
    repeats = range(min(len(each.repeats) for each in passages))
    spreads = [tuple(each.repeats[n] for each in passages) for n in repeats]
    kl = max((per_token(spread, "kl")[1][1] for spread in spreads), default=0.0)
    return kl, min((per_token(spread, "same_top")[1][0] for spread in spreads), default=1.0)


def distances(passages: Sequence[Compared], ours: Sequence[Sums]) -> Iterator[Part]:
    """The three distances; the limit is the published one, or the reference's own spread where that is wider."""
    own_kl, own_same = _spread(passages)
    steady = own_kl <= WIDEST_KL and own_same >= LEAST_SAME_TOP
    said = (
        f"its repeats are up to {own_kl:.6f} nats apart, and agree on {own_same:.2%} of the likeliest tokens at least"
    )
    most = f"<= {WIDEST_KL} nats, >= {LEAST_SAME_TOP:.2%}"
    yield check("reference's own spread", True if steady else None, said, expected=most, measured=f"{own_kl:.6f}")
    if not any(each.kl or each.logprob_gap for each in ours):
        said = (
            "not one log-probability differs: it was recorded from this engine, or from its twin with the same weights"
        )
        yield check("another engine", None, said, expected="an engine of other weights or kernels")
    covered, _ = per_token(ours, "covered")
    yield check(
        "probability in sight",
        True if covered >= COVERED else None,
        f"the {TOP} likeliest tokens that both name hold {covered:.1%} of the reference's probability",
        expected=f">= {COVERED:.0%} (assumed)",
        measured=f"{covered:.4f}",
    )
    kl, ends = per_token(ours, "kl")
    limit = max(KL, min(own_kl, WIDEST_KL))
    said = f"{kl:.6f} nats a token, 95 % from {ends[0]:.6f} to {ends[1]:.6f}"
    holds = at_most(ends, limit) if steady else None
    yield check("divergence", holds, said, expected=f"<= {limit:.6f}", measured=f"{kl:.6f}")
    same, ends = per_token(ours, "same_top")
    floor = min(SAME_TOP, max(own_same, LEAST_SAME_TOP))
    said = f"the likeliest token is the same at {same:.2%} of the places, 95 % from {ends[0]:.2%} to {ends[1]:.2%}"
    holds = at_least(ends, floor) if steady else None
    yield check("same likeliest token", holds, said, expected=f">= {floor:.4f}", measured=f"{same:.4f}")
    gap, ends = per_token(ours, "logprob_gap")
    said = f"{math.exp(gap):.5f} of the reference's, 95 % from {math.exp(ends[0]):.5f} to {math.exp(ends[1]):.5f}"
    holds = at_most(ends, math.log(PERPLEXITY)) if steady else None
    yield check("perplexity", holds, said, expected=f"<= {PERPLEXITY}", measured=f"{math.exp(gap):.5f}")
