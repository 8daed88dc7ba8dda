"""Whether the hub gives a file to somebody who has not logged in."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tasks.facts.base import NotUnderstood, script


@dataclass(frozen=True, slots=True)
class Access:
    """The hub's answer without a token: its HTTP status, and its words where it refused."""

    path: str
    status: int
    said: str


@dataclass(frozen=True)
class HubAccess:
    """One file of `repo` at `revision`, asked for without a token, from the host itself with huggingface_hub.

    Sample line: {"path": "config.json", "status": 401, "said": "GatedRepoError: 401 Client Error. …"}
    """

    python: str
    endpoint: str
    repo: str
    revision: str
    path: str = "config.json"

    @property
    def command(self) -> str:
        """One JSON line; no body is transferred."""
        return script(self.python, "hub_access.py", self.endpoint, self.repo, self.revision, self.path)

    def parse(self, stdout: str) -> Access:
        """Read the line."""
        try:
            found = Access(**json.loads(stdout))
        except (ValueError, TypeError):
            raise NotUnderstood(self, stdout) from None
        if type(found.status) is not int or not isinstance(found.said, str) or found.path != self.path:
            raise NotUnderstood(self, stdout)
        return found
