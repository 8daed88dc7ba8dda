"""Objects of a cluster as desired states: applied by the server, secret by standard input, or gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.kubernetes_difference import differences
from tasks.facts.kubernetes_objects import ObjectThere, SecretDigest
from tasks.facts.kubernetes_pods import PodsFact
from tasks.hosts import Host
from tasks.kubernetes.kubectl import APPLY, Kubectl, selector
from tasks.kubernetes.objects import Manifest, dump
from tasks.kubernetes.secrets import digest, secret
from tasks.operations.base import Operation, Step

APPLY_S, SHOWN = 120, 4


@dataclass(frozen=True)
class Applied:
    """The cluster holds these objects as declared, by server-side apply; fields of others are left alone."""

    title: str
    kubectl: Kubectl
    manifests: tuple[Manifest, ...]

    @property
    def name(self) -> str:
        """For a person."""
        return f"{self.title} in namespace {self.kubectl.namespace}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Nothing where the server says that applying would change nothing."""
        text = dump(self.manifests)
        found = differences(host, self.kubectl, text)
        if found:
            shown = ", ".join(str(one) for one in found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
            yield Step(f"apply {self.title}: {shown}", apply(self.kubectl), timeout=APPLY_S, stdin=text)


@dataclass(frozen=True)
class SecretThere:
    """A Secret holds exactly these values.  They travel on standard input; only their digest is compared."""

    secret: str
    kubectl: Kubectl
    values: Mapping[str, str]

    def __repr__(self) -> str:
        return f"SecretThere({self.secret!r}, {sorted(self.values)})"

    @property
    def name(self) -> str:
        """For a person."""
        return f"secret {self.secret} in namespace {self.kubectl.namespace}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Nothing where the noted digest is that of the values."""
        if look(host, SecretDigest(self.kubectl, self.secret)) != digest(self.values):
            text = dump([secret(self.secret, self.kubectl.namespace, self.values)])
            yield Step(f"apply secret {self.secret}", apply(self.kubectl), timeout=APPLY_S, stdin=text)


@dataclass(frozen=True)
class WorkloadGone:
    """A slot's workload and its pods are not in the cluster; its GPUs are free."""

    resource: str
    kubectl: Kubectl
    labels: tuple[tuple[str, str], ...]
    grace_s: int

    @property
    def name(self) -> str:
        """For a person."""
        return f"{self.resource} gone"

    def plan(self, host: Host) -> Iterator[Step]:
        """Delete it, and wait until its last pod has ended: the next engine needs what they hold."""
        there = look(host, ObjectThere(self.kubectl, self.resource))
        if not there and not look(host, PodsFact(self.kubectl, self.labels)):
            return
        wait_s = self.grace_s + 60
        gone = ("delete", self.resource, "--ignore-not-found", "--cascade=foreground", f"--timeout={wait_s}s")
        pods = ("wait", "pods", f"--selector={selector(dict(self.labels))}", "--for=delete", f"--timeout={wait_s}s")
        command = f"{self.kubectl.long(*gone)} && {self.kubectl.long(*pods)}"
        yield Step(f"delete {self.resource}", command, timeout=2 * wait_s + 30)


@dataclass(frozen=True)
class InOrder:
    """Several states, each planned when the ones before it are there."""

    title: str
    operations: tuple[Operation, ...]

    @property
    def name(self) -> str:
        """For a person."""
        return self.title

    def plan(self, host: Host) -> Iterator[Step]:
        """Every step of each."""
        for operation in self.operations:
            yield from operation.plan(host)


def apply(kubectl: Kubectl) -> str:
    """The command that takes manifests on standard input; an unknown field is an error, not a warning."""
    return f"LC_ALL=C {kubectl.line(*APPLY, '--validate=strict', '--filename=-')}"
