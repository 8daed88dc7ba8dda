"""Progress, told to whoever listens: the terminal, or Prefect's run log through stdlib logging."""

from __future__ import annotations

import logging

log = logging.getLogger("beachhead")
log.setLevel(logging.INFO)  # else a worker, which only forwards, would drop every line


def say(line: str) -> None:
    """One line of progress."""
    log.info("%s", line)
