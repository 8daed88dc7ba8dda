"""The long answers of nvidia-smi: the table, `-q`, the topology and the links."""

from __future__ import annotations

import datetime

import hardware
from nvidia_fields import value

Gpus = list[hardware.Gpu]
# (indentation, label, field of --query-gpu or fixed text after "=", unit)
_Q = """\
1|Product Name|name
1|Product Brand|=NVIDIA
1|Persistence Mode|persistence_mode
1|MIG Mode
2|Current|mig.mode.current
2|Pending|mig.mode.pending
1|Serial Number|serial
1|GPU UUID|uuid
1|Minor Number|index
1|VBIOS Version|vbios_version
1|GPU Recovery Action|gpu_recovery_action
1|PCI
2|Device Id|pci.device_id
2|Bus Id|pci.bus_id
2|GPU Link Info
3|PCIe Generation
4|Max|pcie.link.gen.max
4|Current|pcie.link.gen.current
4|Host Max|pcie.link.gen.hostmax
3|Link Width
4|Max|pcie.link.width.max|x
4|Current|pcie.link.width.current|x
1|Performance State|pstate
1|Clocks Event Reasons
2|Idle|clocks_event_reasons.gpu_idle
2|SW Power Cap|clocks_event_reasons.sw_power_cap
2|HW Slowdown|clocks_event_reasons.hw_slowdown
3|HW Thermal Slowdown|clocks_event_reasons.hw_thermal_slowdown
3|HW Power Brake Slowdown|clocks_event_reasons.hw_power_brake_slowdown
2|SW Thermal Slowdown|clocks_event_reasons.sw_thermal_slowdown
1|FB Memory Usage
2|Total|memory.total| MiB
2|Reserved|memory.reserved| MiB
2|Used|memory.used| MiB
2|Free|memory.free| MiB
1|ECC Mode
2|Current|ecc.mode.current
2|Pending|ecc.mode.pending
1|ECC Errors
2|Volatile
3|SRAM Correctable|ecc.errors.corrected.volatile.sram
3|DRAM Correctable|ecc.errors.corrected.volatile.dram
3|DRAM Uncorrectable|ecc.errors.uncorrected.volatile.dram
2|Aggregate
3|SRAM Correctable|ecc.errors.corrected.aggregate.sram
3|DRAM Correctable|ecc.errors.corrected.aggregate.dram
3|DRAM Uncorrectable|ecc.errors.uncorrected.aggregate.dram
1|Remapped Rows
2|Correctable Error|remapped_rows.correctable
2|Uncorrectable Error|remapped_rows.uncorrectable
2|Pending|remapped_rows.pending
2|Remapping Failure Occurred|remapped_rows.failure
1|Temperature
2|GPU Current Temp|temperature.gpu| C
2|Memory Current Temp|temperature.memory| C
1|GPU Power Readings
2|Power Draw|power.draw| W
2|Current Power Limit|power.limit| W
2|Default Power Limit|power.default_limit| W
2|Max Power Limit|power.max_limit| W
1|Max Clocks
2|SM|clocks.max.sm| MHz
2|Memory|clocks.max.memory| MHz
1|Fabric
2|State|fabric.state
2|Status|fabric.status
2|CliqueId|fabric.cliqueId
2|ClusterUUID|fabric.clusterUuid
1|Processes|=None
"""


def full(gpus: Gpus, driver: str, cuda: str) -> str:
    """`nvidia-smi -q`: the lines that the product reads, in the tool's layout; a shorter list than the real one."""
    now = datetime.datetime.now().strftime("%a %b %d %H:%M:%S %Y")
    out = ["", "==============NVSMI LOG==============", ""]
    out += [_line(0, "Timestamp", now), _line(0, "Driver Version", driver), _line(0, "CUDA Version", cuda), ""]
    out.append(_line(0, "Attached GPUs", str(len(gpus))))
    for gpu in gpus:
        out.append(f"GPU {gpu['bus_id']}")
        out += [_report_line(gpu, line) for line in _Q.splitlines()]
        out.append("")
    return "\n".join(out) + "\n"


def _report_line(gpu: hardware.Gpu, line: str) -> str:
    depth, label, *rest = line.split("|")
    if not rest:
        return f"{'    ' * int(depth)}{label}"
    shown = rest[0][1:] if rest[0].startswith("=") else value(gpu, rest[0]).strip("[]")
    return _line(int(depth), label, shown + (rest[1] if len(rest) > 1 else ""))


def _line(depth: int, label: str, shown: str) -> str:
    indented = "    " * depth + label
    return f"{indented:<42}: {shown}"


def table(gpus: Gpus, driver: str, cuda: str) -> str:
    """The table that nvidia-smi prints by itself."""
    rule = "+" + "-" * 89 + "+"
    out = [datetime.datetime.now().strftime("%a %b %d %H:%M:%S %Y"), rule]
    head = f" NVIDIA-SMI {driver:<22} Driver Version: {driver:<14} CUDA Version: {cuda:<8}"
    out += [f"|{head:<89}|", rule]
    for gpu in gpus:
        line = f" {value(gpu, 'index'):>3}  {gpu['name']:<32} {gpu['bus_id']}"
        used = f" {value(gpu, 'memory.used')}MiB / {value(gpu, 'memory.total')}MiB"
        out.append(f"|{line + used:<89}|")
    out += [rule, f"|{'  No running processes found':<89}|", rule]
    return "\n".join(out) + "\n"


def topology(gpus: Gpus, driver: str, cuda: str) -> str:
    """Which path leads from GPU to GPU: NVLink where the card has it, the CPU's bus otherwise."""
    names = [f"GPU{value(gpu, 'index')}" for gpu in gpus]
    rows = ["\t" + "\t".join(names) + "\tCPU Affinity\tNUMA Affinity"]
    for mine, name in zip(gpus, names, strict=True):
        path = f"NV{mine['nvlinks']}" if mine["nvlinks"] else "SYS"
        cells = [" X " if other is mine else path for other in gpus]
        rows.append(name + "\t" + "\t".join(cells) + "\t0-63\t0")
    return "\n".join(rows) + "\n"


def links(gpus: Gpus, driver: str, cuda: str) -> str:
    """`nvidia-smi nvlink --status`: each link's speed, or that it is inactive."""
    out = []
    for gpu in gpus:
        out.append(f"GPU {value(gpu, 'index')}: {gpu['name']} (UUID: {gpu['uuid']})")
        down = gpu.get("links_down", [])
        for link in range(gpu["nvlinks"]):
            out.append(f"\t Link {link}: " + ("<inactive>" if link in down else f"{gpu['link_gb_s']} GB/s"))
    return "\n".join(out) + "\n"
