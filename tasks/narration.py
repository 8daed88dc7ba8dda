"""Progress, told to whoever listens: the terminal, or Prefect's run log through stdlib logging."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger("beachhead")
log.setLevel(logging.INFO)  # else a worker, which only forwards, would drop every line
EVERY_S = 10.0


def say(line: str) -> None:
    """One line of progress."""
    log.info("%s", line)


@contextmanager
def ticking(what: str, tell: Callable[[str], None] = say, *, every_s: float = EVERY_S) -> Iterator[None]:
    """Tell every few seconds that `what` still goes on, so that nobody takes a long step for a dead one."""
    began, over = time.monotonic(), threading.Event()

    def tick() -> None:
        while not over.wait(every_s):
            tell(f"{what}: {time.monotonic() - began:.0f} s so far")

    # In a copy of the context, where Prefect finds the run that a line belongs to.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(tick,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
