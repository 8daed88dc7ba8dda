"""The files of a checkpoint: as the hub lists them, and as they lie on the host."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase

from inventories.errors import Problem
from tasks.facts.base import NotUnderstood, script


class NothingChosen(Problem):
    """The repository has files, and the catalog's globs choose none of them."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub publishes it: `sha256` for large files (LFS), `git_sha1` of the blob for the others."""

    path: str
    size: int
    sha256: str | None
    git_sha1: str | None


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file as it is read back, and what its own safetensors header says of its length (None: no such header)."""

    path: str
    size: int
    sha256: str
    git_sha1: str | None  # None above 64 MiB, where a hub keeps no blob
    header_size: int | None
    header_error: str | None


@dataclass(frozen=True)
class HubTree:
    """The files of `repo` at `revision`, asked of the hub from the host itself with huggingface_hub.

    With `include`, those alone whose path matches one of the globs (a `*` crosses folders).
    Sample line: {"path": "config.json", "size": 1119, "sha256": null, "git_sha1": "ab…"}
    """

    python: str
    endpoint: str
    repo: str
    revision: str
    token_file: str
    include: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """One JSON line a file; the token is read from a file on the host."""
        return script(self.python, "hub_tree.py", self.endpoint, self.repo, self.revision, self.token_file)

    def parse(self, stdout: str) -> tuple[HubFile, ...]:
        """Read the lines; an empty list is not an answer."""
        try:
            files = tuple(HubFile(**json.loads(line)) for line in stdout.splitlines() if line)
        except (ValueError, TypeError):
            raise NotUnderstood(self, stdout) from None
        if not files or not all(_typed(f.path, f.size) and (f.sha256 or f.git_sha1) for f in files):
            raise NotUnderstood(self, stdout)
        if not self.include:
            return files
        chosen = tuple(file for file in files if any(fnmatchcase(file.path, glob) for glob in self.include))
        if not chosen:
            raise NothingChosen(
                f"none of the {len(files)} files matches {', '.join(self.include)}",
                where=f"{self.repo}@{self.revision[:12]}",
                fix=f"correct `include` of the model's entry in the catalog; there is {files[0].path}, for one",
            )
        return chosen


@dataclass(frozen=True)
class DiskFiles:
    """Every file below `folder`, hashed now.

    Sample line: {"path": "config.json", "size": 1119, "sha256": "…", "git_sha1": "…", "header_size": null, …}
    """

    python: str
    folder: str

    @property
    def command(self) -> str:
        """One JSON line a file, hashed by as many threads as there are cores."""
        return script(self.python, "digests.py", self.folder)

    def parse(self, stdout: str) -> tuple[DiskFile, ...]:
        """Read the lines; none means that the folder is empty or missing."""
        try:
            files = tuple(DiskFile(**json.loads(line)) for line in stdout.splitlines() if line)
        except (ValueError, TypeError):
            raise NotUnderstood(self, stdout) from None
        if not all(_typed(f.path, f.size) for f in files):
            raise NotUnderstood(self, stdout)
        return files


def _typed(path: object, size: object) -> bool:
    return isinstance(path, str) and type(size) is int
