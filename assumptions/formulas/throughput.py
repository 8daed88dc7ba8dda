"""Requests per second of a load test in which so many workers ask in turn."""

from __future__ import annotations

from collections.abc import Sequence


def wall_time_s(latencies_s: Sequence[float], workers: int) -> float:
    """From the first request to the last answer, when each of `workers` takes the next request as it gets free.

    Raises ValueError for no worker.
    """
    if workers < 1:
        raise ValueError("a load test needs at least one worker")
    free = [0.0] * workers
    for latency in latencies_s:
        free[free.index(min(free))] += latency
    return max(free)


def requests_per_s(latencies_s: Sequence[float], workers: int) -> float:
    """Requests answered / wall time.  Raises ValueError where no time passed."""
    wall = wall_time_s(latencies_s, workers)
    if wall <= 0:
        raise ValueError("no time passed: there is no rate")
    return len(latencies_s) / wall
