"""What no server can pass: tokens per second by a machine's peak arithmetic, and by its memory's bandwidth."""

from __future__ import annotations

from assumptions.formulas.shapes import quantity

FLOP_PER_PARAMETER = 2  # one multiplication and one addition for each parameter that a token touches
MOST = 1e24


def arithmetic_tokens_per_second(peak_flop_per_second: float, active_params: float) -> float:
    """All tokens of a second, prompts among them, at peak arithmetic and with attention for nothing."""
    peak = quantity("peak_flop_per_second", peak_flop_per_second, most=MOST)
    return peak / (FLOP_PER_PARAMETER * quantity("active_params", active_params, least=1.0, most=MOST))


def bandwidth_tokens_per_second(bytes_per_second: float, bytes_per_token: float) -> float:
    """Tokens of a single stream when each one reads that much memory, and nothing else does."""
    speed = quantity("bytes_per_second", bytes_per_second, most=MOST)
    return speed / quantity("bytes_per_token", bytes_per_token, least=1.0, most=MOST)
