"""Small secret files of a deployment, kept on this machine in `home()`, readable by us alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_secret(path: Path, content: bytes) -> None:
    """Put `content` at `path` whole or not at all, mode 0600, in a folder of mode 0700 where that is new."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def made_once(path: Path, content: bytes) -> bytes:
    """What `path` holds; `content` where it is new.  Of two that make it at once, both get the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            path.hardlink_to(part)
        except FileExistsError:
            pass
        finally:
            Path(part).unlink(missing_ok=True)
    return path.read_bytes()
