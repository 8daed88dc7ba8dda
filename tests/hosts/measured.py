"""How long the product took to say what was wrong: kept for docs/reference/faults.md."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def detected(fault: str, *, after: float = 0) -> Iterator[None]:
    """Time the block, less the `after` seconds that pass before the fault; $FAULTS_MEASURED names a file to add to."""
    began = time.monotonic()
    try:
        yield
    finally:
        seconds = round(time.monotonic() - began - after, 2)
        if file := os.environ.get("FAULTS_MEASURED"):
            with Path(file).open("a", encoding="utf-8") as out:
                out.write(json.dumps({"fault": fault, "detected_s": seconds}) + "\n")
