"""The launch lines, whole: what each node runs, with which environment, and what is not in either."""

import re
from dataclasses import replace

import pytest

from inventories.errors import BadInput
from tasks.multihost import launch
from tasks.multihost.parts import parts, pid_files
from tasks.multihost.plan import layout
from tasks.operations.ray_node import RayNode
from tasks.operations.service import Service
from tasks.releases import Release, Slot
from tests.multihost.test_plan import declared

RAY = layout(declared())
OWN = replace(RAY, launcher="vllm")
SLOT = Slot("r1", 8001)
NAMES = {"a100x16-1": "eth1", "a100x16-2": "bond0"}
PYTHON = "/e/bin/python"
RELEASE = Release(
    "r1", "vllm", "m/m", "c" * 40, "/w", "/e/bin/python",
    ("-m", "vllm.entrypoints.openai.api_server", "--model", "/w", "--host", "127.0.0.1", "--port", "{port}",
     "--tensor-parallel-size", "8", "--pipeline-parallel-size", "2"),
    {"HF_HUB_OFFLINE": "1"},
)  # fmt: skip


def test_rays_head_line() -> None:
    ours = launch.head_release(RELEASE, RAY, "eth1")
    assert ours.argv(8001)[-4:] == ("--pipeline-parallel-size", "2", "--distributed-executor-backend", "ray")
    assert ours.argv(8001)[: len(RELEASE.arguments) + 1] == RELEASE.argv(8001)
    assert ours.env == {
        "HF_HUB_OFFLINE": "1",
        "VLLM_HOST_IP": "10.0.0.1",
        "GLOO_SOCKET_IFNAME": "eth1",
        "NCCL_SOCKET_IFNAME": "=eth1",
        "RAY_ADDRESS": "10.0.0.1:6379",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": "/opt/beachhead/secrets/ray_token",
        "RAY_USAGE_STATS_ENABLED": "0",
        "VLLM_CONFIG_ROOT": "/opt/beachhead/multihost",
    }


def test_the_id_does_not_change_with_addresses() -> None:
    assert launch.head_release(RELEASE, RAY, "eth1").id == RELEASE.id
    assert RELEASE.env == {"HF_HUB_OFFLINE": "1"}


def test_vllms_own_lines() -> None:
    head = launch.head_release(RELEASE, OWN, "eth1")
    ranks = ("--distributed-executor-backend", "mp", "--nnodes", "2", "--node-rank", "{}",
             "--master-addr", "10.0.0.1", "--master-port", "29501")  # fmt: skip
    assert head.arguments == (*RELEASE.arguments, *(word.format(0) for word in ranks))
    assert not any(name.startswith("RAY") for name in head.env)
    worker = launch.worker_release(RELEASE, OWN, OWN.nodes[1], "bond0")
    assert worker.arguments == (
        "-m", "vllm.entrypoints.cli.main", "serve", "/w", "--host", "127.0.0.1", "--port", "{port}",
        "--tensor-parallel-size", "8", "--pipeline-parallel-size", "2", "--headless",
        *(word.format(1) for word in ranks),
    )  # fmt: skip
    assert (worker.env["VLLM_HOST_IP"], worker.env["GLOO_SOCKET_IFNAME"]) == ("10.0.0.2", "bond0")


def test_another_engines_release_is_refused() -> None:
    with pytest.raises(BadInput, match="not written for vLLM's own launcher"):
        launch.worker_release(replace(RELEASE, arguments=("serve", "/w", "x")), OWN, OWN.nodes[1], "eth0")


def test_rays_parts_are_one_on_each_node() -> None:
    made = list(parts(RAY, RELEASE, SLOT, NAMES, PYTHON))
    assert [node.name for node, _ in made] == ["a100x16-1", "a100x16-2"]
    files = [file for _, file in pid_files(RAY, SLOT, PYTHON)]
    assert len(files) == 2 and files[0] == files[1]
    assert re.fullmatch(r"/opt/beachhead/run/ray-[0-9a-f]{8}\.pid", files[0])
    assert files != [file for _, file in pid_files(RAY, SLOT, "/newer/bin/python")]
    assert files == [file for _, file in pid_files(RAY, Slot("r2", 8002), PYTHON)]  # one group for every release
    head, worker = (operation for _, operation in made)
    assert isinstance(head, RayNode) and isinstance(worker, RayNode)
    line = " ".join(head.argv)
    assert line.startswith("/e/bin/python -m ray.scripts.scripts start --block --head --port 6379 ")
    assert "--include-dashboard false --ray-client-server-port 6386 --node-ip-address 10.0.0.1" in line
    assert "--num-gpus 8 --num-cpus 8" in line and "--temp-dir /opt/beachhead/ray/t" in line
    assert "--address 10.0.0.1:6379 --node-ip-address 10.0.0.2" in " ".join(worker.argv)
    assert "--head" not in worker.argv and "--port" not in worker.argv
    assert worker.env["NCCL_SOCKET_IFNAME"] == "=bond0" and worker.env["VLLM_HOST_IP"] == "10.0.0.2"


def test_vllms_parts_are_on_the_workers_alone() -> None:
    ((node, part),) = parts(OWN, RELEASE, SLOT, NAMES, PYTHON)
    assert node.name == "a100x16-2" and isinstance(part, Service)
    assert part.title == "ranks 8-15 of r1" and "--headless" in part.argv
    assert part.env_file == ""  # no key: it serves nobody


def test_the_engines_key_stays_at_home() -> None:
    """vLLM gives Ray's workers the head's whole environment, in the clear, but for these."""
    assert "VLLM_API_KEY" in launch.KEPT_HOME and "HF_TOKEN" in launch.KEPT_HOME
