"""The recordings of huggingface_hub and openai against the installed libraries, so that they can't rot."""

import json

import pytest

from tasks.facts import client_libraries
from tasks.facts.engine_options import RECORDED
from tests.recorded.client_libraries import LIBRARIES


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_installed_library_says_what_was_recorded(library: str) -> None:
    file = sorted(RECORDED.glob(f"{library}-*.json"))[-1]
    recorded = json.loads(file.read_text(encoding="utf-8"))
    asked = json.loads(json.dumps(LIBRARIES[library]()))
    assert {key: recorded[key] for key in asked} == asked, "run python -m tests.recorded.client_libraries"


def test_the_newest_recording_is_taken_and_none_is_none(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    client_libraries._newest.cache_clear()
    monkeypatch.setattr(client_libraries, "RECORDED", tmp_path)
    assert client_libraries.hub() is None and client_libraries.openai() is None
    client_libraries._newest.cache_clear()
    for version in ("2.4.0", "2.10.0"):
        told = {"version": version, "scripts": [], "trials": []}
        (tmp_path / f"huggingface-hub-{version}.json").write_text(json.dumps(told))
    newest = client_libraries.hub()
    assert newest is not None and newest.version == "2.10.0"
    client_libraries._newest.cache_clear()
