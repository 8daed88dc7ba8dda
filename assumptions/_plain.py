"""Records as what JSON can say; `_typed.py` is the way back."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def plain(value: Any) -> Any:
    """What JSON can say.  Times become UTC ISO text; a number that JSON has no word for becomes its name.

    A mapping whose keys are tuples or records becomes a list of pairs.
    """
    if value is None or type(value) in (str, int, bool):  # most of a record
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return _time(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict) or hasattr(value, "items"):
        if any(isinstance(key, tuple) or is_dataclass(key) for key in value):
            return [[plain(key), plain(item)] for key, item in value.items()]
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    return str(value) if isinstance(value, Path) else value


def _time(value: date) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"a time without a time zone can't be recorded: {value}")
        return value.astimezone(UTC).isoformat()
    return value.isoformat()
