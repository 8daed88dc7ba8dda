"""Faults of hardware and firmware that a container has none of: they change the scripted machine's state file.

Those marked "from the next boot" show after a reboot, as on real hardware.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from shlex import quote
from typing import Any

from tests.hosts.machine import Machine
from tests.hosts.packages import CODE

STATE = "/var/lib/scripted-nvidia/state.json"
State = dict[str, Any]
XID_TEXT = {
    31: "pid=4242, name=python3, Ch 00000008, intr 00000000. MMU Fault",
    45: "pid=4242, name=python3, Ch 00000008",
    48: "pid='<unknown>', name=<unknown>, DBE (double bit error) ECC Error on a framebuffer",
    63: "pid='<unknown>', name=<unknown>, Row Remapper: New row marked for remapping",
    64: "pid='<unknown>', name=<unknown>, Row Remapper: error recording remapped row",
    74: "pid='<unknown>', name=<unknown>, NVLink: fatal error detected on link 3",
    79: "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
    94: "pid=4242, name=python3, Contained: SM (0x1)",
    95: "pid=4242, name=python3, Uncontained: SM (0x1)",
}


def read(machine: Machine) -> State:
    """The scripted hardware as it is now."""
    return dict(json.loads(machine.run_in_container(f"cat {STATE}")))


def write(machine: Machine, state: State) -> None:
    """Replace the scripted hardware, whole or not at all."""
    machine.run_in_container(f"printf %s {quote(json.dumps(state))} >{STATE}.part && mv {STATE}.part {STATE}")
    machine.run_in_container(f"python3 -S {CODE}/boot.py pci")


@contextmanager
def changed(machine: Machine, **values: Any) -> Iterator[None]:
    """Top-level values of the state, for a while."""
    before = read(machine)
    write(machine, before | values)
    try:
        yield
    finally:
        write(machine, before)


@contextmanager
def gpu_changed(machine: Machine, gpu: int, fields: dict[str, str] | None = None, **values: Any) -> Iterator[None]:
    """Values of one GPU, and fields as nvidia-smi names them, for a while."""
    before = read(machine)
    now: State = json.loads(json.dumps(before))
    now["gpus"][gpu] |= values
    now["gpus"][gpu]["fields"] |= fields or {}
    write(machine, now)
    try:
        yield
    finally:
        write(machine, before)


def log_kernel(machine: Machine, line: str) -> None:
    """One more line in this boot's scripted kernel log; there is no taking it back."""
    code = f"import sys; sys.path.insert(0, '{CODE}'); import hardware; hardware.log_kernel(sys.argv[1])"
    machine.run_in_container(f"python3 -S -c {quote(code)} {quote(line)}")


@contextmanager
def xid(machine: Machine, code: int = 79, gpu: int = 0) -> Iterator[None]:
    """The driver logs an Xid; after 79 the GPU is lost until the context ends."""
    bus = read(machine)["gpus"][gpu]["bus_id"].lower()[4:-2]
    log_kernel(machine, f"NVRM: Xid (PCI:{bus}): {code}, {XID_TEXT[code]}")
    with gpu_changed(machine, gpu, lost=code == 79):
        yield


def ecc(machine: Machine, gpu: int = 0, count: int = 2) -> AbstractContextManager[None]:
    """Uncorrectable ECC errors since boot and in total."""
    names = ("volatile.total", "volatile.dram", "aggregate.total", "aggregate.dram")
    return gpu_changed(machine, gpu, {f"ecc.errors.uncorrected.{name}": str(count) for name in names})


def row_remap(machine: Machine, gpu: int = 0, failure: bool = False) -> AbstractContextManager[None]:
    """A row waits to be remapped at the next reset, or could not be remapped at all."""
    fields = {"remapped_rows.uncorrectable": "1", "remapped_rows.pending": "Yes"}
    if failure:
        fields |= {"remapped_rows.pending": "No", "remapped_rows.failure": "Yes"}
    return gpu_changed(machine, gpu, fields)


