"""What a checkpoint's folder on the host holds: its files, and what config, index and headers say of each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.facts.base import NotUnderstood, script

ROWS = ("architectures", "index_shards", "misplaced")


@dataclass(frozen=True, slots=True)
class Layout:
    """Bytes by file; the config's names; the index beside the safetensors headers.  `config` None: not readable.

    `index_bytes` is the index's own metadata.total_size, `tensor_bytes` the sum of all headers; `misplaced` names
    tensors that the index puts into a shard whose header lacks them, five at the most of `misplaced_count`.
    """

    files: Mapping[str, int]
    config: Mapping[str, Any] | None
    architectures: tuple[str, ...]
    indexed: bool
    index_bytes: int | None
    index_shards: tuple[str, ...]
    index_tensors: int
    misplaced: tuple[str, ...]
    misplaced_count: int
    tensors: int
    tensor_bytes: int
    unreadable: Mapping[str, str]


@dataclass(frozen=True)
class CheckpointLayout:
    """The folder's layout; headers are read, weights are not.

    Sample: {"files": {"config.json": 1119, …}, "config": {"model_type": "kimi_k2", "auto_map": null}, …}
    """

    python: str
    folder: str

    @property
    def command(self) -> str:
        """One JSON document."""
        return script(self.python, "checkpoint_layout.py", self.folder)

    def parse(self, stdout: str) -> Layout:
        """Read the document; all of its fields must be there, with their types."""
        try:
            told = json.loads(stdout)
            found = Layout(**{**told, **{name: tuple(told[name]) for name in ROWS}})
        except (ValueError, TypeError, KeyError, AttributeError):
            raise NotUnderstood(self, stdout) from None
        numbers = (found.index_tensors, found.misplaced_count, found.tensors, found.tensor_bytes, *found.files.values())
        if not found.files or not all(type(each) is int for each in numbers):
            raise NotUnderstood(self, stdout)
        return found
