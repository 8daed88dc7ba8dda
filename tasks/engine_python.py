"""The Python that has the engine's own code: the environment's, or with Compose one in a container of its image."""

from __future__ import annotations

from shlex import quote

from inventories.schema import Host, Inventory
from inventories.serving import Container
from tasks.engines.base import engine

LONGEST_S = 900  # a question that is given up on the host must not go on in its container
# Docker hands on what is named to it; what the questions set are settings of the engine and of its libraries.
_HANDED_ON = r"s/^\(\(VLLM\|HF\|OMP\|DO_NOT\|SGLANG\)_[A-Z0-9_]*\)=.*/-e \1/p"


def engine_python(inventory: Inventory, host: Host) -> str:
    """Path on `host` of something that is called as Python is; it needs what `prepare` brings."""
    if inventory.serving.runtime == "compose":
        return f"{host.root}/tools/engine-python"
    return engine(inventory.engine.kind).python(inventory, host)


def wrapper(inventory: Inventory, host: Host, box: Container) -> str:
    """The text of that something with Compose: a short-lived container, without network, weights read-only."""
    declared = host.stack.containers if host.stack else None
    gpus = "" if not host.gpus else "--gpus all" if declared and declared.gpus_by == "runtime" else _CDI
    program = box.program if box.program and "python" in box.program.rpartition("/")[2] else "python3"
    mounts = " ".join(f"-v {quote(f'{path}:{path}:ro')}" for path in sorted({mount.path for mount in box.mounts}))
    models = quote(f"{host.root}/models:{host.root}/models:ro")
    return (
        "#!/bin/sh\n"
        f"# {inventory.engine.kind}'s Python, inside its image.\n"
        "docker=docker; [ -w /var/run/docker.sock ] || docker='sudo -n docker'\n"
        "# shellcheck disable=SC2046,SC2086\n"
        f"exec $docker run --rm -i --network none --shm-size 1g {gpus} -v {models} {mounts} "
        f"$(env | sed -n '{_HANDED_ON}') --entrypoint timeout {quote(box.image)} {LONGEST_S} {quote(program)} \"$@\"\n"
    )


_CDI = "--device nvidia.com/gpu=all"
