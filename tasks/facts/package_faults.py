"""Packages that dpkg left half done, and those that it was told to leave alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tasks.facts.reading import filled, match, needs, sections, understood

_FAULTS = {  # the first words of dpkg's explanations, in dpkg 1.18 to 1.22
    "are in a mess due to serious problems during installation": "must be reinstalled",
    "have been unpacked but not yet configured": "unpacked",
    "are only half configured": "half configured",
    "are only half installed": "half installed",
    "have been triggered, but the trigger processing": "triggers pending",
    "are awaiting processing of triggers": "triggers awaited",
    "are missing the list control file": "no list of files",
    "are missing the md5sums control file": "no checksums",
    "do not have an architecture": "no architecture",
    "have an illegal architecture": "illegal architecture",
    "have an unknown foreign architecture": "unknown architecture",
}
_BUSY = "Another process has locked the database for writing,"
_NAME = r"[a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?"


@dataclass(frozen=True, slots=True)
class PackageFault:
    """A package that dpkg complains about, and what is wrong in a word or three."""

    name: str
    fault: str


@dataclass(frozen=True, slots=True)
class PackageAudit:
    """What dpkg complains about; while it is `busy` some of that may be on its way to be right."""

    busy: bool
    faults: tuple[PackageFault, ...]

    @property
    def clean(self) -> bool:
        """Whether dpkg rests and finds nothing wrong."""
        return not self.busy and not self.faults


@dataclass(frozen=True)
class PackageAuditFact:
    """The host's PackageAudit.  Root is needed: where dpkg finds a fault it looks at its lock, and else fails.

    Sample: "@@ audit\\nThe following packages are only half configured, probably due to problems\\nconfiguring them
    the first time.  …:\\n nvidia-dkms-580      NVIDIA DKMS package\\n\\n@@ end"
    """

    needs_root: ClassVar[bool] = True
    # newer versions of dpkg end with 1 where they complain; 2 is an error
    command: str = f"{needs('dpkg')}; echo '@@ audit'; LC_ALL=C dpkg --audit; [ $? -le 1 ] || exit 2; echo '@@ end'"

    @understood
    def parse(self, stdout: str) -> PackageAudit:
        """Each explanation, with the indented names below it."""
        said, _ = sections(stdout, "audit", "end")
        paragraphs = [text for text in "\n".join(said).split("\n\n") if text.strip()]
        told = [text for text in paragraphs if not text.startswith(_BUSY)]
        return PackageAudit(len(told) < len(paragraphs), tuple(fault for text in told for fault in _faults(text)))


@dataclass(frozen=True)
class HeldPackageFact:
    """The names of the packages that apt holds back.

    Sample: "@@ held\\nnvidia-driver-580-server\\nlinux-image-generic\\n@@ end"
    """

    command: str = "echo '@@ held'; LC_ALL=C apt-mark showhold || exit; echo '@@ end'"

    @understood
    def parse(self, stdout: str) -> tuple[str, ...]:
        """One name a line between the marks."""
        held, _ = sections(stdout, "held", "end")
        return tuple(match(_NAME, line.strip()).group() for line in held if line.strip())


def _faults(paragraph: str) -> list[PackageFault]:
    lines = [line for line in paragraph.splitlines() if line.strip()]
    words = " ".join(" ".join(line for line in lines if not line.startswith(" ")).split())
    (fault,) = [word for start, word in _FAULTS.items() if words.startswith(f"The following packages {start}")]
    names = [match(_NAME, line.split()[0]).group() for line in lines if line.startswith(" ")]
    filled(" ".join(names))
    return [PackageFault(name, fault) for name in names]
