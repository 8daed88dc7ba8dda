"""A zip with one spelling: from the same files the same bytes, so that no byte of it can change unseen.

Entries are stored, not compressed, sorted by name, and carry one fixed time.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from inventories.errors import BadInput

_TIME = (1980, 1, 1, 0, 0, 0)
MAX_BYTES = 1 << 30  # a seal larger than 1 GiB is none of ours


def packed(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, files[name])
    return out.getvalue()


def unpacked(data: bytes, where: str) -> tuple[dict[str, bytes], list[str]]:
    """The files, and what is wrong with the archive itself; BadInput where it is no archive at all."""
    if len(data) > MAX_BYTES:
        raise _no_seal("it is larger than 1 GiB", where)
    files: dict[str, bytes] = {}
    wrong: list[str] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                fault = _read(archive, entry, files)
                if fault:
                    wrong.append(fault)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError, OverflowError) as error:
        if not data.startswith(b"PK\x03\x04") and b"PK\x01\x02" not in data:
            raise _no_seal(f"it is no zip archive: {error}", where) from None
        return files, [*wrong, f"the archive's own bytes: {error}"]
    if not wrong and (first := _difference(packed(files), data)) is not None:
        wrong.append(f"the archive's own bytes, from byte {first} on: not as they were packed")
    return files, wrong


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, files: dict[str, bytes]) -> str:
    """Take one entry; what is wrong with it, or nothing."""
    name = entry.filename
    path = PurePosixPath(name)
    if name in files or path.is_absolute() or ".." in path.parts or entry.is_dir():
        return f"{name[:200]!r}: an entry that no seal has"
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & ~0x800:
        return f"{name[:200]}: packed in another way"
    try:
        files[name] = archive.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        return f"{name[:200]}: {error}"
    return ""


def _difference(one: bytes, other: bytes) -> int | None:
    """The first byte that differs."""
    if one == other:
        return None
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _no_seal(what: str, where: str) -> BadInput:
    return BadInput(f"this is no seal: {what}", where=where, fix="name a file that `beachhead seal` wrote")
