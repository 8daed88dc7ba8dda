"""What the scripted machine is made of: its state file, and what the running kernel has loaded.

`state.json` is the hardware: it outlives a reboot.  `/run/scripted-nvidia` is what this boot did with it.
Runs on the test host with Python's standard library alone.
"""

from __future__ import annotations

import glob
import json
import os
import re
from typing import Any

STATE = "/var/lib/scripted-nvidia/state.json"
RUN = "/run/scripted-nvidia"
Gpu = dict[str, Any]


def state() -> dict[str, Any]:
    """The hardware as the fleet declared it, with the faults it was given."""
    try:
        with open(STATE) as file:
            return dict(json.load(file))
    except FileNotFoundError:
        return {"gpus": []}


def gpus() -> list[Gpu]:
    """The GPUs on the bus, in index order."""
    return [gpu for gpu in state()["gpus"] if not gpu.get("missing")]


def kernel() -> str:
    """Name of the kernel that this boot runs."""
    return noted("kernel") or os.uname().release


def noted(name: str) -> str | None:
    """A note of this boot, or None."""
    try:
        with open(f"{RUN}/{name}") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None


def note(name: str, text: str) -> None:
    """Leave a note for the rest of this boot."""
    os.makedirs(RUN, mode=0o755, exist_ok=True)
    with open(f"{RUN}/{name}.part", "w") as file:
        file.write(text + "\n")
    os.replace(f"{RUN}/{name}.part", f"{RUN}/{name}")


def forget(name: str) -> None:
    """Drop a note."""
    if os.path.exists(f"{RUN}/{name}"):
        os.unlink(f"{RUN}/{name}")


def loaded_driver() -> str | None:
    """Version of the driver in the kernel, or None."""
    return noted("driver")


def library_version() -> str | None:
    """Version of the installed NVML library, by its file name."""
    found = glob.glob("/usr/lib/*-linux-gnu/libnvidia-ml.so.[0-9]*.[0-9]*")
    return found[0].split(".so.")[1] if found else None


def module_file(of_kernel: str) -> str | None:
    """The nvidia module for a kernel, DKMS's own before the distribution's signed one."""
    tree = f"/lib/modules/{of_kernel}"
    found = glob.glob(f"{tree}/updates/dkms/nvidia.ko") + glob.glob(f"{tree}/kernel/nvidia-*/nvidia.ko")
    return found[0] if found else None


def module_version(path: str) -> str:
    """The version field that modinfo reads out of a module."""
    with open(path, "rb") as file:
        found = re.search(rb"\0?version=([0-9.]+)\0", file.read())
    return found.group(1).decode() if found else "unknown"


def log_kernel(line: str) -> None:
    """Add a line to the scripted kernel log of this boot, with the seconds since the boot."""
    born = float(noted("booted-at") or 0)
    with open("/proc/uptime") as file:
        now = float(file.read().split()[0])
    os.makedirs(RUN, mode=0o755, exist_ok=True)
    with open(f"{RUN}/kernel.log", "a") as file:
        file.write(f"[{now - born:12.6f}] {line}\n")
