"""Whose API keys a gateway knows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tasks.facts.reading import understood
from tasks.facts.text_file import TextFile
from tasks.gateway.keys import Keys, parse


@dataclass(frozen=True, slots=True)
class KeysFile:
    """`keys` line by line, and the whole file's `sha256` in hex digits: that of nothing where there is no file."""

    keys: Keys
    sha256: str


@dataclass(frozen=True)
class GatewayKeysFact:
    """The KeysFile at `path`; it holds names and digests, and no key.

    Sample: "present\\nann 2c26b46b…e7ae 2026-11-22"
    """

    path: str

    @property
    def command(self) -> str:
        """As any text file is read."""
        return TextFile(self.path).command

    @understood
    def parse(self, stdout: str) -> KeysFile:
        """A line that nginx would refuse is not understood."""
        text = TextFile(self.path).parse(stdout) or ""
        return KeysFile(parse(text), hashlib.sha256(text.encode()).hexdigest())
