"""The commands that ask the kernel or the firmware: uname, dmesg, journalctl -k, lsmod, modprobe, lspci, mokutil.

One file, many names: the name it is called by decides.  What is not scripted goes to the real command.
"""

from __future__ import annotations

import datetime
import os
import re
import sys
import time

import boot
import hardware

Args = list[str]


def uname(args: Args) -> int:
    """The real uname, with the scripted kernel's name in place of the outer one."""
    real, scripted = os.uname(), hardware.kernel()
    parts = {"s": real.sysname, "n": real.nodename, "r": scripted, "v": real.version, "m": real.machine}
    parts |= {"o": "GNU/Linux", "p": "unknown", "i": "unknown"}
    words = {"--kernel-release": "r", "--all": "a", "--machine": "m", "--kernel-name": "s", "--nodename": "n"}
    asked = "".join(words.get(arg, arg.lstrip("-")) for arg in args) or "s"
    if "a" in asked:
        asked = "snrvmo"
    if set(asked) - set(parts):
        return _real("uname", args)
    print(" ".join(parts[letter] for letter in "snrvmpio" if letter in asked))
    return 0


def dmesg(args: Args) -> int:
    """The scripted kernel log of this boot; root alone may read it, as on Ubuntu."""
    if os.getuid() != 0:
        print("dmesg: read kernel buffer failed: Operation not permitted", file=sys.stderr)
        return 1
    known = {
        "-T",
        "--ctime",
        "-x",
        "--decode",
        "-k",
        "--kernel",
        "--time-format=iso",
        "--nopager",
        "-P",
        "--color=never",
    }
    if set(args) - known:
        return _refuse("dmesg", args)
    for seconds, text in _log():
        if "-T" in args or "--ctime" in args:
            print(f"[{_at(seconds).strftime('%a %b %e %H:%M:%S %Y')}] {text}")
        elif "--time-format=iso" in args:
            print(f"{_at(seconds).isoformat(timespec='microseconds').replace('.', ',')} {text}")
        else:
            print(f"[{seconds:12.6f}] {text}")
    return 0


def journalctl(args: Args) -> int:
    """The real journal, but the kernel's part of it is scripted."""
    if not {"-k", "--dmesg"} & set(args):
        return _real("journalctl", args)
    if os.getuid() != 0:
        return _real("journalctl", args)
    for seconds, text in _log():
        iso = any(arg.startswith("short-iso") or arg.endswith("=short-iso") for arg in args)
        at = _at(seconds).strftime("%Y-%m-%dT%H:%M:%S%z" if iso else "%b %d %H:%M:%S")
        print(text if "cat" in args or "--output=cat" in args else f"{at} {os.uname().nodename} kernel: {text}")
    return 0


def lsmod(args: Args) -> int:
    """The modules of the scripted kernel."""
    print("Module                  Size  Used by")
    for line in (hardware.noted("modules") or "").splitlines():
        name, size, used, by = line.split()[:4]
        print(f"{name:<19} {size:>8}  {used}{'' if by == '-' else ' ' + by.rstrip(',')}")
    return 0


def modprobe(args: Args) -> int:
    """Load or drop the nvidia module of the scripted kernel; nothing reaches the real one."""
    names = [arg for arg in args if not arg.startswith("-")]
    if os.getuid() != 0 and "-n" not in args:
        print(f"modprobe: ERROR: could not insert '{names[0]}': Operation not permitted", file=sys.stderr)
        return 1
    if "-r" in args:
        for name in ("driver", "modules"):
            hardware.forget(name)
        return 0
    if names == ["nvidia"] or names == ["nvidia-uvm"]:
        why = None if hardware.loaded_driver() else boot.load_nvidia()
        if why:
            print(why, file=sys.stderr)
        else:
            boot.pci()
        return 1 if why else 0
    return _refuse("modprobe", args)


