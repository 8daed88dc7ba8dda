"""The inventories, releases and slots that the Kubernetes tests render; digests and the revision are made up."""

from typing import Any

import yaml

from inventories.load import HERE
from inventories.schema import Inventory
from tasks.engines.base import PORT
from tasks.releases import Release, Slot

IMAGE = f"registry.example/vllm/vllm-openai@sha256:{'a1' * 32}"
NGINX = f"registry.example/nginx@sha256:{'b2' * 32}"
MODEL_DIR = "/opt/beachhead/models/kimi-k2-thinking/" + "c" * 40
ARGUMENTS = (
    "-m", "vllm.entrypoints.openai.api_server", "--model", MODEL_DIR, "--served-model-name", "kimi-k2-thinking",
    "--host", "0.0.0.0", "--port", PORT, "--max-model-len", "262144", "--tensor-parallel-size", "8",
)  # fmt: skip


def inventory(
    *, hosts: int = 1, kubernetes: dict[str, Any] | None = None, container: dict[str, Any] | None = None, **serving: Any
) -> Inventory:
    """The shipped k8s-h200x8 with other values, validated; further hosts are like the first."""
    given = yaml.safe_load((HERE / "k8s-h200x8.yaml").read_text())
    given["model"]["revision"] = "c" * 40
    served = given["serving"]
    served["container"] |= {"image": IMAGE} | (container or {})
    served["gateway"] |= {"image": NGINX} | serving.pop("gateway", {})
    served["kubernetes"] = {"namespace": "beachhead"} | (
        kubernetes if kubernetes is not None else dict(served["kubernetes"])
    )
    served |= serving
    if hosts > 1:
        given["hosts"] = [given["hosts"][0] | {"name": f"node-{n + 1}"} for n in range(hosts)]
        given["engine"]["pipeline_parallel"] = hosts
    return Inventory.model_validate(given)


def release(id_: str = "a4c2be2949e8", arguments: tuple[str, ...] = ARGUMENTS, program: str = "python3") -> Release:
    return Release(
        id=id_,
        engine="vllm 0.33.0 (cuda)",
        repo="moonshotai/Kimi-K2-Thinking",
        revision="c" * 40,
        model_dir=MODEL_DIR,
        program=program,
        arguments=arguments,
        env={"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"},
    )


def slot(port: int = 8001, id_: str = "a4c2be2949e8") -> Slot:
    return Slot(id_, port)


GROUP = {"storage": {"storage_class": "shared", "size": "700Gi"}}
VARIANTS: dict[str, Inventory] = {
    "one-node": inventory(start_budget_s=1800),
    "claim-and-user": inventory(
        kubernetes={"storage": {"storage_class": "fast"}, "memory": "400Gi", "runtime_class": None, "context": "prod"},
        container={"user": "1000:1000", "shm_gib": 0.5},
        start_budget_s=905,
        watch={"enabled": False},
        gateway={"tls": {"mode": "off"}},
    ),
    "many-nodes-vllm": inventory(hosts=2, kubernetes=GROUP, start_budget_s=2400),
    "many-nodes-ray": inventory(hosts=2, kubernetes=GROUP | {"many_nodes": "ray"}, start_budget_s=2400),
    "istio": inventory(kubernetes={"mesh": "istio"}, start_budget_s=1800),
    "linkerd": inventory(kubernetes={"mesh": "linkerd"}, start_budget_s=1800),
}

__all__ = ["ARGUMENTS", "GROUP", "IMAGE", "NGINX", "VARIANTS", "inventory", "release", "slot"]
