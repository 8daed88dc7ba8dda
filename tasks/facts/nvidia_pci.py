"""NVIDIA's devices on the PCI bus, whether or not a driver knows them."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import match, understood

_GPU_CLASSES = ("0x030000", "0x030200")  # display controller, 3D controller
_SWITCH_CLASS = "0x068000"  # a bridge of no other kind: NVSwitch


@dataclass(frozen=True, slots=True)
class NvidiaPci:
    """One device: PCI address, device number and class in hexadecimal, and the kernel driver bound to it, if any."""

    address: str
    device: str
    kind: str
    driver: str | None

    @property
    def is_gpu(self) -> bool:
        """Whether it is a GPU; audio and USB functions of a graphics card are not."""
        return self.kind in _GPU_CLASSES

    @property
    def is_nvswitch(self) -> bool:
        """Whether it is an NVSwitch, which needs the Fabric Manager."""
        return self.kind == _SWITCH_CLASS


@dataclass(frozen=True)
class NvidiaPciFact:
    """Every NvidiaPci: more GPUs here than nvidia-smi lists means that some are not usable; none where none is left.

    Sample: "@@ devices\\n0000:83:00.0 0x2335 0x030200 nvidia\\n0000:07:00.0 0x22a3 0x068000 -\\n@@ end"
    """

    command: str = (
        "[ -d /sys/bus/pci/devices ] || { echo 'no PCI bus' >&2; exit 1; }; echo '@@ devices'; "
        'for d in /sys/bus/pci/devices/*; do [ "$(cat "$d/vendor" 2>/dev/null)" = 0x10de ] || continue; '
        'k=$(readlink "$d/driver" || echo -); '
        'echo "${d##*/} $(cat "$d/device") $(cat "$d/class") ${k##*/}"; done; echo "@@ end"'
    )

    @understood
    def parse(self, stdout: str) -> tuple[NvidiaPci, ...]:
        """One device a line between the marks."""
        first, *lines, last = stdout.splitlines()
        if (first, last) != ("@@ devices", "@@ end"):
            raise ValueError("cut short")
        return tuple(map(_device, lines))


def _device(line: str) -> NvidiaPci:
    address = r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"
    found = match(rf"({address}) (0x[0-9a-f]{{4}}) (0x[0-9a-f]{{6}}) (\S+)", line)
    return NvidiaPci(found[1], found[2], found[3], None if found[4] == "-" else found[4])
