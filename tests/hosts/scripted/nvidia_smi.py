"""nvidia-smi of the scripted machine: what it prints follows the state of hardware, kernel and installed library.

The wording of a missing driver, of a library that differs and of a lost GPU was copied from public logs; the layout of
`-q` follows a log of an H100 SXM under driver 560.35.03.  What is not scripted is refused with exit status 64.
"""

from __future__ import annotations

import sys

import hardware
import nvidia_fields
import nvidia_report

NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n"
)
CUDA_OF_BRANCH = {"535": "12.2", "570": "12.8", "580": "13.0"}


def main(args: list[str]) -> int:
    """Answer one call; exit statuses are NVML's: 6 no device, 9 no driver, 18 library mismatch."""
    loaded, library = hardware.loaded_driver(), hardware.library_version()
    if args == ["--version"]:
        return _version(loaded, library)
    if loaded is None:
        print(NO_DRIVER)
        return 9
    if library != loaded:
        print("Failed to initialize NVML: Driver/library version mismatch")
        print(f"NVML library version: {'.'.join((library or 'unknown').split('.')[:2])}")
        return 18
    gpus = hardware.gpus()
    if not gpus:
        print("No devices were found")
        return 6
    lost = [gpu for gpu in gpus if gpu.get("lost")]
    for gpu in lost:
        index = gpus.index(gpu)
        print(f"Unable to determine the device handle for GPU{index}: {gpu['bus_id'][4:]}: Unknown Error")
    chosen = _chosen([gpu for gpu in gpus if gpu not in lost], args)
    return _answer(chosen, args, loaded) or (255 if lost else 0)


def _answer(gpus: list[hardware.Gpu], args: list[str], loaded: str) -> int:
    args = sorted(_without_choice(args), key=lambda arg: not arg.startswith("--query-"))  # options come in any order
    first = args[0] if args else ""
    if first.startswith(("--query-gpu=", "--query-remapped-rows=")):
        return _query(gpus, first.partition("=")[2].split(","), args[1:])
    if first.startswith("--query-compute-apps="):
        return _processes(gpus, first.partition("=")[2].split(","), args[1:])
    if first in ("-L", "--list-gpus"):
        for gpu in gpus:
            print(f"GPU {nvidia_fields.value(gpu, 'index')}: {gpu['name']} (UUID: {gpu['uuid']})")
        return 0
    if first in ("-pm", "--persistence-mode"):
        return _persistence(gpus, args[1:])
    cuda = CUDA_OF_BRANCH.get(loaded.split(".")[0], "13.0")
    scripted = {(): nvidia_report.table, ("-q",): nvidia_report.full, ("topo", "-m"): nvidia_report.topology}
    scripted |= {("nvlink", "-s"): nvidia_report.links, ("nvlink", "--status"): nvidia_report.links}
    report = scripted.get(tuple(args))
    if report is None:
        print(f"nvidia-smi: not scripted on this test host: {' '.join(args)}", file=sys.stderr)
        return 64
    print(report(gpus, loaded, cuda), end="")
    return 0


def _query(gpus: list[hardware.Gpu], fields: list[str], rest: list[str]) -> int:
    fields = [field.strip() for field in fields]
    style = _style(rest)
    if style is None:
        print('Option "--format" is missing or not supported.')
        return 2
    header, units = style
    try:
        rows = [[_cell(gpu, field, units) for field in fields] for gpu in gpus]
    except nvidia_fields.UnknownField as unknown:
        print(f'Field "{unknown}" is not a valid field to query.\n')
        return 2
    if header:
        print(", ".join(f"{f} [{nvidia_fields.unit(f)}]" if nvidia_fields.unit(f) and units else f for f in fields))
    for row in rows:
        print(", ".join(row))
    return 0


def _cell(gpu: hardware.Gpu, field: str, units: bool) -> str:
    value, unit = nvidia_fields.value(gpu, field), nvidia_fields.unit(field)
    return f"{value} {unit}" if units and unit and value[:1].isdigit() else value


def _processes(gpus: list[hardware.Gpu], fields: list[str], rest: list[str]) -> int:
    style = _style(rest)
    known = {"pid": "pid", "process_name": "name", "name": "name", "used_memory": "mib", "used_gpu_memory": "mib"}
    if style is None or any(f.strip() not in {*known, "gpu_uuid", "gpu_bus_id"} for f in fields):
        return 2
    if style[0]:
        print(", ".join(f.strip() + (" [MiB]" if "memory" in f and style[1] else "") for f in fields))
    for gpu in gpus:
        for process in gpu.get("processes", []):
            own = {"gpu_uuid": gpu["uuid"], "gpu_bus_id": gpu["bus_id"]}
            cells = [own.get(f.strip()) or str(process[known[f.strip()]]) for f in fields]
            print(
                ", ".join(
                    c + (" MiB" if "memory" in f and style[1] else "") for c, f in zip(cells, fields, strict=True)
                )
            )
    return 0


def _style(rest: list[str]) -> tuple[bool, bool] | None:
    """Header wanted, units wanted; None where no CSV was asked for."""
    words = [w for arg in rest for w in arg.removeprefix("--format=").split(",")]
    if "csv" not in words:
        return None
    return "noheader" not in words, "nounits" not in words


def _chosen(gpus: list[hardware.Gpu], args: list[str]) -> list[hardware.Gpu]:
    for place, arg in enumerate(args):
        given = arg.partition("=")[2] if arg.startswith(("-i=", "--id=")) else None
        if arg in ("-i", "--id") and place + 1 < len(args):
            given = args[place + 1]
        if given:
            wanted = given.split(",")
            return [g for g in gpus if {nvidia_fields.value(g, "index"), g["uuid"], g["bus_id"]} & set(wanted)]
    return gpus


def _without_choice(args: list[str]) -> list[str]:
    kept = [arg for arg in args if not arg.startswith(("-i=", "--id="))]
    while "-i" in kept or "--id" in kept:
        place = kept.index("-i" if "-i" in kept else "--id")
        del kept[place : place + 2]
    return kept


def _persistence(gpus: list[hardware.Gpu], words: list[str]) -> int:
    try:
        (hardware.note if words == ["1"] else lambda name, _: hardware.forget(name))("persistence", "1")
    except PermissionError:
        print("Unable to set persistence mode for GPU 00000000:07:00.0: Insufficient Permissions")
        return 4
    for gpu in gpus:
        print(f"{'Enabled' if words == ['1'] else 'Disabled'} persistence mode for GPU {gpu['bus_id']}.")
    print("All done.")
    return 0


def _version(loaded: str | None, library: str | None) -> int:
    print(f"NVIDIA-SMI version  : {library}")
    print(f"NVML version        : {'.'.join((library or '').split('.')[:2])}")
    print(f"DRIVER version      : {loaded or 'N/A'}")
    print(f"CUDA Version        : {CUDA_OF_BRANCH.get((library or '').split('.')[0], 'N/A')}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
