"""Runs on the host: size, digests and safetensors header of every file below a folder, a JSON line each."""

import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def header(path: Path, size: int) -> tuple[int | None, str | None]:
    """Length that the file's own safetensors header announces, or why it can't be read."""
    if path.suffix != ".safetensors":
        return None, None
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size, 100_000_000):
                return None, f"header length {length} is not possible in {size} bytes"
            tensors = json.loads(file.read(length))
        ends = [t["data_offsets"][1] for name, t in tensors.items() if name != "__metadata__"]
        return 8 + length + max(ends, default=0), None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return None, f"{type(error).__name__}: {error}"


def digest(path: Path) -> dict[str, object]:
    """One line of the answer."""
    size = path.stat().st_size
    small = size < 64 << 20  # a hub keeps larger files in LFS, by sha256 alone
    sha256, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(8 << 20):
            sha256.update(chunk)
            if small:
                git.update(chunk)
    announced, error = header(path, size)
    return {
        "path": path.relative_to(root).as_posix(),
        "size": size,
        "sha256": sha256.hexdigest(),
        "git_sha1": git.hexdigest() if small else None,
        "header_size": announced,
        "header_error": error,
    }


root = Path(sys.argv[1])
files = sorted(p for p in root.rglob("*") if p.is_file() and ".cache" not in p.relative_to(root).parts)
with ThreadPoolExecutor(os.cpu_count()) as pool:
    for line in pool.map(digest, files):
        print(json.dumps(line))
