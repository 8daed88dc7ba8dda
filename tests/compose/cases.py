"""Inventories, releases and plans that the tests of this folder share."""

from __future__ import annotations

from typing import Any

from inventories.schema import Host, Inventory
from tasks.compose.engine import engine_spec
from tasks.compose.gateway import gateway_spec
from tasks.facts.container_spec import ContainerSpec
from tasks.releases import Release, Slot

IMAGE = "registry.example:5000/vllm/vllm-openai@sha256:" + "a" * 64
NGINX = "registry.example:5000/nginx@sha256:" + "b" * 64
ROOT = "/opt/beachhead"
RELEASE = Release(
    id="0123456789ab",
    engine="vllm 0.33.0 (cuda)",
    repo="moonshotai/Kimi-K2-Thinking",
    revision="c" * 40,
    model_dir=f"{ROOT}/models/kimi-k2-thinking/{'c' * 40}",
    program="python3",
    arguments=("-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", "{port}"),
    env={"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"},
)


def inventory(gpus_by: str | None = None, *, gpus: int = 4, image: str = IMAGE, **serving: Any) -> Inventory:
    """Four A100 by `gpus_by`, or a CPU host without it."""
    host: dict[str, Any] = {"name": "a", "ram_gib": 512, "cpu_cores": 64}
    if gpus_by:
        containers = {"gpus_by": gpus_by, "probe_image": IMAGE}
        host |= {"gpu": "a100-80gb", "gpus": gpus, "stack": {"containers": containers}}
    return Inventory.model_validate(
        {
            "name": "cases",
            "title": "cases",
            "hosts": [host],
            "model": {"catalog": "kimi-k2-thinking", "revision": "c" * 40},
            "engine": {"kind": "vllm", "version": "0.33.0", "tensor_parallel": min(gpus, 4) if gpus_by else 1},
            "serving": {
                "context_tokens": 262144,
                "runtime": "compose",
                "container": {"image": image, "mounts": [{"path": "/srv/templates"}]},
                "gateway": {"image": NGINX},
                **serving,
            },
        }
    )


def spec(of: Inventory, release: Release = RELEASE, port: int = 8001, start_s: int = 2400) -> ContainerSpec:
    """The engine's plan in one slot."""
    host: Host = of.hosts[0]
    slot = Slot(release.id, port)
    return engine_spec(of, host, release, slot, start_s=start_s, key_variable="VLLM_API_KEY")


def gateway(image: str = NGINX, user: str = "1000:1000") -> ContainerSpec:
    """A gateway's plan."""
    return gateway_spec(image, f"{ROOT}/gateway", user=user)
