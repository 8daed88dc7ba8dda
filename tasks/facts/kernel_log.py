"""What the NVIDIA driver wrote into the kernel's log since boot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from tasks.facts.reading import understood, whole

_XID = re.compile(
    r"(?P<stamp>.*?)NVRM: Xid \(PCI:(?P<bus>[0-9a-fA-F:.]+)\): (?P<code>[0-9]{1,4}), ?"
    r"(?:pid='?(?P<pid>[0-9]+|<unknown>)'?, )?(?:name=(?P<name>.*?), )?(?P<text>.*)"
)
_START = re.compile(r"(.* kernel: )?(\[ *0\.0+\] )?(Linux version |Booting Linux )")
_LOST = re.compile(r"(?i)fallen off the bus")
_MISSED = re.compile(r"Missed [0-9]+ kernel messages|[0-9]+ (printk )?messages (dropped|suppressed)")


@dataclass(frozen=True, slots=True)
class Xid:
    """One error report of the driver: code, bus address, the process that it names, text, and the log's own stamp."""

    code: int
    bus: str
    pid: int | None
    process: str | None
    text: str
    stamp: str


@dataclass(frozen=True, slots=True)
class KernelLog:
    """`whole` is false where the log does not reach back to the boot or lost lines: then no Xid is no proof.

    `lost_gpus` are the lines that say that a GPU fell off the bus, which newer drivers write without an Xid.
    """

    source: str
    whole: bool
    xids: tuple[Xid, ...]
    lost_gpus: tuple[str, ...]


@dataclass(frozen=True)
class KernelLogFact:
    """The host's KernelLog: the journal's if it holds this boot, else dmesg's.  Root is needed on most hosts.

    Sample: "@@ dmesg\\n[    0.000000] Linux version 6.8.0 …\\n[14328.198504] NVRM: Xid (PCI:0000:0a:00): 31,
    pid=13332, name=cuda_plot_k32_v, Ch 00000010, intr 00000000. MMU Fault: …\\n@@ end"
    """

    needs_root: ClassVar[bool] = True
    command: str = (
        "s=journal; l=$(LC_ALL=C journalctl -k -b 0 -q --no-pager -o short-iso 2>/dev/null); "
        'if [ -z "$l" ]; then s=dmesg; l=$(LC_ALL=C dmesg) || exit; fi; echo "@@ $s"; '
        "printf '%s\\n' \"$l\" | awk 'NR == 1 || /NVRM|fallen off the bus|kernel messages|messages (dropped|suppr)/'; "
        "echo '@@ end'"
    )

    @understood
    def parse(self, stdout: str) -> KernelLog:
        """Every Xid line is read; one that is worded otherwise is not passed over."""
        first, *lines, last = stdout.splitlines()
        if first not in ("@@ journal", "@@ dmesg") or last != "@@ end" or not lines:
            raise ValueError("cut short")
        reaches_boot = _START.match(lines[0]) is not None
        missed = any(_MISSED.search(line) for line in lines)
        return KernelLog(
            first.removeprefix("@@ "),
            reaches_boot and not missed,
            tuple(_xid(line) for line in lines if "NVRM: Xid" in line),
            tuple(line.strip() for line in lines if _LOST.search(line)),
        )


def _xid(line: str) -> Xid:
    found = _XID.fullmatch(line)
    if found is None:
        raise ValueError("an Xid in other words")
    pid, name = found["pid"], found["name"]
    return Xid(
        whole(found["code"]),
        found["bus"],
        whole(pid) if pid and pid.isdecimal() else None,
        None if name in (None, "<unknown>") else name,
        found["text"].strip(),
        found["stamp"].strip(),
    )
