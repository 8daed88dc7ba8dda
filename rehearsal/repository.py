"""A checkpoint as the hub stores it: git blobs, with LFS pointers in place of the weights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from rehearsal.checkpoint import Checkpoint

LFS_SUFFIX = ".safetensors"
COMMITTED_AT = "2026-01-01T00:00:00.000Z"  # the rehearsal's only commit; made up, and the same everywhere


def _blob_id(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class File:
    """One file of a repository; `sha256` and `pointer` are there for LFS files only."""

    path: str
    body: bytes
    blob_id: str
    sha256: str | None
    pointer: bytes | None

    @classmethod
    def of(cls, path: str, body: bytes) -> File:
        """Hash `body` as git does, or as git-lfs does where the name asks for it."""
        if not path.endswith(LFS_SUFFIX):
            return cls(path, body, _blob_id(body), None, None)
        sha256 = hashlib.sha256(body).hexdigest()
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(body)}\n".encode()
        return cls(path, body, _blob_id(pointer), sha256, pointer)

    @property
    def etag(self) -> str:
        """What the hub's ETag says: the content's SHA-256 for LFS files, the blob id for others."""
        return f'"{self.sha256 or self.blob_id}"'

    def _lfs(self, digest_key: str) -> dict[str, Any]:
        if self.pointer is None:
            return {}
        return {"lfs": {digest_key: self.sha256, "size": len(self.body), "pointerSize": len(self.pointer)}}

    def entry(self, *, commit: str, expand: bool) -> dict[str, Any]:
        """Its line in a tree listing; `expand` adds the last commit."""
        line = {"type": "file", "oid": self.blob_id, "size": len(self.body), "path": self.path} | self._lfs("oid")
        if expand:
            last = {"id": commit, "title": "Add checkpoint", "date": COMMITTED_AT}
            line |= {"lastCommit": last, "securityFileStatus": None}
        return line

    def sibling(self, *, blobs: bool) -> dict[str, Any]:
        """Its line in the model's description; `blobs` adds size and hashes."""
        if not blobs:
            return {"rfilename": self.path}
        return {"rfilename": self.path, "size": len(self.body), "blobId": self.blob_id} | self._lfs("sha256")


@dataclass(frozen=True, slots=True)
class Repository:
    """One model repository with one commit, which `main` points at."""

    name: str
    commit: str
    files: dict[str, File]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Repository:
        """Commit a checkpoint's files."""
        files = {path: File.of(path, body) for path, body in sorted(checkpoint.files.items())}
        return cls(checkpoint.repo, checkpoint.revision, files)

    def has(self, revision: str) -> bool:
        """Whether `revision` names its commit."""
        return revision in ("main", "refs/heads/main", self.commit)

    def tree(self, *, folder: str, recursive: bool, expand: bool) -> list[dict[str, Any]]:
        """Files below `folder`, at any depth when `recursive`; folders themselves are not listed."""
        prefix = f"{folder}/" if folder else ""
        below = (file for path, file in self.files.items() if path.startswith(prefix))
        return [
            file.entry(commit=self.commit, expand=expand)
            for file in below
            if recursive or "/" not in file.path.removeprefix(prefix)
        ]

    def description(self, *, blobs: bool, gated: bool) -> dict[str, Any]:
        """What the hub says about the model as a whole."""
        return {
            "_id": self.commit[:24],
            "id": self.name,
            "modelId": self.name,
            "author": self.name.partition("/")[0],
            "sha": self.commit,
            "createdAt": COMMITTED_AT,
            "lastModified": COMMITTED_AT,
            "private": False,
            "gated": "manual" if gated else False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": [file.sibling(blobs=blobs) for file in self.files.values()],
        }
