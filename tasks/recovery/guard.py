"""An undo that lies on the host before anything is hurt there, and is done there whatever becomes of us.

It is a unit of its own (tasks/units.py): it waits to be called off, for so many seconds at most, then undoes in either
case.  A lost connection, a killed command or a full disk do not keep it from that; only a restart of the host does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from shlex import quote

from tasks.hosts import CommandFailed, Host, HostError
from tasks.recovery.scene import Scene
from tasks.units import Interrupted, Unit, begin, forget, watch

CALLED, LATE, RESTARTED = "called", "late", "restarted"
ARM_S, UNDO_S = 20, 300
SILENCE_S = 60.0  # how long a lost connection is tried again when the undo is asked for


@dataclass
class Guard:
    """`how` says what made it undo, `failed` that the undo itself said no; both empty until it is known."""

    host: Host
    unit: Unit
    seconds: float
    sudo: bool
    how: str = ""
    failed: str = ""
    silent: str = ""

    @property
    def holder(self) -> str:
        """Shell: the number of the process on the host that waits; its descriptor 9 is what `hold` opened."""
        return f"$(cat {quote(self.unit.folder)}/armed)"

    def call_off(self) -> None:
        """Undo now and wait for it; where the host can't be reached, it does so by itself in time."""
        if self.how or self.silent:
            return
        end = quote(f"{self.unit.folder}/end")
        try:
            self.host.run(f"[ ! -p {end} ] || echo end 1<> {end}", sudo=self.sudo)
            self._wait()
        except Interrupted:
            self.how = RESTARTED
        except HostError as error:
            self.silent = f"the undo was not seen ({error.what}); the host does it within {self.seconds:.0f} s"

    def _wait(self) -> None:
        ran = watch(self.host, self.unit, "undo", timeout_s=UNDO_S, silence_s=SILENCE_S)
        said = ran.stdout.split()
        self.how = CALLED if f"how={CALLED}" in said else LATE
        self.failed = (
            "" if ran.exit == 0 else f"the undo ended with exit status {ran.exit}: {ran.stderr.strip()[-200:]}"
        )
        forget(self.host, self.unit)

    @property
    def left(self) -> str:
        """What may still be hurt."""
        return self.failed or self.silent


def script(folder: str, undo: str, seconds: float, hold: str = "") -> str:
    """What the unit runs: say that it waits, wait, undo, say why.

    A word into the fifo ends the wait; that needs no room on a disk.  `hold` may open descriptor 9.
    """
    return (
        f"cd {quote(folder)} || exit 1\nmkfifo end && exec 8<> end || exit 1\n{hold or ':'} || exit 1\n"
        f"echo $$ > armed.part && mv armed.part armed || exit 1\n"
        f"if read -r -t {seconds:.3f} -u 8 _; then how={CALLED}; else how={LATE}; fi\n"
        f"( {undo}\n)\ns=$?\nexec 9>&-\necho how=$how\nexit $s\n"
    )


@contextmanager
def guarded(scene: Scene, undo: str, seconds: float, *, hold: str = "", sudo: bool = False) -> Iterator[Guard]:
    """Armed when the block begins; undone when it ends, however it does."""
    scene.numbers += 1
    unit = Unit.of(scene.root, f"beachhead-{scene.site.run_id}-undo-{scene.numbers}")
    guard = Guard(scene.host, unit, seconds, sudo)
    begin(scene.host, unit, script(unit.folder, undo, seconds, hold), timeout_s=seconds + UNDO_S, sudo=sudo)
    try:
        armed = quote(f"{unit.folder}/armed")
        ran = scene.host.run(f"for i in $(seq {ARM_S * 10}); do [ -e {armed} ] && exit 0; sleep 0.1; done; exit 1")
        if ran.exit != 0:
            raise CommandFailed(ran)
        yield guard
    finally:
        guard.call_off()
