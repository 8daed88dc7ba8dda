"""Files that are whole or not there."""

from __future__ import annotations

import json
import os
from pathlib import Path

from assumptions._plain import plain


def write_json(path: Path, value: object) -> None:
    """Write `value` (dataclasses, enums and times included) so that `path` is the old file or the whole new one."""
    write_whole(path, json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text to a neighbour, wait for the disk, and rename it over `path`."""
    write_bytes(path, text.encode("utf-8", "replace"))


def write_bytes(path: Path, content: bytes) -> None:
    """The same with bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the folder's own entries."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
