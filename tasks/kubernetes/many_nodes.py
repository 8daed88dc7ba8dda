"""How the ranks of one release on several nodes find each other: vLLM's own launch, or Ray.

$(NAME) is filled in by the kubelet from the environment that the LeaderWorkerSet's controller gives each pod.
"""

from __future__ import annotations

from tasks.kubernetes.cluster import Cluster

SERVER = ("-m", "vllm.entrypoints.openai.api_server")
COMMAND = ("-m", "vllm.entrypoints.cli.main", "serve")  # only `vllm serve` knows --headless
LEADER = "$(LWS_LEADER_ADDRESS)"
RAY_PORT = "6379"
RAY_HEAD = f'ray start --head --port={RAY_PORT} --disable-usage-stats && exec "$@"'
RAY_WORKER = f'exec ray start --address="$1:{RAY_PORT}" --disable-usage-stats --block'


def commands(cluster: Cluster, argv: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The command lines of the head and of each worker, from the one that a single node would have."""
    return _ray(argv) if cluster.many_nodes == "ray" else _own(cluster, argv)


def _own(cluster: Cluster, argv: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    program, flags = _serve(argv)
    group = ("--nnodes", str(cluster.nodes), "--node-rank", "$(LWS_WORKER_INDEX)", "--master-addr", LEADER)
    served = (program, *flags, *group)
    return served, (*served, "--headless")


def _serve(argv: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The same flags behind `serve`; a program that isn't started as the server's module is one that takes them."""
    program, words = argv[0], argv[1:]
    return (program, (*COMMAND, *words[len(SERVER) :])) if words[: len(SERVER)] == SERVER else (program, words)


def _ray(argv: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    head = ("sh", "-c", RAY_HEAD, "engine", *argv, "--distributed-executor-backend", "ray")
    return head, ("sh", "-c", RAY_WORKER, "engine", LEADER)
