"""One boot of the scripted machine: its boot id, its kernel, and which GPU driver that kernel could load.

Runs as root before sysinit.target, so that whatever starts later finds it done.
"""

from __future__ import annotations

import os
import subprocess
import sys

import hardware


def main() -> None:
    """Do what firmware, boot loader and kernel do on a real machine."""
    os.makedirs(hardware.RUN, mode=0o755, exist_ok=True)
    with open("/proc/uptime") as file:
        hardware.note("booted-at", file.read().split()[0])
    with open("/proc/sys/kernel/random/uuid") as file:
        hardware.note("boot_id", file.read().strip())
    _over("boot_id", "/proc/sys/kernel/random/boot_id")
    hardware.note("kernel", chosen_kernel())
    _over("kernel", "/proc/sys/kernel/osrelease")
    hardware.log_kernel(f"Linux version {hardware.kernel()} (scripted)")
    for line in hardware.state().get("boot_log", []):
        hardware.log_kernel(line)
    os.makedirs(f"{hardware.RUN}/proc-driver", exist_ok=True)
    load_drivers()
    pci()
    _over("pci", "/sys/bus/pci/devices")
    _over("proc-driver", "/proc/driver")
    _over("modules", "/proc/modules")


def chosen_kernel() -> str:
    """The kernel that the boot loader takes: the newest in /boot, unless the state names one."""
    named = hardware.state().get("boot_kernel")
    there = [name.removeprefix("vmlinuz-") for name in os.listdir("/boot") if name.startswith("vmlinuz-")]
    if named in there:
        return str(named)
    if not there:
        return os.uname().release
    sort = subprocess.run(["sort", "-V"], input="\n".join(there), capture_output=True, text=True, check=True)
    return sort.stdout.split()[-1]


def load_drivers() -> None:
    """nouveau takes the cards from the initramfs where it may; otherwise the nvidia module is tried."""
    hardware.note("modules", "")
    if not hardware.gpus():
        return
    if hardware.state().get("nouveau") and not nouveau_blacklisted():
        hardware.note("modules", "nouveau 2764800 4 - Live 0x0000000000000000")
        for gpu in hardware.gpus():
            hardware.log_kernel(f"nouveau {gpu['bus_id'].lower()[4:]}: NVIDIA {gpu['chip']}")
        return
    load_nvidia()


def nouveau_blacklisted() -> bool:
    """Whether the running kernel's initramfs carries the blacklist: the file in /etc alone does not count."""
    try:
        with open(f"/boot/initrd.img-{hardware.kernel()}") as file:
            return "blacklist nouveau" in file.read()
    except FileNotFoundError:
        return False


def load_nvidia() -> str | None:
    """Load the nvidia module into the scripted kernel; returns why not, in modprobe's words."""
    path = hardware.module_file(hardware.kernel())
    if path is None:
        tree = f"/lib/modules/{hardware.kernel()}"
        return f"modprobe: FATAL: Module nvidia not found in directory {tree}"
    if "nouveau" in (hardware.noted("modules") or ""):
        hardware.log_kernel("NVRM: GPU is already bound to nouveau.")
        return "modprobe: ERROR: could not insert 'nvidia': No such device"
    if hardware.state().get("secure_boot") and "/updates/dkms/" in path:
        hardware.log_kernel("Loading of module with unavailable key is rejected")
        return "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service"
    version = hardware.module_version(path)
    hardware.note("driver", version)
    hardware.note("modules", _MODULES)
    open_ = os.path.exists("/usr/share/scripted-nvidia/open")
    kind = "Open Kernel Module for x86_64" if open_ else "x86_64 Kernel Module"
    os.makedirs(f"{hardware.RUN}/proc-driver/nvidia", exist_ok=True)
    with open(f"{hardware.RUN}/proc-driver/nvidia/version", "w") as file:
        file.write(f"NVRM version: NVIDIA UNIX {kind}  {version}  Release Build  (scripted)\n")
        file.write("GCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)\n")
    hardware.log_kernel(f"NVRM: loading NVIDIA UNIX {kind}  {version}  Release Build  (scripted)")
    return None


_MODULES = """\
nvidia_uvm 4079616 0 - Live 0x0000000000000000
nvidia_drm 139264 0 - Live 0x0000000000000000
nvidia_modeset 1564672 1 nvidia_drm, Live 0x0000000000000000
nvidia 104071168 2 nvidia_uvm,nvidia_modeset, Live 0x0000000000000000"""


def pci() -> None:
    """The devices on the bus as sysfs shows them, each with the driver that is bound to it."""
    folder = f"{hardware.RUN}/pci"
    os.makedirs(folder, exist_ok=True)
    subprocess.run(f"rm -rf {folder}/*", shell=True, check=True)
    loaded = hardware.noted("modules") or ""
    driver = "nvidia" if hardware.loaded_driver() else "nouveau" if "nouveau" in loaded else None
    switches = [(f"0000:{0xC0 + n:02x}:00.0", "22a3", "0x068000") for n in range(hardware.state().get("nvswitches", 0))]
    cards = [(gpu["bus_id"].lower()[4:], gpu["pci_id"], "0x030200") for gpu in hardware.gpus()]
    for bus, device, kind in [*cards, *switches]:
        os.makedirs(f"{folder}/{bus}")
        for name, text in (("vendor", "0x10de"), ("device", f"0x{device}"), ("class", kind)):
            with open(f"{folder}/{bus}/{name}", "w") as file:
                file.write(text + "\n")
        if driver:
            os.symlink(f"../../../../bus/pci/drivers/{driver}", f"{folder}/{bus}/driver")


def _over(name: str, target: str) -> None:
    """Show a note of this boot where the kernel would show its own."""
    if os.path.exists(target):
        subprocess.run(["mount", "--bind", f"{hardware.RUN}/{name}", target], check=True)


if __name__ == "__main__":
    pci() if sys.argv[1:] == ["pci"] else main()
