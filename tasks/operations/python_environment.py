"""A Python environment on the host, exactly as a lock file says."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.hosts import Host
from tasks.operations.base import Step


@dataclass(frozen=True)
class Uv:
    """The uv of one version in an environment of its own at `folder`."""

    folder: str
    version: str

    @property
    def name(self) -> str:
        """For a person."""
        return f"uv {self.version}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Make the environment with the host's own Python."""
        folder = shlex.quote(self.folder)
        found = host.run(f"{folder}/bin/uv --version 2>/dev/null || echo absent").check().stdout.split()
        if found[:2] != ["uv", self.version]:
            yield Step(
                f"install uv {self.version}",
                f"python3 -m venv --clear {folder} && {folder}/bin/pip install -q uv=={shlex.quote(self.version)}",
            )


@dataclass(frozen=True)
class PythonEnvironment:
    """An environment at `folder` with what `lock` lists and nothing resolved on the host.

    The digest of the lock is written last, so an installation that was cut off is done again.  `find_links` is a
    folder or page with wheels beside the registry's; without it uv finds PyTorch's build by `torch_backend`.
    """

    folder: str
    lock: str
    uv: str
    python: str = "3.11"
    find_links: str = ""
    torch_backend: str = ""

    @property
    def name(self) -> str:
        """For a person."""
        return f"engine {self.folder.rsplit('/', 1)[-1]}"

    @property
    def digest(self) -> str:
        """Of the lock's text."""
        return hashlib.sha256(self.lock.encode()).hexdigest()

    def plan(self, host: Host) -> Iterator[Step]:
        """Install all of it, or nothing."""
        folder, uv = shlex.quote(self.folder), shlex.quote(self.uv)
        marker = f"{folder}/.beachhead-lock"
        if host.run(f"cat {marker} 2>/dev/null || echo absent").check().stdout.strip() == self.digest:
            return
        extra = f" --find-links {shlex.quote(self.find_links)}" if self.find_links else ""
        if self.torch_backend and not self.find_links:
            extra = f" --torch-backend {shlex.quote(self.torch_backend)}"
        yield Step(
            "install the packages of the lock file (some minutes)",
            f"{uv} venv -q --clear --python {shlex.quote(self.python)} {folder} && cat > {folder}/requirements.lock && "
            f"{uv} pip install -q --python {folder}/bin/python --no-deps --compile-bytecode{extra} "
            f"-r {folder}/requirements.lock && echo {self.digest} > {marker}.part && mv {marker}.part {marker}",
            timeout=3600,
            stdin=self.lock,
            long=True,
        )
