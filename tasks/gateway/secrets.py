"""The engine's own API key, the second lock: the gateway alone presents it, and no client ever has it."""

from __future__ import annotations

import os
import re
import secrets

from inventories.errors import BadInput
from tasks.gateway.kept import made_once
from tasks.site import Site, home

VARIABLE = "BEACHHEAD_ENGINE_KEY"
_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}")


def engine_key(site: Site) -> str:
    """$BEACHHEAD_ENGINE_KEY, else made once and kept in `home()`; another key than the clients' by its making."""
    file = home() / site.inventory.name / "engine_key"
    key = os.environ.get(VARIABLE) or made_once(file, secrets.token_urlsafe(32).encode()).decode("ascii", "replace")
    key = key.strip()
    site.redactor.add(key)
    if not _KEY.fullmatch(key):
        raise BadInput(
            "the engine's key is not 16 to 256 letters, digits and ._~+/=-",
            where=f"${VARIABLE}, or {file}",
            fix=f"give {VARIABLE} another value, or delete the file: a new one is made",
        )
    return key
