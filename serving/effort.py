"""From an application's effort, 0 to 1, to what the server is asked for.

The guide's §5.1 stands in with `max_tokens` and temperature because it doubts that a thinking budget is
exposed.  vLLM 0.19 and later take `thinking_token_budget` in the request's body, so effort sets that, and
`max_tokens` leaves room for the answer behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MIN_BUDGET, MAX_BUDGET = 1_000, 256_000  # guide §5.1, thinking_budget_range
ANSWER_TOKENS = 4_096  # guide §5.1, generate()'s default max_tokens
TEMPERATURE, TOP_P = 1.0, 0.95  # Moonshot's own for thinking (K2.5 README)


@dataclass(frozen=True, slots=True)
class Effort:
    """`share` of the thinking that fits, 0 to 1."""

    share: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"effort is a number from 0 to 1, not {self.share}")

    def budget(self, context_tokens: int) -> int:
        """Thinking tokens, growing by equal ratios from 1,000 to what the context leaves, 256,000 at most."""
        least = max(1, min(MIN_BUDGET, context_tokens // 2))  # a tiny context keeps room for an answer
        top = max(least, min(MAX_BUDGET, context_tokens - ANSWER_TOKENS))
        ratio: float = (top / least) ** self.share
        return round(least * ratio)

    def request(self, context_tokens: int) -> dict[str, Any]:
        """The fields of a chat completion."""
        budget = self.budget(context_tokens)
        return {
            "thinking_token_budget": budget,
            "max_tokens": min(context_tokens, budget + ANSWER_TOKENS),
            "temperature": TEMPERATURE,
            "top_p": TOP_P,
        }
