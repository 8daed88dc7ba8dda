"""The deployment's key is where it must be, and nowhere else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.proving_ground import NAME, ProvingGround

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def _files(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, without the engine's installation and the weights."""
    for at, below, names in os.walk(folder):
        below[:] = [name for name in below if name not in ("engines", "models", "tools")]
        yield from (Path(at) / name for name in names)


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_key_is_in_two_files_that_their_owner_alone_can_read(ground: ProvingGround) -> None:
    key = ground.key().encode()
    holding = {path for path in _files(ground.folder) if path.is_file() and key in path.read_bytes()}
    ours, host = ground.home / NAME / "api_key", ground.root / "secrets" / "engine.env"
    assert holding == {ours, host}
    assert (_mode(ours), _mode(host), _mode(host.parent)) == (0o600, 0o600, 0o700)
    searched = {path.name for path in _files(ground.folder)}
    assert {"prefect.db", "server.log", "evidence.jsonl", "trail.jsonl", "report.html", "gateway.log"} <= searched


def test_no_command_line_ever_held_the_key(ground: ProvingGround) -> None:
    seen = ground.command_lines.seen
    assert any("vllm.entrypoints" in line for line in seen)
    assert any("gateway.py" in line for line in seen)
    assert not [line for line in seen if ground.key() in line]
