"""dkms of the scripted machine: a module file, which modinfo and depmod read, for every kernel with headers.

The files are real ELF objects with a .modinfo section and no code.  They are never loaded into a kernel.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys

SOURCES = "/usr/src"


def main(args: list[str]) -> int:
    """`dkms autoinstall` builds what is missing, `dkms status` lists what is there."""
    if args[:1] == ["autoinstall"]:
        return autoinstall()
    if args[:1] == ["status"]:
        for kernel, path in sorted(_built().items()):
            print(f"nvidia/{_version(path)}, {kernel}, x86_64: installed")
        return 0
    if args[:1] == ["remove"]:
        for path in _built().values():
            os.unlink(path)
        return 0
    print(f"dkms: not scripted on this test host: {' '.join(args)}", file=sys.stderr)
    return 64


def autoinstall() -> int:
    """Build for every installed kernel with headers, and say so where they are missing, as dkms does."""
    sources = sorted(name for name in os.listdir(SOURCES) if name.startswith("nvidia-"))
    if not sources:
        return 0
    version = sources[-1].removeprefix("nvidia-")
    for kernel in sorted(os.listdir("/lib/modules")):
        if not os.path.isdir(f"/lib/modules/{kernel}/build"):
            print(f"Module build for kernel {kernel} was skipped since the")
            print("kernel headers for this kernel do not seem to be installed.")
            continue
        folder = f"/lib/modules/{kernel}/updates/dkms"
        os.makedirs(folder, exist_ok=True)
        write_module(f"{folder}/nvidia.ko", version, kernel)
        subprocess.run(["depmod", kernel], check=True, stderr=subprocess.DEVNULL)
        print(f"nvidia.ko: installed to {folder}/")
    return 0


def write_module(path: str, version: str, kernel: str) -> None:
    """A relocatable ELF file that `modinfo` reads: version, licence, name and vermagic."""
    fields = [f"version={version}", "license=Dual MIT/GPL", "name=nvidia", f"vermagic={kernel} SMP preempt mod_unload"]
    info = b"\0".join(field.encode() for field in fields) + b"\0"
    names = b"\0.modinfo\0.shstrtab\0.symtab\0.strtab\0"
    symbols_at = (64 + len(info) + len(names) + 7) // 8 * 8
    strings_at = symbols_at + 24
    sections_at = (strings_at + 1 + 7) // 8 * 8
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, sections_at, 0, 64, 0, 0, 64, 5, 2)
    body = (head + info + names).ljust(sections_at, b"\0")
    body += bytes(64)
    for name, kind, flags, at, size, link, first, align, entry in (
        (1, 1, 2, 64, len(info), 0, 0, 1, 0),
        (10, 3, 0, 64 + len(info), len(names), 0, 0, 1, 0),
        (20, 2, 0, symbols_at, 24, 4, 1, 8, 24),
        (28, 3, 0, strings_at, 1, 0, 0, 1, 0),
    ):
        body += struct.pack("<IIQQQQIIQQ", name, kind, flags, 0, at, size, link, first, align, entry)
    with open(path, "wb") as file:
        file.write(body)


def _built() -> dict[str, str]:
    files = {kernel: f"/lib/modules/{kernel}/updates/dkms/nvidia.ko" for kernel in os.listdir("/lib/modules")}
    return {kernel: path for kernel, path in files.items() if os.path.exists(path)}


def _version(path: str) -> str:
    found = subprocess.run(["modinfo", "-F", "version", path], capture_output=True, text=True, check=True)
    return found.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
