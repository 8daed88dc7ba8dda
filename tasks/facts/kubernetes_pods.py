"""The pods of a release as the cluster reports them: scheduled or not, waiting and why, running, ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tasks.facts.reading import filled, understood
from tasks.kubernetes.kubectl import Kubectl, selector

State = Literal["waiting", "running", "terminated"]
GIVEN_UP = (  # waiting reasons that time alone doesn't mend; kubelet's and the container runtime's words
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError",
    "CreateContainerError", "RunContainerError",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Container:
    """The engine's container; `exit` is of this start where it ended, else of the one before, None before any end."""

    state: State
    reason: str
    message: str
    ready: bool
    restarts: int
    exit: int | None
    last_reason: str


@dataclass(frozen=True, slots=True)
class Pod:
    """`container` is None until the kubelet has taken the pod; `unscheduled` is the scheduler's words, else empty."""

    name: str
    role: str
    phase: str
    deleting: bool
    ready: bool
    unscheduled: str
    container: Container | None

    @property
    def has_failed(self) -> bool:
        """Whether it ended, or waits for what won't come."""
        seen = self.container
        return self.phase in ("Failed", "Succeeded") or (
            seen is not None and (seen.state == "terminated" or (seen.state == "waiting" and seen.reason in GIVEN_UP))
        )

    @property
    def words(self) -> str:
        """Why it doesn't run, in the cluster's own words; empty where it does."""
        seen = self.container
        if seen is None:
            return f"{self.name}: {self.unscheduled or self.phase}"
        if seen.state == "running":
            return ""
        ended = f" (exit status {seen.exit}{', ' + seen.last_reason if seen.last_reason else ''})"
        told = f"{seen.reason}: {seen.message}" if seen.message else seen.reason
        return f"{self.name}: {told or seen.state}{ended if seen.exit is not None else ''}"


@dataclass(frozen=True)
class PodsFact:
    """The Pods with these labels, by name; none where there are none.

    Sample: {"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "engine-8001-7d…", …},
    "status": {"phase": "Running", "containerStatuses": [{"name": "engine", "state": {"running": {…}}, …}]}}]}
    """

    kubectl: Kubectl
    labels: tuple[tuple[str, str], ...]
    of: str = "engine"

    @property
    def command(self) -> str:
        """All of them at once."""
        return self.kubectl.line("get", "pods", f"--selector={selector(dict(self.labels))}", "--output=json")

    @understood
    def parse(self, stdout: str) -> tuple[Pod, ...]:
        """Strict where it matters: another kind, a missing name or phase, or two states at once is not understood."""
        listed = json.loads(stdout)
        if not isinstance(listed, dict) or listed.get("kind") not in ("List", "PodList"):
            raise ValueError("not a list")
        return tuple(sorted((self._pod(item) for item in listed["items"]), key=lambda pod: pod.name))

    def _pod(self, item: Any) -> Pod:
        if item["kind"] != "Pod":
            raise ValueError("not a pod")
        metadata, status = item["metadata"], item["status"]
        conditions = {one["type"]: one for one in status.get("conditions", [])}
        scheduled = conditions.get("PodScheduled", {})
        told = f"{scheduled.get('reason', '')}: {scheduled.get('message', '')}"
        mine = [one for one in status.get("containerStatuses", []) if one["name"] == self.of]
        return Pod(
            name=filled(metadata["name"]),
            role=metadata.get("labels", {}).get("beachhead/role", ""),
            phase=filled(status["phase"]),
            deleting="deletionTimestamp" in metadata,
            ready=conditions.get("Ready", {}).get("status") == "True",
            unscheduled=told if scheduled.get("status") == "False" else "",
            container=_container(mine[0]) if mine else None,
        )


def _container(status: Any) -> Container:
    state, now = _only(status["state"], "waiting")
    _, before = _only(status.get("lastState", {}), "terminated")
    exit_status = (now if state == "terminated" else before).get("exitCode")
    if state == "terminated" and not isinstance(exit_status, int):
        raise ValueError("ended without an exit status")
    if not isinstance(status["restartCount"], int) or not isinstance(status["ready"], bool):
        raise ValueError("restartCount or ready has another type")
    return Container(
        state=state,
        reason=now.get("reason", ""),
        message=now.get("message", ""),
        ready=status["ready"],
        restarts=status["restartCount"],
        exit=exit_status,
        last_reason=before.get("reason", ""),
    )


def _only(states: dict[str, dict[str, Any]], default: State) -> tuple[State, dict[str, Any]]:
    """The one state that is given; the API leaves all out where it means the default."""
    for state in get_args(State):
        if states.keys() == {state}:
            return state, states[state]
    if states:
        raise ValueError(f"not one known state: {', '.join(states)}")
    return default, {}
