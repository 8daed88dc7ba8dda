"""What an Xid means for a host that is to be accepted.

Codes and actions are NVIDIA's own (https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html, as read
2025-10-29 into leptonai/gpud@73e270e catalog_generated.go).  RESTART_APP and IGNORE there are the program's doing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from tasks.facts.kernel_log import KernelLog, Xid

SOURCE = "NVIDIA's Xid catalog, docs.nvidia.com/deploy/xid-errors"


class Action(StrEnum):
    """What brings the GPU back, mildest first."""

    NOTHING = "nothing"
    RESET = "reset the GPU (nvidia-smi --gpu-reset -i N, with nothing running on it)"
    REBOOT = "reboot the host"
    RETURN = "take the GPU out of service and send the vendor pack (RMA)"
    ASK = "send the vendor pack to the vendor's support"


_RESET = (46, 48, 62, 64, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158)
_LINKS = (74, 144, 145, 146, 147, 148, 149, 150)
_PROGRAM = (8, 11, 13, 14, 25, 31, 32, 37, 38, 39, 40, 41, 43, 44, 60, 66, 67, 68, 69, 70, 71, 72, 75, 76, 77, 80,
            82, 83, 84, 85, 86, 88, 89, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 126, 127, 128, 129,
            130, 131, 132, 133, 134, 135, 139, 141)  # fmt: skip
ACTIONS: dict[int, tuple[Action, str]] = {
    **dict.fromkeys(_PROGRAM, (Action.NOTHING, "a program's error")),
    **dict.fromkeys(_RESET, (Action.RESET, "the GPU stopped or lost data")),
    **dict.fromkeys(_LINKS, (Action.RESET, "NVLink error; again after a reset: the board goes back")),
    48: (Action.RESET, "double-bit memory error; the row is remapped at the reset"),
    54: (Action.RETURN, "auxiliary power is not connected to the board"),
    63: (Action.RESET, "a memory row waits to be remapped"),
    64: (Action.RETURN, "a memory row could not be remapped"),
    78: (Action.ASK, "vGPU could not start"),
    79: (Action.REBOOT, "the GPU fell off the bus; if it happens again, the board goes back"),
    92: (Action.ASK, "many single-bit memory errors"),
    94: (Action.RESET, "a memory error hit one program; the row is remapped at the reset"),
    151: (Action.REBOOT, "key rotation error"),
    154: (Action.NOTHING, "tells of another Xid"),
    157: (Action.RETURN, "a resource could not be retired"),
    171: (Action.RESET, "uncorrectable DRAM error, details of an Xid 48"),
    172: (Action.RESET, "uncorrectable SRAM error, details of an Xid 48"),
}
_ORDER = list(Action)
TEARDOWN = 45  # alone: a program that ended or was killed; beside another Xid: its consequence


def action(xid: Xid) -> tuple[Action, str]:
    """What to do about one Xid and what it says; a code without an entry is the vendor's to explain.

    Xid 154 names the action itself: "GPU recovery action changed from 0x0 (None) to 0x4 (Drain and Reset)".
    """
    if xid.code == TEARDOWN:
        return Action.NOTHING, "clean-up after a program"
    if xid.code == 154:
        wanted = xid.text.rpartition(" to ")[2].lower()
        if "none" in wanted:
            return Action.NOTHING, "the driver took its wish back"
        return (Action.REBOOT if "reboot" in wanted else Action.RESET), f"the driver asks: {xid.text}"
    return ACTIONS.get(xid.code, (Action.ASK, "an Xid that no table here explains"))


def hardest(actions: Iterable[Action]) -> Action:
    """The one that covers the others."""
    return max(actions, key=_ORDER.index, default=Action.NOTHING)


def told(log: KernelLog) -> Sequence[tuple[Xid, Action, str]]:
    """Each Xid with its action."""
    return [(xid, *action(xid)) for xid in log.xids]


# what nvidia-smi says of recovery, and of remapped rows, in the same words
RECOVERY = {
    "None": Action.NOTHING,
    "Reset": Action.RESET,
    "GPU Reset": Action.RESET,
    "Reboot": Action.REBOOT,
    "Node Reboot": Action.REBOOT,
    "System Reboot": Action.REBOOT,
    "Drain P2P": Action.RESET,
    "Drain and Reset": Action.RESET,
}
