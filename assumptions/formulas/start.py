"""Start of a server against the patience of what watches it, and the time that bytes take."""

from __future__ import annotations

from dataclasses import dataclass

GIGA = 1e9


@dataclass(frozen=True, slots=True)
class Probe:
    """A Kubernetes probe: seconds, and failures in a row.  Defaults are Kubernetes' own (period 10, 3 failures)."""

    initial_delay_s: float = 0
    period_s: float = 10
    failures: int = 3


def killed_after_s(probe: Probe) -> tuple[float, float]:
    """Earliest and latest time at which a container that never answers is killed.

    The first probe comes between the initial delay and one period later, the others one period apart.
    """
    earliest = probe.initial_delay_s + (probe.failures - 1) * probe.period_s
    return earliest, earliest + probe.period_s


def seconds_to_read(size_bytes: float, gigabytes_per_s: float) -> float:
    """Time to read or transfer `size_bytes` at a rate in 1e9 bytes a second.  ValueError for no rate."""
    if gigabytes_per_s <= 0:
        raise ValueError("a rate must be positive")
    return size_bytes / (gigabytes_per_s * GIGA)


def needed_gigabytes_per_s(size_bytes: float, within_s: float) -> float:
    """Least rate at which `size_bytes` are read `within_s`; nothing else of the start counted.  ValueError for none."""
    if within_s <= 0:
        raise ValueError("a time must be positive")
    return size_bytes / within_s / GIGA


def outlives(ready_s: float | None, killed_s: tuple[float, float]) -> bool | None:
    """Whether a server that is ready after `ready_s` is still there; None: not known, or within the last period."""
    earliest, latest = killed_s
    if ready_s is None or earliest < ready_s <= latest:
        return None
    return ready_s <= earliest
