"""The NVIDIA kernel module of every kernel that the host could boot."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import choice, filled, needs, understood

_NONE = "-"


@dataclass(frozen=True, slots=True)
class KernelModule:
    """One kernel below /lib/modules; `nvidia` is the module's version, None where this kernel has none.

    `license` is "NVIDIA" for the proprietary module and "Dual MIT/GPL" for the open one.
    """

    kernel: str
    running: bool
    bootable: bool  # an image of it lies in /boot
    has_headers: bool
    nvidia: str | None
    license: str | None
    signer: str | None


@dataclass(frozen=True)
class KernelModuleFact:
    """The KernelModule of every kernel; none at all where the kernel came without modules (a container, a micro-VM).

    Sample: "@@ kernels\\n6.8.0-45-generic|yes|yes|yes|580.95.05|Dual MIT/GPL|DKMS module signing key\\n@@ end"
    """

    command: str = (
        f"{needs('modinfo')}; echo '@@ kernels'; for d in /lib/modules/*/; do [ -e \"$d/modules.dep\" ] || continue; "
        'k=$(basename "$d"); [ "$k" = "$(uname -r)" ] && r=yes || r=no; '
        '[ -e "/boot/vmlinuz-$k" ] && b=yes || b=no; [ -d "$d/build/" ] && h=yes || h=no; '
        'if [ -n "$(modinfo -k "$k" -F filename nvidia 2>/dev/null)" ]; then '
        'v=$(modinfo -k "$k" -F version nvidia); l=$(modinfo -k "$k" -F license nvidia | head -n 1); '
        's=$(modinfo -k "$k" -F signer nvidia | head -n 1); else v=-; l=-; s=-; fi; '
        'echo "$k|$r|$b|$h|$v|$l|${s:--}"; done; echo "@@ end"'
    )

    @understood
    def parse(self, stdout: str) -> tuple[KernelModule, ...]:
        """One KernelModule a line, between the two marks."""
        first, *lines, last = stdout.splitlines()
        if (first, last) != ("@@ kernels", "@@ end"):
            raise ValueError("cut short")
        return tuple(map(_module, lines))


def _module(line: str) -> KernelModule:
    kernel, running, bootable, headers, version, license_, signer = line.split("|")
    return KernelModule(
        filled(kernel),
        choice(running, "yes", "no"),
        choice(bootable, "yes", "no"),
        choice(headers, "yes", "no"),
        _some(version),
        _some(license_),
        _some(signer),
    )


def _some(text: str) -> str | None:
    return None if text == _NONE else filled(text)
