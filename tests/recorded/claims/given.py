"""Cases that belong to no claim's own test."""

from __future__ import annotations

from tasks.hosts import Unreachable
from tests.recorded.claims.builders import Given


def _silent() -> tuple[object, str]:
    return Unreachable("nothing listens on port 22100", where="rehearsal-host", fix="start the engine"), "rehearsal"


RECORDED_CASES: Given = {"openai-api": {"unknown": _silent}}
