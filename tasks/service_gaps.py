"""How long nobody was served while a release changed, measured by asking for a token at the gateway all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from inventories.errors import Problem
from serving.client import ServingError
from tasks.site import Site

EVERY_S, DEADLINE_S = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: when it ended, in seconds of the monotonic clock, and whether an answer came."""

    ended: float
    answered: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Seconds from the last answer before to the first one after; `closed` is False where none came after."""

    seconds: float
    closed: bool


@dataclass(frozen=True, slots=True)
class Service:
    """What was asked over how many seconds, and the gaps.

    What nobody had served before is no gap: `early` questions, over `early_s` seconds, came before the first answer.
    """

    asked: int
    answered: int
    seconds: float
    gaps: tuple[Gap, ...]
    early: int = 0
    early_s: float = 0.0

    @property
    def without_s(self) -> float:
        """Seconds without service, an upper bound: the gaps reach from answer to answer."""
        return sum(gap.seconds for gap in self.gaps)

    def __str__(self) -> str:
        if not self.answered:
            return f"nothing was served ({self.asked} completions asked in {self.seconds:.0f} s)"
        still = ", and it is not served now" if self.gaps and not self.gaps[-1].closed else ""
        before, since = (f"first served after {self.early_s:.0f} s; ", " since") if self.early else ("", "")
        return (
            f"{before}{self.without_s:.1f} s without service{since}{still} ({self.answered} of "
            f"{self.asked - self.early} completions answered in {self.seconds - self.early_s:.0f} s)"
        )


def service_of(asked: Sequence[Asked]) -> Service:
    """The gaps between answers, wherever a question between them got none."""
    gaps: list[Gap] = []
    last: float | None = None
    failed = False
    for one in asked:
        if one.answered:
            if failed and last is not None:
                gaps.append(Gap(one.ended - last, True))
            last, failed = one.ended, False
        else:
            failed = True
    if failed and last is not None:
        gaps.append(Gap(asked[-1].ended - last, False))
    seconds = asked[-1].ended - asked[0].ended if asked else 0.0
    early = next((n for n, one in enumerate(asked) if one.answered), 0)
    early_s = asked[early].ended - asked[0].ended if asked else 0.0
    return Service(len(asked), sum(one.answered for one in asked), seconds, tuple(gaps), early, early_s)


@dataclass
class ServiceWatch:
    """Asks in a thread of its own from `start` to `stop`; what it asks is not on the trail.

    While something is measured at the live engine (`Site.undisturbed`) it asks nothing, and that is no gap.
    """

    site: Site
    _asked: list[Asked] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Ask once here, before anything changes, then go on beside the caller; a second call does nothing."""
        if self._thread is None:
            self._note()
            self._thread = threading.Thread(target=self._ask, name="service watch", daemon=True)
            self._thread.start()

    def stop(self) -> Service:
        """What was seen."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(DEADLINE_S + 5)
        return service_of(tuple(self._asked))

    def _ask(self) -> None:
        while not self._over.is_set():
            self._over.wait(EVERY_S)
            self._note()

    def _note(self) -> None:
        if not self.site.undisturbed.acquire(blocking=False):
            return
        try:
            answered = self._one()
        finally:
            self.site.undisturbed.release()
        self._asked.append(Asked(time.monotonic(), answered))

    def _one(self) -> bool:
        try:
            with self.site.client(self.site.inventory.serving.live_port, timeout=DEADLINE_S, recorded=False) as client:
                return bool(client.chat("Hello", max_tokens=1, temperature=0, timeout=DEADLINE_S).completion_tokens)
        except (ServingError, Problem, OSError):
            return False
