"""Which NVIDIA driver a host needs, by rule, with the reason; nothing here touches a host.

The driver must know the CUDA that the engine was built for.  Within CUDA 13 that is branch 580 or newer, within CUDA
12 branch 525 (CUDA release notes, "CUDA Toolkit and Minimum Required Driver Version").  An older branch serves a newer
CUDA only by the forward-compatibility libraries, on data-centre GPUs (docs.nvidia.com/deploy/cuda-compatibility).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inventories.errors import BadInput
from inventories.stack import Driver

DEFAULT_BRANCH = 580
OLDEST_BRANCH = {13: 580, 12: 525}  # vendor's word
# the default wheels of vLLM are built for CUDA 13 since 0.20.0 (vllm-project/router#154, vllm-project/vllm#44335)
CUDA_OF_ENGINE = {"vllm": (((0, 20), 13), ((0, 0), 12))}
FORWARD_FROM = (535, 570)  # vLLM's installation page names these with VLLM_ENABLE_CUDA_COMPATIBILITY=1
NOT_DATA_CENTRE = ("GeForce", "RTX", "TITAN", "Quadro")
TURING, BLACKWELL = 7.5, 10.0  # compute capability; open modules from the one, only they from the other
BLACKWELL_SOURCE = "NVIDIA's announcement of July 2024: open modules are the only ones for Grace Hopper and Blackwell"


@dataclass(frozen=True, slots=True)
class DriverChoice:
    """The driver that a host is to have.  With `or_newer` a newer branch that is there already stays.

    `forward_cuda` is the CUDA whose forward-compatibility libraries the engine needs on this older driver, or None.
    """

    branch: int
    version: str | None
    open_module: bool
    server: bool
    or_newer: bool
    forward_cuda: str | None
    reason: str

    @property
    def series(self) -> str:
        """What Ubuntu's package names say: 580-server."""
        return f"{self.branch}-server" if self.server else str(self.branch)


def cuda_of(engine: str, version: str) -> int | None:
    """The major version of the CUDA that this engine's own wheels are built for; None where we don't know."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if engine not in CUDA_OF_ENGINE or numbers is None:
        return None
    here = (int(numbers[1]), int(numbers[2]))
    return next(cuda for since, cuda in CUDA_OF_ENGINE[engine] if here >= since)


def choose(driver: Driver, *, engine: str, version: str, gpu: str, compute_capability: float) -> DriverChoice:
    """The choice for a GPU so called (its title in the catalog); raises BadInput for one that can't work."""
    open_module, why_module = _module(driver, gpu, compute_capability)
    branch, forward, why = _branch(driver, f"{engine} {version}", cuda_of(engine, version), gpu)
    return DriverChoice(
        branch=branch,
        version=driver.version,
        open_module=open_module,
        server=driver.server,
        or_newer=driver.declared_branch is None,
        forward_cuda=forward,
        reason=f"{why}; {why_module}",
    )


def _branch(driver: Driver, engine: str, cuda: int | None, gpu: str) -> tuple[int, str | None, str]:
    declared = driver.declared_branch
    if declared is None:
        known = f"{engine} is built for CUDA {cuda}" if cuda else f"which CUDA {engine} is built for is not known"
        return DEFAULT_BRANCH, None, f"{known}, and branch {DEFAULT_BRANCH} runs CUDA 13 and every older one"
    if cuda is None:
        return declared, None, f"branch {declared} is declared; which CUDA {engine} is built for is not known"
    oldest = OLDEST_BRANCH[cuda]
    if declared >= oldest:
        return declared, None, f"branch {declared} is declared, and CUDA {cuda} of {engine} needs {oldest} or newer"
    if declared in FORWARD_FROM and not any(word in gpu for word in NOT_DATA_CENTRE):
        why = (
            f"branch {declared} is declared, older than the {oldest} that CUDA {cuda} of {engine} needs: it works only "
            f"with the forward-compatibility libraries of CUDA {cuda}, which {gpu} may use as a data-centre GPU"
        )
        return declared, f"{cuda}.0", why
    only = f"{' and '.join(map(str, FORWARD_FROM))} on data-centre GPUs alone"
    raise BadInput(
        f"driver branch {declared} can't run {engine} (CUDA {cuda}, branch {oldest} or newer) on {gpu}: "
        f"forward compatibility is for {only}",
        where="stack.driver.branch",
        fix=f"leave branch out, or write {DEFAULT_BRANCH}; or take an engine built for an older CUDA",
    )


def _module(driver: Driver, gpu: str, capability: float) -> tuple[bool, str]:
    if capability < TURING:
        if driver.kernel_module == "open":
            raise BadInput(
                f"{gpu} is older than Turing, and the open kernel modules don't know it",
                where="stack.driver.kernel_module",
                fix="write proprietary, or leave it out",
            )
        return False, f"{gpu} is older than Turing, so the proprietary kernel module"
    if driver.kernel_module == "proprietary":
        if capability >= BLACKWELL:
            raise BadInput(
                f"{gpu} is of the Blackwell generation, which has open kernel modules alone ({BLACKWELL_SOURCE})",
                where="stack.driver.kernel_module",
                fix="write open, or leave it out",
            )
        return False, "the proprietary kernel module is declared"
    return True, "the open kernel modules, which NVIDIA names for Turing and newer"
