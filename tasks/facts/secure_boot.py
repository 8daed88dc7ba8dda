"""Whether firmware refuses unsigned kernel modules, and whose signatures it accepts besides the vendor's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import filled, needs, sections, understood

_NO_EFI = ("EFI variables are not supported on this system", "This system doesn't support Secure Boot")
_STATES = {"SecureBoot enabled": True, "SecureBoot disabled": False}
_EXTRAS = ("Platform is in Setup Mode", "SecureBoot validation is disabled in shim")
_KEY = re.compile(r"\[key [0-9]+\]")
_PRINT = re.compile(r"SHA1 Fingerprint: ([0-9a-f:]{59})")
_SUBJECT = re.compile(r"\s*Subject: (.+)")
_EMPTY = "MokListRT is empty"
_ASK_IF_EFI = (  # without mokutil, no EFI is an answer all the same
    "PATH=$PATH:/usr/sbin:/sbin; if ! command -v mokutil >/dev/null 2>&1 && [ ! -d /sys/firmware/efi ]; "
    f"then echo no-efi; exit 0; fi; {needs('mokutil')}"
)


@dataclass(frozen=True, slots=True)
class SecureBoot:
    """`efi` is false on a host that booted by BIOS; `enforced` says that an unsigned module will not load."""

    efi: bool
    enabled: bool
    setup_mode: bool
    shim_validates: bool

    @property
    def enforced(self) -> bool:
        """Enabled, out of setup mode, and not switched off in shim."""
        return self.enabled and not self.setup_mode and self.shim_validates


@dataclass(frozen=True, slots=True)
class MachineOwnerKey:
    """A certificate that was enrolled at the console (MOK)."""

    sha1: str
    subject: str


@dataclass(frozen=True)
class SecureBootFact:
    """The host's SecureBoot.  It needs mokutil where the host booted by EFI.

    Samples: "@@ state\\nSecureBoot enabled", "@@ state\\nno-efi", "@@ state\\nSecureBoot disabled\\nPlatform is in
    Setup Mode", "@@ state\\nEFI variables are not supported on this system"
    """

    command: str = f"echo '@@ state'; {_ASK_IF_EFI}; LC_ALL=C mokutil --sb-state 2>&1 || :"

    @understood
    def parse(self, stdout: str) -> SecureBoot:
        """Read mokutil's sentences, each of them known."""
        (said,) = sections(stdout, "state")
        lines = [line.strip() for line in said if line.strip()]
        if lines == ["no-efi"] or (len(lines) == 1 and lines[0] in _NO_EFI):
            return SecureBoot(False, False, False, False)
        if any(line not in _EXTRAS for line in lines[1:]):
            raise ValueError("an unknown sentence")
        return SecureBoot(True, _STATES[lines[0]], _EXTRAS[0] in lines, _EXTRAS[1] not in lines)


@dataclass(frozen=True)
class MachineOwnerKeyFact:
    """Every enrolled MachineOwnerKey; none on a host without EFI.

    Sample: "@@ keys\\n[key 1]\\nSHA1 Fingerprint: 76:a0:92:…\\nCertificate:\\n … Subject: CN=…"
    """

    command: str = f"echo '@@ keys'; {_ASK_IF_EFI}; LC_ALL=C mokutil --list-enrolled 2>&1 || :"

    @understood
    def parse(self, stdout: str) -> tuple[MachineOwnerKey, ...]:
        """A fingerprint and a subject for each key."""
        (said,) = sections(stdout, "keys")
        lines = [line.rstrip() for line in said if line.strip()]
        if lines in (["no-efi"], [_EMPTY]) or (len(lines) == 1 and lines[0] in _NO_EFI):
            return ()
        prints = [found[1] for line in lines if (found := _PRINT.fullmatch(line.strip()))]
        subjects = [filled(found[1]) for line in lines if (found := _SUBJECT.fullmatch(line))]
        keys = sum(1 for line in lines if _KEY.fullmatch(line))
        if not keys or not len(prints) == len(subjects) == keys:
            raise ValueError("keys without fingerprint or subject")
        return tuple(map(MachineOwnerKey, prints, subjects))
