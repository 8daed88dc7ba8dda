"""What one scripted GPU answers to each field of `nvidia-smi --query-gpu`, by NVIDIA's own field names.

A fault sets a field: `gpu["fields"]["remapped_rows.pending"] = "Yes"` wins over what is computed here.
The report of `nvidia-smi -q` reads the same fields, so that both tell one story.
"""

from __future__ import annotations

import os

import hardware

ZEROS = (
    "ecc.errors.corrected.volatile.total", "ecc.errors.corrected.aggregate.total",
    "ecc.errors.uncorrected.volatile.total", "ecc.errors.uncorrected.aggregate.total",
    "ecc.errors.corrected.volatile.dram", "ecc.errors.corrected.volatile.sram",
    "ecc.errors.corrected.aggregate.dram", "ecc.errors.corrected.aggregate.sram",
    "ecc.errors.uncorrected.volatile.dram", "ecc.errors.uncorrected.volatile.sram",
    "ecc.errors.uncorrected.aggregate.dram", "ecc.errors.uncorrected.aggregate.sram",
    "remapped_rows.correctable", "remapped_rows.uncorrectable",
)  # fmt: skip
REASONS = (
    "gpu_idle", "applications_clocks_setting", "sw_power_cap", "hw_slowdown", "hw_thermal_slowdown",
    "hw_power_brake_slowdown", "sw_thermal_slowdown", "sync_boost",
)  # fmt: skip
COUNTERS = ("sw_power_cap", "sw_thermal_slowdown", "sync_boost", "hw_thermal_slowdown", "hw_power_brake_slowdown")
UNITS = {"memory": "MiB", "power": "W", "enforced": "W", "clocks": "MHz", "utilization": "%"}
ALIASES = {
    "gpu_name": "name", "gpu_uuid": "uuid", "gpu_serial": "serial", "gpu_bus_id": "pci.bus_id",
    "clocks.sm": "clocks.current.sm", "clocks.gr": "clocks.current.graphics", "clocks.mem": "clocks.current.memory",
    "clocks.max.gr": "clocks.max.graphics", "clocks.max.mem": "clocks.max.memory",
    "pcie.link.gen.gpucurrent": "pcie.link.gen.current", "pcie.link.gen.gpumax": "pcie.link.gen.max",
}  # fmt: skip


class UnknownField(Exception):
    """A field that nvidia-smi does not know, or that nobody scripted."""


def value(gpu: hardware.Gpu, field: str) -> str:
    """The bare value of one field, without its unit."""
    name = ALIASES.get(field, field).replace("clocks_throttle_reasons", "clocks_event_reasons")
    if name in gpu.get("fields", {}):
        return str(gpu["fields"][name])
    for part in (_identity, _memory_and_power, _health, _link_and_modes, _fabric):
        found = part(gpu, name)
        if found is not None:
            return found
    raise UnknownField(field)


def unit(field: str) -> str:
    """The unit that nvidia-smi prints behind a field, or nothing."""
    name = ALIASES.get(field, field)
    if name.startswith("clocks_event_reasons_counters"):
        return "us"
    return "" if name.startswith("clocks_") else UNITS.get(name.split(".")[0], "")


def _identity(gpu: hardware.Gpu, name: str) -> str | None:
    bus = gpu["bus_id"]
    return {
        "index": str(hardware.gpus().index(gpu)),
        "count": str(len(hardware.gpus())),
        "name": gpu["name"],
        "uuid": gpu["uuid"],
        "serial": gpu["serial"],
        "vbios_version": gpu["vbios"],
        "compute_cap": gpu["compute_cap"],
        "driver_version": hardware.loaded_driver() or "",
        "pci.bus_id": bus,
        "pci.domain": "0x0000",
        "pci.bus": f"0x{bus[9:11]}",
        "pci.device": "0x00",
        "pci.device_id": f"0x{gpu['pci_id'].upper()}10DE",
        "inforom.img": gpu.get("inforom", "N/A"),
    }.get(name)


def _memory_and_power(gpu: hardware.Gpu, name: str) -> str | None:
    total, limit = int(gpu["memory_mib"]), f"{gpu['power_w']:.2f}"
    used = sum(int(process["mib"]) for process in gpu.get("processes", []))
    reserved = total - int(gpu["usable_mib"])
    return {
        "memory.total": str(total),
        "memory.used": str(used),
        "memory.reserved": str(reserved),
        "memory.free": str(total - reserved - used),
        "power.draw": f"{gpu['power_w'] / 10:.2f}",
        "power.limit": limit,
        "power.default_limit": limit,
        "power.max_limit": limit,
        "power.min_limit": f"{gpu['power_w'] * 2 / 7:.2f}",
        "enforced.power.limit": limit,
        "temperature.gpu": "34",
        "temperature.memory": "40",
        "utilization.gpu": "0",
        "utilization.memory": "0",
        "clocks.current.sm": "345",
        "clocks.current.graphics": "345",
        "clocks.current.memory": str(gpu["memory_mhz"]),
        "clocks.max.sm": str(gpu["sm_mhz"]),
        "clocks.max.graphics": str(gpu["sm_mhz"]),
        "clocks.max.memory": str(gpu["memory_mhz"]),
    }.get(name)


def _health(gpu: hardware.Gpu, name: str) -> str | None:
    if name in ZEROS:
        return "0"
    if name.startswith("clocks_event_reasons_counters."):
        return "0" if name.split(".")[1] in COUNTERS else None
    if name.startswith("clocks_event_reasons."):
        reason = name.split(".")[1]
        if reason in ("active", "supported"):
            return "0x0000000000000001" if reason == "active" else "0x00000000000001FF"
        return None if reason not in REASONS else "Active" if reason == "gpu_idle" else "Not Active"
    return {
        "ecc.mode.current": "Enabled",
        "ecc.mode.pending": "Enabled",
        "remapped_rows.pending": "No",
        "remapped_rows.failure": "No",
        "retired_pages.pending": "N/A",
        "gpu_recovery_action": "None",
    }.get(name)


def _link_and_modes(gpu: hardware.Gpu, name: str) -> str | None:
    return {
        "pcie.link.gen.current": str(gpu["pcie_gen"]),
        "pcie.link.gen.max": str(gpu["pcie_gen"]),
        "pcie.link.gen.hostmax": str(gpu["pcie_gen"]),
        "pcie.link.width.current": "16",
        "pcie.link.width.max": "16",
        "mig.mode.current": "Disabled" if gpu["mig"] else "[N/A]",
        "mig.mode.pending": "Disabled" if gpu["mig"] else "[N/A]",
        "persistence_mode": "Enabled" if hardware.noted("persistence") else "Disabled",
        "compute_mode": "Default",
        "pstate": "P0",
        "display_active": "Disabled",
    }.get(name)


def _fabric(gpu: hardware.Gpu, name: str) -> str | None:
    if not name.startswith("fabric."):
        return None
    no_uuid = "00000000-0000-0000-0000-000000000000"
    answers = {"fabric.state": "N/A", "fabric.status": "N/A", "fabric.cliqueId": "N/A", "fabric.clusterUuid": "N/A"}
    if gpu["fabric"] and hardware.state().get("nvswitches"):
        answers["fabric.state"] = "In Progress"
        if hardware.noted("fabric-manager") == hardware.loaded_driver() and _alive():
            answers = dict(zip(answers, ("Completed", "Success", "0", no_uuid), strict=True))
    return answers.get(name)


def _alive() -> bool:
    pid = hardware.noted("fabric-manager.pid")
    return pid is not None and os.path.exists(f"/proc/{pid}")
