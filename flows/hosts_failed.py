"""One host's failure, reported beside the others' success."""

from __future__ import annotations

from collections.abc import Mapping

from inventories.errors import Problem


class HostsFailed(Problem):
    """Some hosts of several failed; each is named with its own fault."""


def problem_of(failed: Mapping[str, Problem], hosts: int) -> Problem:
    """The fault of one host alone as it is; for several hosts, which failed and why, and how many did not."""
    if hosts == 1:
        return next(iter(failed.values()))
    whys = "; ".join(f"{name}: {problem.what}" for name, problem in failed.items())
    fixes = "; ".join(f"{name}: {problem.fix}" for name, problem in failed.items())
    return HostsFailed(
        f"{hosts - len(failed)} of {hosts} hosts are prepared, {len(failed)} failed: {whys}",
        where="; ".join(problem.where for problem in failed.values()),
        fix=f"{fixes}. Then run it again: on the hosts that are prepared it changes nothing",
    )
