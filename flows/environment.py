"""What this machine's environment must say before Prefect is imported, and where PyTorch's CPU wheels are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "beachhead",  # our progress lines become the run's log
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


def prepare() -> None:
    """Set what is not set yet."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def for_the_engine() -> None:
    """What the rehearsal's inventory asks of this machine: where PyTorch's CPU build is, and which Python is here."""
    if "BEACHHEAD_FIND_LINKS" not in os.environ:
        os.environ["BEACHHEAD_FIND_LINKS"] = find_links()
    os.environ.setdefault("BEACHHEAD_PYTHON", "{}.{}".format(*sys.version_info[:2]))


def find_links() -> str:
    """A folder with PyTorch's CPU build that pip is configured to look in, or nothing.

    uv reads neither pip's configuration nor its variables; on a machine whose only source of that build is such a
    folder, the engine's installation must be told of it.
    """
    said = os.environ.get("PIP_FIND_LINKS", "").split()
    try:
        command = [getattr(sys, "_base_executable", sys.executable), "-m", "pip", "config", "list"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        lines = [line.partition("=")[2] for line in done.stdout.splitlines() if "find-links" in line]
        said += [word for line in lines for word in line.strip().strip("'\"").split()]
    except (OSError, subprocess.SubprocessError):
        pass
    return next((place for place in said if any(Path(place).glob("torch-*+cpu*"))), "")