def lspci(args: Args) -> int:
    """The GPUs and NVSwitches on the bus, as pciutils prints them."""
    numbers = any(re.fullmatch(r"-[a-z]*n[a-z]*", arg) for arg in args)
    unknown = [arg for arg in args if not re.fullmatch(r"-n|-nn|-D|-Dnn|-d|10de:|10DE:", arg)]
    if unknown:
        return _refuse("lspci", args)
    full = any("D" in arg for arg in args if arg.startswith("-"))
    for gpu in hardware.gpus():
        _pci(gpu["bus_id"], "3D controller", "0302", gpu["pci_name"], gpu["pci_id"], numbers, full)
    for index in range(int(hardware.state().get("nvswitches", 0))):
        _pci(f"00000000:{0xC0 + index:02X}:00.0", "Bridge", "0680", "GH100 [H100 NVSwitch]", "22a3", numbers, full)
    return 0


def _pci(bus: str, kind: str, kind_id: str, name: str, device: str, numbers: bool, full: bool) -> None:
    where = bus.lower()[4:] if full else bus.lower()[9:]
    ids = (f" [{kind_id}]", f" [10de:{device}]") if numbers else ("", "")
    print(f"{where} {kind}{ids[0]}: NVIDIA Corporation {name}{ids[1]} (rev a1)")


def mokutil(args: Args) -> int:
    """Whether the scripted firmware enforces Secure Boot."""
    if args == ["--list-enrolled"] and hardware.state().get("secure_boot") is not None:
        print("MokListRT is empty")
        return 0
    if args != ["--sb-state"]:
        return _refuse("mokutil", args)
    secure = hardware.state().get("secure_boot")
    if secure is None:
        print("EFI variables are not supported on this system", file=sys.stderr)
        return 1
    print("SecureBoot enabled" if secure else "SecureBoot disabled")
    return 0


def update_initramfs(args: Args) -> int:
    """Put /etc/modprobe.d into the initramfs of one kernel, or of all with -k all."""
    kernels = [name.removeprefix("vmlinuz-") for name in os.listdir("/boot") if name.startswith("vmlinuz-")]
    if "all" not in args:
        kernels = [sorted(kernels)[-1]] if kernels else []
    rules = ""
    for name in sorted(os.listdir("/etc/modprobe.d")):
        with open(f"/etc/modprobe.d/{name}") as file:
            rules += file.read() + "\n"
    for kernel in sorted(kernels):
        print(f"update-initramfs: Generating /boot/initrd.img-{kernel}")
        with open(f"/boot/initrd.img-{kernel}", "w") as file:
            file.write(rules)
    return 0


def lsinitramfs(args: Args) -> int:
    """nouveau's module is in the initramfs of a machine that has it, unless the initramfs was made with a blacklist."""
    with open(args[0]) as file:
        rules = file.read()
    print("usr/lib/modules")
    if hardware.state().get("nouveau") and "blacklist nouveau" not in rules:
        kernel = args[0].partition("initrd.img-")[2]
        print(f"usr/lib/modules/{kernel}/kernel/drivers/gpu/drm/nouveau/nouveau.ko")
    return 0


def _log() -> list[tuple[float, str]]:
    found = (re.match(r"\[ *([0-9.]+)\] (.*)", line) for line in (hardware.noted("kernel.log") or "").splitlines())
    return [(float(match.group(1)), match.group(2)) for match in found if match]


def _at(seconds: float) -> datetime.datetime:
    with open("/proc/uptime") as file:
        ago = float(file.read().split()[0]) - float(hardware.noted("booted-at") or 0) - seconds
    return datetime.datetime.fromtimestamp(time.time() - ago).astimezone()


def _real(name: str, args: Args) -> int:
    for folder in ("/usr/bin", "/bin", "/usr/sbin"):
        if os.path.exists(f"{folder}/{name}"):
            os.execv(f"{folder}/{name}", [name, *args])
    return _refuse(name, args)


def _refuse(name: str, args: Args) -> int:
    print(f"{name}: not scripted on this test host: {' '.join(args)}", file=sys.stderr)
    return 64


TOOLS = {
    "uname": uname, "dmesg": dmesg, "journalctl": journalctl, "lsmod": lsmod, "modprobe": modprobe, "lspci": lspci,
    "mokutil": mokutil, "update-initramfs": update_initramfs, "lsinitramfs": lsinitramfs,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(TOOLS[sys.argv[1]](sys.argv[2:]))
