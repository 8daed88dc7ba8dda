"""The Compose file: snapshots, what `docker compose config` itself makes of them, and that nothing is published."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.compose.file import HEAD, NotOurFile, render, with_service
from tasks.compose.names import Project
from tests.compose import cases

PROJECT = Project(cases.ROOT)
SNAPSHOTS = Path(__file__).with_name("snapshots")
VARIANTS = {
    "cpu": {"engine-8001": cases.spec(cases.inventory())},
    "gpus-by-ids": {"engine-8001": cases.spec(cases.inventory("runtime"))},
    "gpus-by-cdi": {
        "engine-8001": cases.spec(cases.inventory("cdi", gpus=8, mode="blue-green")),
        "engine-8002": cases.spec(cases.inventory("cdi", gpus=8, mode="blue-green"), port=8002),
        "gateway": cases.gateway(),
    },
}


def configured(compose: Path, text: str, folder: Path) -> dict[str, Any]:
    """What Docker Compose understands; its env file is put where a test may write."""
    secrets = folder / "engine.env"
    secrets.write_text("VLLM_API_KEY=0123\n")
    (folder / "compose.yaml").write_text(text.replace(PROJECT.secrets, str(secrets)))
    words = [str(compose / "docker"), "compose", "-f", str(folder / "compose.yaml"), "config", "--format", "json"]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "level=warning" not in ran.stderr, ran.stderr
    value: dict[str, Any] = json.loads(ran.stdout)
    return value


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_file_is_the_snapshot(variant: str) -> None:
    assert render(PROJECT, VARIANTS[variant]) == (SNAPSHOTS / f"{variant}.yaml").read_text()


@pytest.mark.parametrize("variant", VARIANTS)
def test_docker_compose_accepts_it_and_publishes_nothing(variant: str, compose: Path, tmp_path: Path) -> None:
    found = configured(compose, render(PROJECT, VARIANTS[variant]), tmp_path)
    assert found["name"] == "beachhead"
    assert set(found["services"]) == set(VARIANTS[variant])
    for name, service in found["services"].items():
        assert "ports" not in service
        assert service["network_mode"] == "host"
        binds = VARIANTS[variant][name].binds
        assert [volume.get("read_only", False) for volume in service["volumes"]] == [
            not bind.writable for bind in binds
        ]
        assert name == "gateway" or not any(bind.writable for bind in binds)
        assert service["command"] == list(VARIANTS[variant][name].arguments)
    assert "version" not in yaml.safe_load(render(PROJECT, VARIANTS[variant]))


def test_docker_compose_reads_the_gpu_requests(compose: Path, tmp_path: Path) -> None:
    (request,) = _devices(configured(compose, render(PROJECT, VARIANTS["gpus-by-ids"]), tmp_path), "engine-8001")
    assert request == {"driver": "nvidia", "device_ids": ["0", "1", "2", "3"], "capabilities": ["gpu"]}
    both = configured(compose, render(PROJECT, VARIANTS["gpus-by-cdi"]), tmp_path)
    (second,) = _devices(both, "engine-8002")
    assert second["driver"] == "cdi"
    assert second["device_ids"] == [f"nvidia.com/gpu={card}" for card in (4, 5, 6, 7)]


def _devices(found: dict[str, Any], service: str) -> list[dict[str, Any]]:
    devices: list[dict[str, Any]] = found["services"][service]["deploy"]["resources"]["reservations"]["devices"]
    return devices


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=("Cs", "Cc")), max_size=30)
HOSTILE = [
    "$HOME",
    "${X:-y}",
    "$$",
    "1234e5678901",
    "0o17",
    "yes",
    "~",
    "a: b",
    "- x",
    "#no",
    '"',
    "'",
    "{{.X}}",
    " ",
    "٣",
]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, min_size=20, max_size=40))
def test_every_word_reaches_docker_compose_as_it_is(words: list[str], compose: Path, tmp_path: Path) -> None:
    words = [*HOSTILE, *words]
    env: dict[str, str | None] = {f"E{number}": word for number, word in enumerate(words)}
    hostile = replace(VARIANTS["cpu"]["engine-8001"], arguments=tuple(words), env=env, release="1234e5678901")
    service = configured(compose, render(PROJECT, {"engine-8001": hostile}), tmp_path)["services"]["engine-8001"]
    unescaped = [word.replace("$$", "$") for word in service["command"]]  # `config` prints what it would read again
    assert unescaped == words
    assert {name: value.replace("$$", "$") for name, value in service["environment"].items()} == env
    assert service["labels"]["beachhead.release"] == "1234e5678901"


def test_one_service_changes_and_the_others_stay() -> None:
    text = render(PROJECT, VARIANTS["gpus-by-cdi"])
    without = with_service(text, PROJECT, "engine-8002", None)
    assert set(yaml.safe_load(without)["services"]) == {"engine-8001", "gateway"}
    assert with_service(without, PROJECT, "engine-8002", VARIANTS["gpus-by-cdi"]["engine-8002"]) == text
    assert with_service(None, PROJECT, "x", None) == HEAD + "name: beachhead\nservices: {}\n"


@pytest.mark.parametrize("text", ["services: [1]", "a: [", "3", "name: x"])
def test_a_file_that_is_not_ours_is_not_written_over(text: str) -> None:
    with pytest.raises(NotOurFile, match="can't be read"):
        with_service(text, PROJECT, "x", None)
