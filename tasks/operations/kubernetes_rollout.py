"""A Deployment's rollout is over: every pod is of the newest template and ready, or the one before is back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.kubernetes_objects import RolloutFact
from tasks.hosts import Host
from tasks.kubernetes.kubectl import Kubectl
from tasks.operations.base import Step


@dataclass(frozen=True)
class RolledOut:
    """`deployment` serves as last applied; one that is not ready within `within_s` is undone, and the step fails.

    For the gateway, whose old pod serves until the new one is ready.  An engine is waited for by real completions.
    """

    deployment: str
    kubectl: Kubectl
    within_s: int = 180

    @property
    def name(self) -> str:
        """For a person."""
        return f"{self.deployment} rolled out"

    def plan(self, host: Host) -> Iterator[Step]:
        """Wait; undo what does not come up.  The first revision has nothing to go back to, and kubectl says so."""
        if look(host, RolloutFact(self.kubectl, self.deployment)).complete:
            return
        target = f"deployment/{self.deployment}"
        wait = self.kubectl.long("rollout", "status", target, f"--timeout={self.within_s}s")
        undo = self.kubectl.long("rollout", "undo", target)
        told = shlex.quote(f"{target} was not ready within {self.within_s} s; undone:")
        command = f"{wait} || {{ echo {told} >&2; {undo} >&2; exit 1; }}"
        yield Step(f"wait for {target}", command, timeout=self.within_s + 60)
