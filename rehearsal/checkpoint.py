"""Writes a tiny checkpoint of Kimi K2's own architecture, the same bytes on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.quantization import GPTQ_INT4, NATIVE_INT4, Stored, gptq_int4, native_int4, plain
from rehearsal.tokenizer import common_files, json_bytes
from rehearsal.weights import CONFIG, Array, tensors


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One repository of the loopback hub: its name and every file's bytes."""

    repo: str
    files: Mapping[str, bytes]

    @property
    def revision(self) -> str:
        """40 hex digits over every name and byte, standing where a git commit would."""
        digest = hashlib.sha1(usedforsecurity=False)
        for name, body in sorted(self.files.items()):
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
        return digest.hexdigest()

    def write(self, folder: Path) -> None:
        """Write every file under `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in self.files.items():
            (folder / name).write_bytes(body)


def _safetensors(stored: Mapping[str, Stored]) -> bytes:
    """One file: 8 bytes of header length, the JSON header, the data (huggingface/safetensors README)."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (dtype, array) in stored.items():
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(a.tobytes() for _, a in stored.values())


def build(
    repo: str, quantization: dict[str, Any] | None, store: Callable[[str, Array], dict[str, Stored]]
) -> Checkpoint:
    """Lay the weights out in three shards with an index, as published checkpoints are."""
    files = common_files()
    files["config.json"] = json_bytes(CONFIG | ({"quantization_config": quantization} if quantization else {}))
    stored: list[dict[str, Stored]] = [{}, {}, {}]
    for name, weight in tensors().items():
        shard = 1 if name.startswith("model.layers.1.") else 2 if "layers" not in name else 0
        stored[shard].update(
            store(name, weight) if store is plain or not name.endswith("bias") else plain(name, weight)
        )
    weight_map: dict[str, str] = {}
    for n, shard_tensors in enumerate(stored, start=1):
        file = f"model-{n:05d}-of-{len(stored):05d}.safetensors"
        files[file] = _safetensors(shard_tensors)
        weight_map |= dict.fromkeys(shard_tensors, file)
    total = sum(array.nbytes for shard_tensors in stored for _, array in shard_tensors.values())
    files["model.safetensors.index.json"] = json_bytes({"metadata": {"total_size": total}, "weight_map": weight_map})
    return Checkpoint(repo, files)


def checkpoints() -> tuple[Checkpoint, ...]:
    """The three repositories of the rehearsal's hub: bf16, Kimi's native INT4, and GPTQ INT4."""
    return (
        build("beachhead/tiny-k2", None, plain),
        build("beachhead/tiny-k2-int4-native", NATIVE_INT4, native_int4),
        build("beachhead/tiny-k2-int4-gptq", GPTQ_INT4, gptq_int4),
    )
