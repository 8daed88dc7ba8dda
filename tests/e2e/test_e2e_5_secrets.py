"""The deployment's key is where it must be, and nowhere else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.proving_ground import NAME, ProvingGround

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]


def _files(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, without the engine's installation and the weights."""
    for at, below, names in os.walk(folder):
        below[:] = [name for name in below if name not in ("engines", "models", "tools")]
        yield from (Path(at) / name for name in names)


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _holding(ground: ProvingGround, secret: str) -> set[Path]:
    return {path for path in _files(ground.folder) if path.is_file() and secret.encode() in path.read_bytes()}


def _engine_key(ground: ProvingGround) -> str:
    return (ground.home / NAME / "engine_key").read_text().strip()


def test_the_clients_key_is_in_one_file_that_its_owner_alone_can_read(ground: ProvingGround) -> None:
    ours = ground.home / NAME / "api_key"
    assert _holding(ground, ground.key()) == {ours}  # the host has its digest
    assert _mode(ours) == 0o600
    searched = {path.name for path in _files(ground.folder)}
    assert {"prefect.db", "server.log", "evidence.jsonl", "trail.jsonl", "report.html", "access.log"} <= searched


def test_the_engine_s_key_is_where_engine_and_gateway_read_it(ground: ProvingGround) -> None:
    ours, engine = ground.home / NAME / "engine_key", ground.root / "secrets" / "engine.env"
    holding = _holding(ground, _engine_key(ground))
    assert {ours, engine} < holding
    rest = holding - {ours, engine}
    assert {path.name for path in rest} == {"upstream_key.conf"}
    assert all(_mode(path) == 0o600 for path in holding)
    assert _mode(engine.parent) == 0o700


def test_no_command_line_ever_held_a_key(ground: ProvingGround) -> None:
    seen = ground.command_lines.so_far()
    assert any("vllm.entrypoints" in line for line in seen)
    assert any("nginx" in line for line in seen)
    assert not [line for line in seen if ground.key() in line or _engine_key(ground) in line]
