"""Drill: the file system with releases, logs and the watchdog's notes has no room left, for a while."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote

from tasks.facts.base import look
from tasks.facts.disk import Disk, DiskFact
from tasks.recovery.base import Drill
from tasks.recovery.guard import guarded
from tasks.recovery.passing import held
from tasks.recovery.result import Course
from tasks.recovery.scene import Scene

MIB, GIB = 1 << 20, 1 << 30
FULL_BYTES = MIB  # less room than this is full
BACK = 0.5  # so much of the room from before must be free again; others write there too
LONGER_S = 120.0  # how much longer than the drill means to hold it the host keeps it full


class DiskFull:
    """A file without a name takes all room: it is gone as soon as the process that holds it ends, however it ends."""

    does = "fills the file system of the releases and logs for recovery.hold_s seconds; what writes there fails"

    def why_not(self, scene: Scene) -> str:
        """Where others would be hurt, or more would be filled than is allowed."""
        disk, most = _disk(scene), scene.inventory.recovery.fill_gib
        if disk.mount == "/":
            return f"{scene.root} lies on the root file system: filling that hurts everything else on the host"
        if disk.free_bytes > most * GIB:
            return f"{disk.free_bytes / GIB:.0f} GiB are free on {disk.mount}, and recovery.fill_gib allows {most}"
        if disk.free_bytes < 4 * FULL_BYTES:
            return f"{disk.mount} is full already"
        return ""

    def play(self, scene: Scene) -> Course:
        """Fill it, hold it, let go."""
        before = _disk(scene)
        file = quote(f"{scene.root}/releases/.fill-{scene.site.run_id}")
        hold = f"exec 9<> {file} && rm -f {file}"
        with guarded(scene, "true", scene.inventory.recovery.hold_s + LONGER_S, hold=hold) as guard:
            target = f"/proc/{guard.holder}/fd/9"
            # In one piece to the last MiB, then what is left of it: root may write into a reserve that df does not show
            fill = (
                f"fallocate -l {before.free_bytes - MIB} {target} || exit; head -c {2 * MIB} /dev/zero >> {target} "
                "2>/dev/null; true"
            )
            scene.host.run(fill, timeout=120).check()
            did = f"filled {before.mount} with {(before.free_bytes) / GIB:.2f} GiB"
            course = held(scene, "disk_full", did, lambda: _disk(scene).free_bytes < FULL_BYTES, guard)
        after = _disk(scene)
        if after.free_bytes < BACK * before.free_bytes:
            said = f"{after.free_bytes} bytes are free on {after.mount}, and {before.free_bytes} were"
            return replace(course, left=course.left or said)
        return course


def _disk(scene: Scene) -> Disk:
    return look(scene.host, DiskFact(f"{scene.root}/releases"))


DRILL: Drill = DiskFull()
