"""Fake engines in containers: releases of them, and the verbs that the tests of this folder share."""

from __future__ import annotations

import time
from collections.abc import Callable

from tasks.operations.base import Change, Operation, converge
from tasks.readiness import wait_ready
from tasks.releases import Release, Slot
from tasks.runtimes.compose import RUNTIME
from tasks.site import Site
from tests.compose.ground import FAKE, HOST, ComposeGround

KEY = "engine-key-of-the-tests"


def bring(site: Site, operation: Operation) -> Change:
    return converge(site.host(HOST), operation)


def fake(ground: ComposeGround, id_: str, *flags: str) -> tuple[Release, Slot]:
    """A release of the fake engine in the first slot."""
    model = ground.root / "models"
    model.mkdir(exist_ok=True)
    arguments = (str(FAKE), "--port", "{port}", *flags)
    release = Release(id_ * 12, "fake", "none", "0" * 40, str(model), "python3", arguments, {"PYTHONUNBUFFERED": "1"})
    return release, Slot(release.id, ground.ports[0])


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.2)


def ready(site: Site, slot: Slot, seconds: float = 60) -> None:
    wait_ready(site, RUNTIME, slot, budget_s=seconds, say=lambda _: None)


def left(site: Site, operation: Operation) -> list[str]:
    return [step.why for step in operation.plan(site.host(HOST))]
