"""Programs that Debian packages, unpacked into a cache and not installed: Docker's Compose plugin, an image registry.

The site is the one that this machine's own apt uses; only the suite is named here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
COMPOSE_SUITE = "trixie"  # bookworm's docker-compose is version 1, which ended in 2023
PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose"


class ToolMissing(RuntimeError):
    """A package could not be had."""


def cache() -> Path:
    """Where unpacked packages, image layers and the like are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "beachhead-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One at a time, among all processes that use the cache."""
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def unpacked(package: str, suite: str) -> Path:
    """The files of `package` as `suite` has it; fetched at the first call (13 MB for Compose)."""
    folder = cache() / f"{package}-{suite}"
    with alone(package):
        if not folder.exists():
            _fetch(package, suite, folder)
    return folder


def _fetch(package: str, suite: str, folder: Path) -> None:
    if not shutil.which("apt-get") or not KEYS.exists():
        raise ToolMissing("apt-get or debian-archive-keyring is not here")
    with tempfile.TemporaryDirectory(dir=cache()) as scratch:
        room = Path(scratch)
        for part in ("lists/partial", "archives/partial"):
            (room / part).mkdir(parents=True)
        (room / "sources.list").write_text(f"deb [signed-by={KEYS}] {_site()} {suite} main\n")
        (room / "apt.conf").write_text(
            f'Dir::Etc::sourcelist "{room}/sources.list";\nDir::Etc::sourceparts "-";\n'
            f'Dir::State::lists "{room}/lists";\nDir::Cache "{room}";\nAPT::Sandbox::User "root";\n'
        )
        env = {**os.environ, "APT_CONFIG": str(room / "apt.conf")}
        for words in (("update", "-q"), ("download", "-q", package)):
            _run(["apt-get", *words], room, env)
        deb = next(room.glob("*.deb"))
        _run(["dpkg", "-x", str(deb), str(room / "files")], room, env)
        (room / "files").rename(folder)


def _site() -> str:
    """Where this machine's own apt gets Debian's main packages from."""
    asked = ["apt-get", "indextargets", "--format", "$(SITE) $(COMPONENT)", "Origin: Debian", "Created-By: Packages"]
    said = subprocess.run(asked, capture_output=True, text=True, timeout=60).stdout.splitlines()
    sites = [line.split()[0] for line in said if line.endswith(" main") and "security" not in line]
    if not sites:
        raise ToolMissing("apt names no site with Debian's packages; apt-get update first")
    return sites[0]


def _run(words: list[str], folder: Path, env: dict[str, str]) -> None:
    ran = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    if ran.returncode != 0:
        raise ToolMissing(f"{' '.join(words)}: {(ran.stderr or ran.stdout).strip()[-800:]}")


def compose_config(folder: Path) -> Path:
    """A folder for $DOCKER_CONFIG in which Docker finds the Compose plugin."""
    plugins = folder / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    link = plugins / "docker-compose"
    if not link.exists():
        link.symlink_to(unpacked("docker-compose", COMPOSE_SUITE) / PLUGIN)
    return folder
