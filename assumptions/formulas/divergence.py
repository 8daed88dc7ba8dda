"""How far one distribution over tokens is from another, where of each only the likeliest tokens are known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

LEAST = 1e-9  # a probability below which nothing is told apart: logprobs come as 32-bit floats

Logprobs = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Apart:
    """One position: divergence in nats, whether both have the same likeliest token, and the mass that both name."""

    kl: float
    same_top: bool
    covered: float


def apart(reference: Logprobs, other: Logprobs) -> Apart:
    """KL(reference || other) over the tokens that both name and one bucket for all others.

    Merging tokens never makes a divergence larger, so this is a lower bound; `covered` says how much of the
    reference's probability it was taken over token by token.  ValueError where one of them names no token.
    """
    if not reference or not other:
        raise ValueError("a distribution names one token at least")
    shared = reference.keys() & other.keys()
    pairs = [(math.exp(reference[token]), math.exp(other[token])) for token in shared]
    pairs.append((max(0.0, 1 - sum(p for p, _ in pairs)), max(0.0, 1 - sum(q for _, q in pairs))))
    kl = sum(p * math.log(p / max(q, LEAST)) for p, q in pairs if p > LEAST)
    return Apart(max(0.0, kl), top(reference) == top(other), min(1.0, 1 - pairs[-1][0]))


def top(logprobs: Logprobs) -> str:
    """The likeliest token; of equals the first by name."""
    return min(logprobs, key=lambda token: (-logprobs[token], token))
