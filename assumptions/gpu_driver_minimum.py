"""Claim: the NVIDIA driver is new enough for the guide and for this engine, and is one driver, loaded and on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, numbers, unread
from assumptions._host_cuda import GUIDE_DRIVER, SOURCE, engine_cuda, least_driver
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.gpu_driver import GpuDriver, GpuDriverFact
from tasks.facts.reading import Reading
from tasks.site import Site


def observe(site: Site, stage: Stage) -> dict[str, Reading[GpuDriver]]:
    """The module in the kernel and the library on disk."""
    return each(site, gpu_hosts(site.inventory), lambda host, _: attempt(host, GpuDriverFact()))


def _parts(spec: HostSpec, found: Reading[GpuDriver], least: int) -> Iterator[Part]:
    driver, host = found.value, spec.name
    if driver is None:
        yield unread(f"{host}: driver", found, expected=f">= {least}")
        return
    if driver.module is None:
        said = f"no module is loaded in the kernel; the library says: {driver.library.value or driver.library.why_not}"
        yield check(f"{host}: driver", False, said, expected=f">= {least}", measured="not loaded")
        return
    branch = numbers(driver.module)[0]
    said = f"{driver.module}{' (open module)' if driver.open_module else ''}"
    yield check(f"{host}: driver", branch >= least, said, expected=f">= {least}", measured=driver.module)
    wish = spec.stack.driver if spec.stack else None
    declared = (wish.version or wish.declared_branch) if wish else None
    if declared is not None:
        right = driver.module == declared or branch == declared
        yield check(f"{host}: as declared", right, driver.module, expected=declared, measured=driver.module)
    library = driver.library.value or " ".join(driver.library.why_not.split())[:120]
    said = f"kernel {driver.module}, library {library}"
    yield check(f"{host}: one driver", driver.agree, said, expected=driver.module, measured=library)


def judge(seen: Mapping[str, Reading[GpuDriver]], inventory: Inventory) -> Finding:
    """Branch against the stricter minimum, and kernel against library."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    least, cuda = least_driver(inventory), engine_cuda(inventory)
    versions = {name: numbers(r.value.module) for name, r in seen.items() if r.value and r.value.module}
    asks = f"{inventory.engine.kind} {inventory.engine.version} is built for CUDA {cuda[0]}" if cuda else "the guide"
    notes = [f"Threshold {least}: {asks}; the guide's own number is {GUIDE_DRIVER}."]
    if least > GUIDE_DRIVER:
        notes.append(f"The guide's {GUIDE_DRIVER} is too old for this engine: its wheels need {least} or later.")
    return finding(
        (
            part
            for spec in gpu_hosts(inventory)
            for part in _parts(spec, seen[spec.name], least_driver(inventory, spec))
        ),
        good=f"driver {min(versions.values())[0] if versions else ''} or later on every host, kernel and library agree",
        expected=f"driver >= {least}, kernel module and library of one version",
        source=SOURCE,
        threshold=f">= {least} (the guide: >= {GUIDE_DRIVER})",
        value=float(min(version[0] for version in versions.values())) if versions else None,
        unit="driver branch",
        limit=float(least),
        notes=notes,
    )


ASSUMPTION = Assumption(
    id="gpu-driver-minimum",
    guide="K2 Thinking guide §3.2",
    states="The NVIDIA driver is new enough for the engine, and the loaded module is of the library's version.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="Install a driver of the named branch or later and restart. Kernel and library differ after an update: "
    "restart the host, then hold the packages. A data-centre GPU with an older driver can serve from the engine's "
    "container image with VLLM_ENABLE_CUDA_COMPATIBILITY=1.",
    version=1,
    observe=observe,
    judge=judge,
)