def fabric(
    machine: Machine, gpu: int = 0, state: str = "Completed", status: str = "Insufficient Resources"
) -> AbstractContextManager[None]:
    """One GPU's fabric is not healthy though its links are up."""
    return gpu_changed(machine, gpu, {"fabric.state": state, "fabric.status": status})


def gpu_missing(machine: Machine, gpu: int = -1) -> AbstractContextManager[None]:
    """One GPU is not on the bus."""
    return gpu_changed(machine, gpu, missing=True)


def wrong_gpu(
    machine: Machine, gpu: int = 0, name: str = "NVIDIA A100-SXM4-40GB", mib: int = 40960
) -> AbstractContextManager[None]:
    """Another model than the one ordered."""
    return gpu_changed(machine, gpu, name=name, memory_mib=mib, usable_mib=mib - 500)


def throttled(
    machine: Machine, gpu: int = 0, reason: str = "hw_thermal_slowdown", us: int = 250000
) -> AbstractContextManager[None]:
    """The clocks are held down, and the counter of that reason has grown."""
    active = {f"clocks_event_reasons.{reason}": "Active", f"clocks_event_reasons_counters.{reason}": str(us)}
    return gpu_changed(machine, gpu, active)


def narrow_pcie(machine: Machine, gpu: int = 0, width: int = 4) -> AbstractContextManager[None]:
    """The card came up with fewer PCIe lanes than it has."""
    return gpu_changed(machine, gpu, {"pcie.link.width.current": str(width)})


def mig_on(machine: Machine, gpu: int = 0) -> AbstractContextManager[None]:
    """One GPU is split: MIG is enabled."""
    return gpu_changed(machine, gpu, {"mig.mode.current": "Enabled", "mig.mode.pending": "Enabled"})


def power_capped(machine: Machine, gpu: int = 0, watts: int = 300) -> AbstractContextManager[None]:
    """Somebody set a lower power limit than the card's default."""
    return gpu_changed(machine, gpu, {"power.limit": f"{watts}.00", "enforced.power.limit": f"{watts}.00"})


def nvlink_inactive(machine: Machine, gpu: int = 0, link: int = 3) -> AbstractContextManager[None]:
    """One NVLink of one GPU is inactive."""
    return gpu_changed(machine, gpu, links_down=[link])


def vram_held(machine: Machine, gpu: int = 0, mib: int = 70000, pid: int = 1) -> AbstractContextManager[None]:
    """A process holds the GPU's memory."""
    return gpu_changed(machine, gpu, processes=[{"pid": pid, "name": "python3", "mib": mib}])


def secure_boot(machine: Machine) -> AbstractContextManager[None]:
    """The firmware enforces Secure Boot; a DKMS module is refused from the next boot."""
    return changed(machine, secure_boot=True)


def nouveau(machine: Machine) -> AbstractContextManager[None]:
    """nouveau takes the cards from the next boot, unless the initramfs blacklists it."""
    return changed(machine, nouveau=True)


def old_kernel(machine: Machine, kernel: str) -> AbstractContextManager[None]:
    """The boot loader keeps taking `kernel`, whatever was installed since."""
    return changed(machine, boot_kernel=kernel)


def dcgm_failure(machine: Machine, test: str = "memory") -> AbstractContextManager[None]:
    """DCGM's diagnostic fails one test."""
    return changed(machine, dcgm_fails={test: True})


FAULTS: dict[str, Callable[..., AbstractContextManager[None]]] = {
    "xid": xid, "ecc": ecc, "row-remap": row_remap, "fabric": fabric, "gpu-missing": gpu_missing,
    "wrong-gpu": wrong_gpu, "throttled": throttled, "narrow-pcie": narrow_pcie,
    "mig-on": mig_on, "power-capped": power_capped, "nvlink-inactive": nvlink_inactive,
    "vram-held": vram_held, "secure-boot": secure_boot, "nouveau": nouveau, "old-kernel": old_kernel,
    "dcgm-failure": dcgm_failure,
}  # fmt: skip
