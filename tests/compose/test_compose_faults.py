"""Releases that fail in a container: a bad flag, garbage, an end in the soak, a hang; and the watchdog's words."""

from __future__ import annotations

import signal
import time

import pytest

from tasks.compose.names import engine_service
from tasks.hosts import Host
from tasks.readiness import EngineDied, NotReady
from tasks.runtimes.compose import RUNTIME
from tasks.site import Site
from tests.compose.engines import bring, fake, left, ready, until
from tests.compose.ground import HOST, ComposeGround
from tests.hosts.docker import docker

pytestmark = pytest.mark.e2e


def test_a_bad_flag_ends_as_the_engines_own_words(ground: ComposeGround, site: Site) -> None:
    release, slot = fake(ground, "b", "--no-such-flag")
    bring(site, RUNTIME.running(site, release, slot))
    with pytest.raises(EngineDied, match="unrecognized arguments: --no-such-flag"):
        ready(site, slot)
    until(lambda: RUNTIME.state(site, slot).restarts >= 2)
    assert RUNTIME.state(site, slot).exit in (2, None)
    bring(site, RUNTIME.stopped(site, slot))
    assert "--no-such-flag" in RUNTIME.log(site, slot)


def test_garbage_is_not_ready(ground: ComposeGround, site: Site) -> None:
    release, slot = fake(ground, "c", "--says", "the " * 12)
    bring(site, RUNTIME.running(site, release, slot))
    with pytest.raises(NotReady, match="the completion is none"):
        ready(site, slot)


def test_an_engine_that_ends_in_its_soak_is_counted_and_started_again(ground: ComposeGround, site: Site) -> None:
    release, slot = fake(ground, "d", "--ends-after-s", "4")
    bring(site, RUNTIME.running(site, release, slot))
    ready(site, slot)
    assert RUNTIME.state(site, slot).restarts == 0
    until(lambda: RUNTIME.state(site, slot).restarts >= 1)  # status 0, as vLLM's when its worker is killed
    assert "fake engine ends" in docker("logs", ground.project.container(engine_service(slot)))


def test_docker_finds_a_hang_that_health_does_not_show(ground: ComposeGround, site: Site) -> None:
    quick = ground.site(watch={"every_s": 1, "deadline_s": 2, "failures": 1}, start_budget_s=10)
    release, slot = fake(ground, "e", "--hangs-after-s", "6")
    health = ["inspect", "--format", "{{.State.Health.Status}}", ground.project.container(engine_service(slot))]
    bring(quick, RUNTIME.running(quick, release, slot))
    until(lambda: docker(*health) == "healthy")
    until(lambda: docker(*health) == "unhealthy")
    with quick.client(slot.port, timeout=5) as client:
        assert client.call("GET", "/health", key=False, timeout=5).status == 200
    bring(quick, RUNTIME.stopped(quick, slot))


def test_the_watchdogs_words(ground: ComposeGround, site: Site) -> None:
    host: Host = site.host(HOST)
    release, slot = fake(ground, "a")
    bring(site, RUNTIME.running(site, release, slot))
    ready(site, slot)
    words = RUNTIME.words(site, release, slot)
    assert host.run(words.alive).exit == 0
    name = ground.project.container(engine_service(slot))
    docker("kill", "--signal", str(signal.SIGSTOP.value), name)
    host.run(words.kill).check()
    until(lambda: host.run(words.alive).exit != 0)
    time.sleep(3)  # a container that was killed on purpose is not started by its restart policy
    assert RUNTIME.state(site, slot).exit == 137
    host.run(words.start, timeout=60).check()
    assert host.run(words.alive).exit == 0
    ready(site, slot)
    assert left(site, RUNTIME.running(site, release, slot)) == []
    bring(site, RUNTIME.stopped(site, slot))
    assert host.run(words.alive).exit != 0
