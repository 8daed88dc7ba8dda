"""Reaching a cluster: kubectl that speaks with it, and its pods on the host's loopback."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from inventories.errors import Problem
from tasks.facts.base import look
from tasks.facts.reading import needs, understood
from tasks.hosts import CommandFailed, Host
from tasks.kubernetes.kubectl import Kubectl
from tasks.operations.base import Step
from tasks.operations.service import Service

SKEW = 1  # minor versions between kubectl and server that Kubernetes supports
OLDEST = 25  # server-side field validation, which refuses unknown fields, is on by default since 1.25


class NoCluster(Problem):
    """There is no kubectl here, or no cluster that answers it."""


@dataclass(frozen=True, slots=True)
class Versions:
    """Minor versions of kubectl and of the cluster, both of 1.x."""

    client: int
    server: int


@dataclass(frozen=True)
class VersionsFact:
    """The Versions; the command fails where no server answers.

    Sample: {"clientVersion": {"major": "1", "minor": "36", …}, "serverVersion": {"major": "1", "minor": "35+", …}}
    """

    kubectl: Kubectl

    @property
    def command(self) -> str:
        """Both at once."""
        return f"{needs('kubectl')}; {self.kubectl.line('version', '--output=json')}"

    @understood
    def parse(self, stdout: str) -> Versions:
        """A minor version may end in + where a provider changed something."""
        said = json.loads(stdout)
        client, server = (_minor(said[side]) for side in ("clientVersion", "serverVersion"))
        return Versions(client, server)


def _minor(version: dict[str, str]) -> int:
    if version["major"] != "1":
        raise ValueError("not Kubernetes 1.x")
    return int(version["minor"].rstrip("+"))


@dataclass(frozen=True)
class ClusterReached:
    """kubectl is on the host and a cluster of a version that it may speak to answers.  Nothing is installed."""

    kubectl: Kubectl

    @property
    def name(self) -> str:
        """For a person."""
        return "kubectl reaches the cluster"

    def plan(self, host: Host) -> Iterator[Step]:
        """No step: which cluster is meant, and with whose rights, is not ours to decide."""
        try:
            seen = look(host, VersionsFact(self.kubectl))
        except CommandFailed as failed:
            said = failed.ran.stderr.strip()[-300:]
            raise NoCluster(
                f"no cluster answers kubectl: {said or 'no output'}",
                where=host.name,
                fix="install kubectl there and give serving.kubernetes.kubeconfig and context of the cluster",
            ) from None
        if abs(seen.client - seen.server) > SKEW or min(seen.client, seen.server) < OLDEST:
            raise NoCluster(
                f"kubectl is 1.{seen.client}, the cluster is 1.{seen.server}",
                where=host.name,
                fix=f"install a kubectl at most {SKEW} minor version away; both have to be 1.{OLDEST} or newer",
            )
        yield from ()


def forward(kubectl: Kubectl, target: str, port: int, to: int, root: str, mark: str = "") -> Service:
    """`target`'s port `to` on the host's loopback at `port`, as long as the process lives.

    kubectl ends when the pod does; the loop looks for the next one.  `mark` tells apart what may follow each other.
    """
    words = ("port-forward", "--address=127.0.0.1", target, f"{port}:{to}")
    loop = f"while :; do {shlex.join(kubectl.words(*words))}; sleep 1; done"
    name = f"forward-{port}{'-' + mark if mark else ''}"
    return Service(
        title=f"port-forward to {target}",
        argv=("sh", "-c", loop),
        port=port,
        pid_file=f"{root}/run/{name}.pid",
        log_file=f"{root}/run/{name}.log",
    )
