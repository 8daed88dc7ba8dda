"""How the cluster's objects differ from what was declared, by `kubectl diff --server-side`: nothing is changed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inventories.errors import Problem
from tasks.facts.base import NotUnderstood
from tasks.hosts import CommandFailed, Host, Ran
from tasks.kubernetes.kubectl import APPLY, Kubectl

_FILE = re.compile(r"\+\+\+ \S*/(?P<object>[^/\s]+)(\s.*)?")
NO_NAMESPACE = re.compile(r'namespaces "[^"]+" not found')
NO_KIND = re.compile(r'no matches for kind "(?P<kind>[^"]+)" in version "(?P<api>[^"]+)"')


class ClusterRefused(Problem):
    """The cluster does not take what was declared."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not as declared; `lines` are diff's own, - for what is there and + for what will be."""

    object: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.object} ({len(self.lines)} lines)"


def differences(host: Host, kubectl: Kubectl, manifests: str) -> tuple[Difference, ...]:
    """Every object that differs, or is missing; raises ClusterRefused with the server's words."""
    _, *how = APPLY
    command = kubectl.line("diff", *how, "--filename=-")
    ran = host.run(f"LC_ALL=C {command}", stdin=manifests, timeout=120)
    if ran.exit == 0:
        return ()
    if ran.exit == 1 and ran.stdout.strip():
        return parse(ran.stdout)
    if NO_NAMESPACE.search(ran.stderr):  # nothing can differ from what is not there
        return (Difference("everything: the namespace is not there yet", ()),)
    raise refused(ran)


def parse(stdout: str) -> tuple[Difference, ...]:
    """kubectl's unified diffs.

    Sample: "diff -u -N /tmp/LIVE-1/v1.Service.beachhead.engine /tmp/MERGED-2/v1.Service.beachhead.engine\\n--- …\\n+++
    /tmp/MERGED-2/v1.Service.beachhead.engine\\t2026-…\\n@@ -1 +1 @@\\n-  a: b\\n+  a: c"
    """
    found: list[tuple[str, list[str]]] = []
    for line in stdout.splitlines():
        if heading := _FILE.fullmatch(line):
            found.append((heading["object"], []))
        elif found and line[:1] in ("+", "-") and not line.startswith("--- "):
            found[-1][1].append(line)
    if not found:
        raise NotUnderstood(Difference("", ()), stdout)
    return tuple(Difference(name, tuple(lines)) for name, lines in found)


def refused(ran: Ran) -> Problem:
    """What the server said, with what to do where it is known."""
    if kind := NO_KIND.search(ran.stderr):
        return ClusterRefused(
            f"the cluster has no {kind['kind']} of {kind['api']}",
            where=ran.host,
            fix="install what brings it (for LeaderWorkerSet: kubernetes-sigs/lws), and run again",
        )
    return CommandFailed(ran)
