"""The token that Ray's nodes show each other: made once, kept here, copied to each node by stdin alone."""

from __future__ import annotations

import os
import secrets

from tasks.site import Site, home


def ray_token(site: Site) -> str:
    """The deployment's Ray token, in `home()` and readable by us alone."""
    file = home() / site.inventory.name / "ray_token"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_hex(32))
    token = file.read_text(encoding="utf-8").strip()
    site.redactor.add(token)
    return token
