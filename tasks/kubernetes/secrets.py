"""Secrets, made for standard input alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from tasks.kubernetes.names import MANAGER, managed
from tasks.kubernetes.objects import Manifest, manifest

DIGEST = "beachhead/sha256"


def secret(name: str, namespace: str, values: Mapping[str, str]) -> Manifest:
    """The Secret itself.  `data` and not `stringData`: server-side apply never removes what the latter set.

    The annotation lets a second run see that nothing changed without reading a value; the values are random and long,
    so that their digest tells nobody anything.
    """
    data = {key: base64.b64encode(value.encode()).decode() for key, value in sorted(values.items())}
    noted = {DIGEST: digest(values)}
    return manifest("Secret", name, namespace, managed(MANAGER), annotations=noted, type="Opaque", data=data)


def digest(values: Mapping[str, str]) -> str:
    """Of all names and values together."""
    whole = hashlib.sha256()
    for key, value in sorted(values.items()):
        for part in (key, value):
            whole.update(hashlib.sha256(part.encode()).digest())
    return whole.hexdigest()
