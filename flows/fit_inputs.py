"""The files that `beachhead fit` reads: config.json, safetensors headers, a hub's listing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from inventories.errors import BadInput

# Bits of one number, as the safetensors format names its types.
BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8", "U8", "BOOL"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}
LONGEST_HEADER = 100_000_000  # the format's own limit
DEEPEST = 6
MOST_SIDES = 8
HOW = "give a folder of *.safetensors, a JSON of their headers, or the hub's listing of files"


@dataclass(frozen=True, slots=True)
class Tensors:
    """Bytes by tensor name (empty where only file sizes were told), and of all weight files together."""

    sizes: Mapping[str, int]
    file_bytes: int | None


def read_json(path: Path, fix: str) -> Any:
    """The JSON in a file; BadInput when it can't be read or is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"can't read it: {error.strerror}", where=str(path), fix=fix) from None
    except RecursionError:
        raise BadInput("not JSON that can be read: nested too deep", where=str(path), fix=fix) from None
    except ValueError as error:
        raise BadInput(f"not JSON: {error}", where=str(path), fix=fix) from None


def read_config(path: Path) -> dict[str, Any]:
    """A model's config.json."""
    value = read_json(path, "name the model's own config.json")
    if not isinstance(value, dict):
        raise BadInput("not a JSON object", where=str(path), fix="name the model's own config.json")
    return value


def read_tensors(path: Path) -> Tensors:
    """Sizes from a folder of *.safetensors (headers alone), a JSON of headers, an index, or a hub's listing."""
    if path.is_dir():
        files = sorted(path.glob("*.safetensors"))
        if not files:
            raise BadInput("no *.safetensors in this folder", where=str(path), fix=HOW)
        sizes: dict[str, int] = {}
        for file in files:
            sizes.update(_sizes(_header(file), file))
        return Tensors(sizes, sum(file.stat().st_size for file in files))
    value = read_json(path, HOW)
    if isinstance(value, list):
        return Tensors({}, _listed(value, path))
    if not isinstance(value, dict):
        raise BadInput("neither headers nor a listing", where=str(path), fix=HOW)
    sizes, total = dict(_sizes(value, path)), _total(value, path)
    if not sizes and total is None:
        raise BadInput("no tensor with dtype and shape in it, and no total_size", where=str(path), fix=HOW)
    return Tensors(sizes, total)


def _header(path: Path) -> dict[str, Any]:
    """The header of one safetensors file: its length in 8 bytes, little-endian, then JSON."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= LONGEST_HEADER:
                raise BadInput(f"a header of {length:,} bytes is none", where=str(path), fix="fetch the file again")
            value = json.loads(file.read(length))
    except OSError as error:
        raise BadInput(f"can't read it: {error.strerror}", where=str(path), fix=HOW) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"its header can't be read: {error}", where=str(path), fix="fetch the file again") from None
    if not isinstance(value, dict):
        raise BadInput("its header is not an object", where=str(path), fix="fetch the file again")
    return value


def _sizes(value: Mapping[str, Any], path: Path) -> Iterator[tuple[str, int]]:
    """Every tensor in a header, or in headers by file name, however they are wrapped."""
    waiting: list[tuple[str, Any, int]] = [(name, each, 1) for name, each in value.items()]
    while waiting:
        name, each, depth = waiting.pop()
        if not isinstance(each, dict) or name == "__metadata__":
            continue
        if "dtype" in each and "shape" in each:
            yield name, _bytes(name, each, path)
        elif depth < DEEPEST:
            waiting += [(inner, part, depth + 1) for inner, part in each.items()]


def _bytes(name: str, told: Mapping[str, Any], path: Path) -> int:
    bits, shape = BITS.get(str(told["dtype"]).upper()), told["shape"]
    if bits is None:
        raise BadInput(f"tensor {name[:80]!r}: unknown dtype {str(told['dtype'])[:20]!r}", where=str(path), fix=HOW)
    if (
        not isinstance(shape, list)
        or len(shape) > MOST_SIDES
        or not all(type(side) is int and 0 <= side < 2**40 for side in shape)
    ):
        raise BadInput(f"tensor {name[:80]!r}: its shape is not a list of whole numbers", where=str(path), fix=HOW)
    return -(-prod(shape) * bits // 8)


def _listed(value: list[Any], path: Path) -> int:
    """Bytes of the weight files in a hub's listing (path and size of each)."""
    sizes = [
        each["size"]
        for each in value
        if isinstance(each, dict)
        and str(each.get("path", "")).endswith(".safetensors")
        and type(each.get("size")) is int
    ]
    if not sizes or min(sizes) < 0:
        raise BadInput("no *.safetensors with its size in this listing", where=str(path), fix=HOW)
    return sum(sizes)


def _total(value: Mapping[str, Any], path: Path) -> int | None:
    """total_size of an index file, which counts tensors alone."""
    metadata = value.get("metadata")
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    if total is None:
        return None
    if not isinstance(total, int | float) or isinstance(total, bool) or not 0 < total < 1e18:
        raise BadInput(f"total_size is {str(total)[:40]}", where=str(path), fix=HOW)
    return int(total)
