"""The command lines and environments of a release that spans hosts.  Pure.

A release says nothing of addresses, so that its id doesn't change with them; they are added where it is started.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inventories.errors import BadInput
from tasks.multihost.plan import Layout, Node
from tasks.operations.ray_node import GCS_PORT
from tasks.releases import Release

MASTER_PORT = 29501  # vLLM's own default (config/parallel.py of 0.32)
SERVER = ("-m", "vllm.entrypoints.openai.api_server", "--model")
# vLLM copies the head's whole environment to Ray's workers, unencrypted, but for what this file lists.
KEPT_HOME = ("VLLM_API_KEY", "HF_TOKEN", "RAY_AUTH_TOKEN")
KEPT_HOME_FILE = "ray_non_carry_over_env_vars.json"


def token_file(root: str) -> str:
    """Where a node's copy of the cluster's token lies, readable by its owner alone."""
    return f"{root}/secrets/ray_token"


def config_folder(root: str) -> str:
    """vLLM's configuration folder on the head."""
    return f"{root}/multihost"


def ray_env(root: str) -> dict[str, str]:
    """What every process that speaks to Ray needs; the token itself is in a file."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": token_file(root),
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def network_env(node: Node, interface: str) -> dict[str, str]:
    """By which address and interface a node's ranks talk; Gloo otherwise takes what the host's name resolves to."""
    return {
        "VLLM_HOST_IP": node.address,
        "GLOO_SOCKET_IFNAME": interface,
        "NCCL_SOCKET_IFNAME": f"={interface}",  # "=": this one, not every interface that begins so
    }


def head_release(release: Release, layout: Layout, interface: str) -> Release:
    """The release as the head runs it."""
    root = layout.head.root
    env = {**release.env, **network_env(layout.head, interface)}
    if layout.launcher == "ray":
        env |= {**ray_env(root), "RAY_ADDRESS": f"{layout.head.address}:{GCS_PORT}"}
        env |= {"VLLM_CONFIG_ROOT": config_folder(root)}
        more: tuple[str, ...] = ("--distributed-executor-backend", "ray")
    else:
        more = _ranks(layout, layout.head)
    return replace(release, arguments=(*release.arguments, *more), env=env)


def worker_release(release: Release, layout: Layout, node: Node, interface: str) -> Release:
    """vLLM's own launcher: the release as a worker node runs its ranks, without a server."""
    if release.arguments[:3] != SERVER:
        raise BadInput(
            "this release was not written for vLLM's own launcher",
            where=f"release {release.id}: {' '.join(release.arguments[:3])}",
            fix="deploy it again from its inventory",
        )
    serve = ("-m", "vllm.entrypoints.cli.main", "serve", *release.arguments[3:], "--headless")
    env: Mapping[str, str] = {**release.env, **network_env(node, interface)}
    return replace(release, arguments=(*serve, *_ranks(layout, node)), env=dict(env))


def _ranks(layout: Layout, node: Node) -> tuple[str, ...]:
    return (
        *("--distributed-executor-backend", "mp", "--nnodes", str(len(layout.nodes))),
        *("--node-rank", str(node.index), "--master-addr", layout.head.address, "--master-port", str(MASTER_PORT)),
    )
