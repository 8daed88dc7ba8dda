"""What stands in a cluster besides pods: whether an object is there, a Secret's noted digest, a rollout's progress."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tasks.facts.reading import understood
from tasks.kubernetes.kubectl import Kubectl
from tasks.kubernetes.secrets import DIGEST


@dataclass(frozen=True)
class ObjectThere:
    """Whether the object is there; `resource` is kubectl's kind/name.

    Samples: "deployment.apps/engine-8001", and nothing
    """

    kubectl: Kubectl
    resource: str

    @property
    def command(self) -> str:
        """Its name alone."""
        return self.kubectl.line("get", self.resource, "--ignore-not-found", "--output=name")

    @understood
    def parse(self, stdout: str) -> bool:
        """One name or none."""
        named = stdout.split()
        if len(named) > 1 or (named and named[0].rpartition("/")[2] != self.resource.rpartition("/")[2]):
            raise ValueError("another object than asked for")
        return bool(named)


@dataclass(frozen=True)
class SecretDigest:
    """The digest that was noted when the Secret was applied; None where there is no such Secret.  No value is read.

    Samples: "beachhead 4f0c…" (field manager's mark and digest), and nothing
    """

    kubectl: Kubectl
    name: str

    @property
    def command(self) -> str:
        """The annotation alone."""
        path = DIGEST.replace(".", r"\.")
        shown = f'--output=go-template=noted {{{{index .metadata.annotations "{path}"}}}}'
        return self.kubectl.line("get", f"secret/{self.name}", "--ignore-not-found", shown)

    @understood
    def parse(self, stdout: str) -> str | None:
        """The 64 hex digits; a Secret that somebody else made has another note, which is no digest of ours."""
        said = stdout.strip()
        if not said:
            return None
        word, _, noted = said.partition(" ")
        if word != "noted":
            raise ValueError("not the annotation")
        return noted


@dataclass(frozen=True, slots=True)
class Rollout:
    """`complete`: every replica is of the newest template and available; `stuck`: its deadline passed."""

    complete: bool
    stuck: bool
    words: str


@dataclass(frozen=True)
class RolloutFact:
    """How far a Deployment's rollout is, judged as `kubectl rollout status` does.

    Sample: {"kind": "Deployment", "metadata": {"generation": 2, …}, "spec": {"replicas": 1, …},
    "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, …}}
    """

    kubectl: Kubectl
    name: str

    @property
    def command(self) -> str:
        """The Deployment whole."""
        return self.kubectl.line("get", f"deployment/{self.name}", "--output=json")

    @understood
    def parse(self, stdout: str) -> Rollout:
        """A count that is absent is 0: the server leaves it out."""
        seen = json.loads(stdout)
        if not isinstance(seen, dict) or seen.get("kind") != "Deployment":
            raise ValueError("not a Deployment")
        wanted, status = seen["spec"]["replicas"], seen.get("status", {})
        total, updated, available = (
            int(status.get(f"{count}", 0)) for count in ("replicas", "updatedReplicas", "availableReplicas")
        )
        current = int(status.get("observedGeneration", 0)) >= int(seen["metadata"]["generation"])
        progress = [one for one in status.get("conditions", []) if one["type"] == "Progressing"]
        late = any(one.get("reason") == "ProgressDeadlineExceeded" for one in progress)
        complete = current and updated == wanted and total == updated and available == updated
        said = f"{updated} of {wanted} updated, {available} available"
        return Rollout(complete, late and current and not complete, said)
