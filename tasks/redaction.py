"""The one place that keeps secrets out of whatever is written down."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

MASK = "[secret]"
_SHAPES = (  # secrets that nobody told us about, by the shape their issuers give them
    re.compile(r"\bhf_[A-Za-z0-9]{20,}"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
    ),  # one cut short too
)


class Redactor:
    """Replaces every known secret, and every text of a known secret's shape, by `[secret]`."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._lock = Lock()

    def add(self, secret: str | None) -> None:
        """Learn a secret; an empty one and None are ignored."""
        if secret:
            with self._lock:
                self._known.add(secret)

    def text(self, text: str) -> str:
        """`text` without secrets."""
        with self._lock:
            known = sorted(self._known, key=len, reverse=True)
        for secret in known:
            text = text.replace(secret, MASK)
        for shape in _SHAPES:
            text = shape.sub(MASK, text)
        return text

    def tree(self, value: Any) -> Any:
        """A JSON-like value with every string in it redacted, keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(k)): self.tree(v) for k, v in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            return [self.tree(v) for v in value]
        return value
