"""Who owns a fleet: the process that started it, or nobody; and removing what nobody owns any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.hosts.docker import LABEL, docker, labelled, remove_fleet

OWNER = f"{LABEL}.owner"
KEPT = "kept"  # the owner of a fleet that outlives the process that started it


def reap() -> list[str]:
    """Remove fleets whose process is gone: a crash, a killed test run.  What `up` left for a developer stays."""
    gone = [fleet for fleet, owner in _owners() if owner != KEPT and owner != process(owner.partition("@")[0])]
    for fleet in gone:
        remove_fleet(fleet)
    return gone


def kept() -> list[str]:
    """Fleets that were left running on purpose."""
    return [fleet for fleet, owner in _owners() if owner == KEPT]


def _owners() -> Iterator[tuple[str, str]]:
    for network in labelled("network"):
        template = f'{{{{index .Labels "{LABEL}"}}}} {{{{index .Labels "{OWNER}"}}}}'
        fleet, owner = docker("network", "inspect", "--format", template, network).split()
        yield fleet, owner


def process(pid: str) -> str:
    """A process by pid and start time, so that a reused pid is not taken for it; empty where it is gone."""
    try:
        return f"{pid}@{Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"
    except OSError:
        return ""
