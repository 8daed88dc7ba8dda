"""The `recovery:` block: which faults may be played on the serving host, and how soon it must answer again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from inventories.strict import Strict

Drill = Literal["kill", "freeze", "reboot", "disk_full", "network_cut", "bad_release"]
Seconds = Annotated[float, Field(ge=0)]


class Recovery(Strict):
    """Each drill is a file of tasks/recovery; none is played that is not named in `drills`."""

    drills: tuple[Drill, ...] = Field((), description="what `beachhead recovery-drill` may do to the serving host")
    within_s: dict[Drill, Seconds] = Field(
        default_factory=dict,
        description="objective: seconds until a real completion comes back; absent: the time is told, and not judged",
    )
    hold_s: int = Field(30, ge=5, le=600, description="how long disk_full and network_cut last")
    fill_gib: int = Field(64, ge=1, description="disk_full: a file system with more free room than this is left alone")
