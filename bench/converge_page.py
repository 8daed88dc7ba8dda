"""The page of the documentation that holds the times of bench/converge.py."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from bench.converge_steps import STEPS
from bench.converge_tools import ANSIBLE_TUNED, TOOLS

COMMAND = ".venv/bin/python -m bench.converge --markdown docs/reference/converge-scores.md"
HEAD = """# How fast hosts converge

Written by the bench, do not edit: `{command}`

Ten idempotent steps on 1, 8 and 32 hosts, by Beachhead, pyinfra and Ansible, measured {date} in one run on one machine
with {cores} cores and other work on it: the load average was {load} in the last 15 minutes. Hosts are the test hosts of
`tests/hosts`: containers with real systemd, sshd, sudo and apt on that same machine, so a tool's work on the hosts and
its own work compete for the same cores, and the network costs nothing. Every time is a whole process from start to end,
imports and connecting included. A first run meets new hosts; the no-change runs follow on the same hosts, and a tool
that changes something in one is an error, as is a host that ends in another state than the ten steps describe.

Times are seconds: the median, then the lowest and highest. "x ours" is the tool's median over Beachhead's, and in
brackets the lowest and highest of that ratio over the repetitions, each against Beachhead's time in the same one.
{tables}

## The ten steps

{steps}

## How each tool was set

{settings}
"""
SETTINGS = (
    "**Beachhead**: its operations through `tasks.operations.read_ahead`, one thread a host, every command on the "
    "trail. No lease, and a long step runs in the connection.",
    "**Beachhead, not reading ahead**: the same, a round trip for every look.",
    "**Beachhead through Prefect**: as `beachhead prepare` works: a task run for each host and each operation on a "
    "Prefect server that was up before, a lease and a journal on each host, long steps as units of their own there.",
    "**pyinfra**: its own defaults, host keys checked strictly.",
    "**Ansible, tuned**: no facts gathered, the interpreter named, and "
    + ", ".join(f"`{name}={value}`" for name, value in ANSIBLE_TUNED.items() if "INTERPRETER" not in name)
    + ". Its SSH connections stay open for 60 s, as by default, so its no-change runs may find them open.",
    "**Ansible, defaults**: facts gathered, five hosts at once, no pipelining. Not run on more than "
    f"{TOOLS['ansible-defaults'].most_hosts} host.",
)


class Times(Protocol):
    """Seconds of one tool's runs."""

    first: list[float]
    again: list[float]


def tables(found: Mapping[int, Mapping[str, Times]]) -> list[str]:
    """One Markdown table for each fleet size; ratios where ours was measured too."""
    lines: list[str] = []
    for size, times in sorted(found.items()):
        lines += ["", f"### {size} host{'s' if size > 1 else ''}", ""]
        lines += ["| tool | first run | x ours | no-change run | x ours |", "| --- | --- | --- | --- | --- |"]
        ours = times.get("ours")
        for key, its in times.items():
            first = [spread(its.first), ratio(its.first, ours.first) if ours else "-"]
            again = [spread(its.again), ratio(its.again, ours.again) if ours else "-"]
            lines.append(f"| {' | '.join([TOOLS[key].title, *first, *again])} |")
    return lines


def spread(seconds: Sequence[float]) -> str:
    """Median, lowest and highest."""
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> str:
    """Median over median, then the lowest and highest ratio of runs of the same repetition."""
    each = [one / other for one, other in zip(theirs, ours, strict=True)]
    return f"{statistics.median(theirs) / statistics.median(ours):.2f} ({min(each):.2f} to {max(each):.2f})"


def page(found: Mapping[int, Mapping[str, Times]], began: float) -> str:
    """The whole page."""
    return HEAD.format(
        command=COMMAND,
        date=time.strftime("%Y-%m-%d", time.gmtime(began)),
        cores=os.cpu_count(),
        load=f"{os.getloadavg()[2]:.1f}",
        tables="\n".join(tables(found)),
        steps="\n".join(f"{number}. {title}: {what}" for number, (title, what) in enumerate(STEPS, 1)),
        settings="\n".join(f"- {line}" for line in SETTINGS),
    )
