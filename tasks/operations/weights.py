"""A checkpoint on the host at one commit, fetched by huggingface_hub and compared file by file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inventories.errors import Problem
from tasks.facts.base import look, script
from tasks.facts.disk import DiskFact
from tasks.facts.weights import DiskFile, DiskFiles, HubFile
from tasks.hosts import Host
from tasks.operations.base import Step

MARGIN_BYTES = 10 << 30  # huggingface_hub fetches a broken-off file anew beside the old part: one shard's room


class DiskTooSmall(Problem):
    """The checkpoint won't fit on the host's file system."""


def differing(wanted: Sequence[HubFile], found: Sequence[DiskFile]) -> dict[str, str]:
    """Path to fault: missing, another size, another digest, or a file that the commit doesn't have."""
    on_disk = {file.path: file for file in found}
    faults: dict[str, str] = {}
    for file in wanted:
        have = on_disk.pop(file.path, None)
        if have is None:
            faults[file.path] = "missing"
        elif have.size != file.size:
            faults[file.path] = f"size is {have.size}, should be {file.size}"
        elif file.sha256 is not None and have.sha256 != file.sha256:
            faults[file.path] = f"sha256 is {have.sha256}, should be {file.sha256}"
        elif file.sha256 is None and have.git_sha1 != file.git_sha1:
            faults[file.path] = f"git sha1 is {have.git_sha1}, should be {file.git_sha1}"
    faults.update(dict.fromkeys(on_disk, "not part of this commit"))
    return faults


@dataclass(frozen=True)
class Weights:
    """`folder` holds exactly the files of `repo` at `revision`, as `tree` (the hub's list) has them.

    Only what is missing or different is fetched; a file that differs is deleted first.
    """

    folder: str
    repo: str
    revision: str
    tree: tuple[HubFile, ...]
    endpoint: str
    python: str
    token_file: str
    margin_bytes: int = MARGIN_BYTES

    @property
    def name(self) -> str:
        """For a person."""
        return f"weights {self.repo}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Room first, then bad files away, then one download of what is missing."""
        found = look(host, DiskFiles(self.python, self.folder), timeout=7200)
        faults = differing(self.tree, found)
        if not faults:
            return
        absent = [file for file in self.tree if file.path in faults]
        self._room(host, sum(file.size for file in absent))
        if stale := sorted(path for path, fault in faults.items() if fault != "missing"):
            names = " ".join(shlex.quote(f"{self.folder}/{path}") for path in stale)
            yield Step(f"delete {len(stale)} files that differ from {self.revision[:12]}", f"rm -f {names}")
        if absent:
            size = sum(file.size for file in absent)
            yield Step(
                f"fetch {len(absent)} files, {size / 1e9:.3f} GB, of {self.repo}@{self.revision[:12]}",
                script(self.python, "fetch.py", self.endpoint, self.repo, self.revision, self.folder, self.token_file),
                timeout=max(600.0, size / 5e6),  # 5 MB/s: below that it is stalled, not slow
                stdin="\n".join(file.path for file in absent),
                long=True,
            )

    def _room(self, host: Host, wanted: int) -> None:
        disk = look(host, DiskFact(self.folder))
        margin = min(self.margin_bytes, wanted)
        if disk.free_bytes < wanted + margin:
            raise DiskTooSmall(
                f"{wanted / 1e9:.1f} GB are to be fetched, {margin / 1e9:.1f} GB kept spare, "
                f"and {disk.free_bytes / 1e9:.1f} GB are free",
                where=f"{host.name}: {disk.mount} (holds {self.folder})",
                fix="free room there, or set the host's `root` to a larger file system",
            )
        if disk.free_inodes is not None and disk.free_inodes < len(self.tree) * 4:
            raise DiskTooSmall("the file system has no inodes left", where=disk.mount, fix="delete small files there")
