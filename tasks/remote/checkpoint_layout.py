"""Runs on the host: what a checkpoint's folder holds, by its own config, index and safetensors headers, as JSON.

Argument: the folder.  No weight is read, only headers; a file that can't be read is named with the reason.
"""

import json
import sys
from pathlib import Path

root = Path(sys.argv[1])
if not root.is_dir():
    sys.exit(f"no folder {root}")
unreadable: dict[str, str] = {}
FAULTS = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError)


def parsed(path: Path) -> object:
    """A JSON file's content; None where there is none, or it can't be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except FAULTS as error:
        unreadable[path.name] = f"{type(error).__name__}: {error}"
        return None


def header(path: Path) -> dict[str, int]:
    """Bytes of each tensor, from a safetensors header."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(path.stat().st_size, 100_000_000):
                raise ValueError(f"header length {length} is not possible")
            tensors = json.loads(file.read(length))
        places = {name: each["data_offsets"] for name, each in tensors.items() if name != "__metadata__"}
        told, there = 8 + length + max((end for _, end in places.values()), default=0), path.stat().st_size
        if told != there:
            raise ValueError(f"its header tells of {told} bytes, the file has {there}")
        return {name: end - start for name, (start, end) in places.items()}
    except FAULTS as error:
        unreadable[path.name] = f"{type(error).__name__}: {error}"
        return {}


files = sorted(path for path in root.rglob("*") if path.is_file() and ".cache" not in path.relative_to(root).parts)
config, index = parsed(root / "config.json"), parsed(root / "model.safetensors.index.json")
told = index if isinstance(index, dict) else {}
placed = told.get("weight_map")
mapped = placed if isinstance(placed, dict) else {}
stored = {path.name: header(path) for path in files if path.suffix == ".safetensors"}
misplaced = [name for name, file in mapped.items() if name not in stored.get(file, {})]
print(
    json.dumps(
        {
            "files": {path.relative_to(root).as_posix(): path.stat().st_size for path in files},
            "config": {k: config.get(k) for k in ("model_type", "auto_map")} if isinstance(config, dict) else None,
            "architectures": config.get("architectures") or [] if isinstance(config, dict) else [],
            "indexed": index is not None,
            "index_bytes": (told.get("metadata") or {}).get("total_size"),
            "index_shards": sorted(set(mapped.values())),
            "index_tensors": len(mapped),
            "misplaced": misplaced[:5],
            "misplaced_count": len(misplaced),
            "tensors": sum(map(len, stored.values())),
            "tensor_bytes": sum(sum(each.values()) for each in stored.values()),
            "unreadable": unreadable,
        }
    )
)
