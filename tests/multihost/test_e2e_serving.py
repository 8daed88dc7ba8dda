"""Real vLLM for CPU on two hosts: what stock vLLM refuses, and what it serves."""

import signal
import time
from pathlib import Path

import httpx
import pytest

from tasks.gateway.plan import gateway_folder
from tasks.operations.base import converge
from tasks.operations.gateway_running import GatewayStopped
from tasks.operations.watch import Unwatched
from tasks.readiness import EngineDied, answers
from tests.multihost.ground import PLUGIN, SHIM, Ground, extras
from tests.multihost.serving_parts import Served, served

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1200)]
REFUSAL = (Path(__file__).parents[1] / "recorded" / "ray-2.60.0" / "refusal.txt").read_text().strip()


@pytest.mark.parametrize("launcher", ["ray", "vllm"])
def test_two_stages_on_two_hosts(two_hosts: Ground, launcher: str) -> None:
    with served(two_hosts, launcher) as engine, extras(two_hosts.pair.root, SHIM):
        if launcher == "ray":
            _stock_vllm_for_cpu_refuses_ray(engine)
        _it_serves(engine, launcher, two_hosts.pair.root)
    assert two_hosts.leftovers() == []


def _stock_vllm_for_cpu_refuses_ray(engine: Served) -> None:
    with pytest.raises(EngineDied, match="does not support ray"):
        engine.stage()
    assert REFUSAL in engine.log
    assert engine.group.missing(engine.slot) == ()  # the group itself is well


def _it_serves(engine: Served, launcher: str, root: Path) -> None:
    with extras(root, *([PLUGIN] if launcher == "ray" else [])):
        engine.stage()
        answer = engine.completion()
        assert answer.strip() == "sentence."  # what the made-up weights answer
        before = len(engine.site.changes)
        engine.stage()
        assert [change for change in engine.site.changes[before:] if change.steps] == []
        _a_lost_node_is_noticed(engine, launcher)
        engine.stage()
        assert engine.completion() == answer
        if launcher == "vllm":
            _ranks_that_outlived_their_head_are_not_kept(engine)
            assert engine.completion() == answer
        _it_goes_live(engine, launcher)


def _it_goes_live(engine: Served, launcher: str) -> None:
    """Behind the gateway, and the watchdog may start it anew only where Ray finds the other hosts again."""
    port = engine.site.inventory.serving.live_port
    assert engine.rollout.promote().live == engine.slot
    engine.rollout.settle()
    try:
        answers(engine.site, port)
        commands = f"{engine.site.head.root}/releases/{engine.slot.release}/watch-{engine.slot.port}.json"
        assert (engine.head.run(f"test -s {commands}").exit == 0) == (launcher == "ray")
    finally:
        root = engine.site.head.root
        converge(engine.head, Unwatched(root))
        converge(engine.head, GatewayStopped(gateway_folder(engine.site.head)))


def _kill_the_part_of_node_2(engine: Served, launcher: str) -> None:
    host, root = engine.site.host("node-2"), engine.site.head.root
    part = "ray-*.pid" if launcher == "ray" else f"ranks-{engine.slot.port}-{engine.slot.release}.pid"
    pid = int(host.run(f"cut -d' ' -f1 {root}/run/{part}").stdout)
    host.run(f"kill -{signal.SIGKILL} -- -{pid}").check()
    assert engine.group.missing(engine.slot) == ("node-2",)


def _a_lost_node_is_noticed(engine: Served, launcher: str) -> None:
    """With Ray the engine ends; with vLLM's own launcher /health knows nothing of it, and a request fails."""
    _kill_the_part_of_node_2(engine, launcher)
    began = time.monotonic()
    if launcher == "ray":
        assert engine.ended(120), engine.log[-4000:]
        print(f"\nray: the engine ended {time.monotonic() - began:.0f} s after its second node was killed")
        return
    time.sleep(20)
    assert engine.running and engine.health() == 200
    with pytest.raises(httpx.HTTPError):
        engine.completion(timeout=30)
    print(f"\nvllm: /health said 200 for 20 s; then a request failed within {time.monotonic() - began - 20:.0f} s")


def _ranks_that_outlived_their_head_are_not_kept(engine: Served) -> None:
    pid = int(engine.head.run(f"cut -d' ' -f1 {engine.site.head.root}/run/engine-*.pid").stdout)
    engine.head.run(f"kill -{signal.SIGKILL} -- -{pid}").check()
    assert engine.ended(10)
    engine.stage()
