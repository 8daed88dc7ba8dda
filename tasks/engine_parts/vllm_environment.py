"""The variables that vLLM's server begins with; its flags are in vllm_flags.  No secret is among them."""

from __future__ import annotations

from inventories.schema import Host, Inventory
from tasks.engine_parts.placement import in_container
from tasks.engine_parts.vllm_options import Options
from tasks.host_operations import driver_choice

QUIET = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


def for_cpu(inventory: Inventory, host: Host, chosen: Options) -> dict[str, str]:
    """One process, as many threads as the host's declared cores."""
    env = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(max(1, host.cpu_cores))}
    env |= {"VLLM_CPU_KVCACHE_SPACE": str(chosen.kv_cache_gib or 4), "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    if inventory.engine.pipeline_parallel == 1:  # else a request for logprobs compiles, and ends the engine
        env |= {"TORCHDYNAMO_DISABLE": "1"}  # where there is no C++ compiler (tried with 0.32)
    return env


def compilers(environment: str, host: Host) -> dict[str, str]:
    """What makes FlashInfer find the environment's own ninja, and nvcc where `stack:` brings CUDA's toolkit.

    It calls ninja by PATH, which has no environment that nobody "activated" (vllm-project/vllm#49029), and nvcc by
    CUDA_HOME.  Without nvcc vLLM 0.33 warns and does without FlashInfer (vllm/utils/flashinfer.py).  The nvcc of the
    lock's wheels is left out on purpose: it is 13.5 beside headers of 13.0, and CCCL refuses that (tried).
    """
    found = {"PATH": f"{environment}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    if host.stack and host.stack.cuda_toolkit:
        found["CUDA_HOME"] = f"/usr/local/cuda-{host.stack.cuda_toolkit}"
    return found


def older_driver(inventory: Inventory, host: Host) -> dict[str, str]:
    """What makes CUDA 13 run on a 535 or 570 driver that the host declares: the forward-compatibility libraries.

    In an image vLLM puts its own copy first by itself; a process needs it in the loader's path before it begins.
    """
    choice = driver_choice(inventory, host, host.stack) if host.stack else None
    if choice is None or choice.forward_cuda is None:
        return {}
    folder = f"/usr/local/cuda-{choice.forward_cuda}/compat"  # where NVIDIA's cuda-compat package puts them
    path = {} if in_container(inventory) else {"LD_LIBRARY_PATH": folder}
    return {"VLLM_ENABLE_CUDA_COMPATIBILITY": "1", **path}
