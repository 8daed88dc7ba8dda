"""A registry is the directory listing: one new file is all it takes."""

import os
import shutil

import pytest

from inventories.errors import BadInput
from inventories.load import HERE, load, names, overridden


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BEACHHEAD_INVENTORIES", str(tmp_path))
    return tmp_path


def put(folder, name, text=None):
    text = text or (HERE / "a100x4.yaml").read_text()
    path = folder / f"{name}.yaml"
    path.write_text(text.replace("name: a100x4\n", f"name: {name}\n", 1))
    return path


def test_a_file_in_a_further_folder_appears(folder):
    assert "ours" not in names()
    put(folder, "ours")
    assert "ours" in names() and "a100x4" in names()
    assert load("ours").name == "ours"


def test_several_folders_and_empty_entries(tmp_path, monkeypatch):
    for n in ("one", "two"):
        (tmp_path / n).mkdir()
        put(tmp_path / n, n)
    monkeypatch.setenv("BEACHHEAD_INVENTORIES", os.pathsep.join([str(tmp_path / "one"), "", str(tmp_path / "two")]))
    assert {"one", "two"} <= set(names())


def test_the_same_folder_named_twice_is_one_folder(folder, monkeypatch):
    put(folder, "ours")
    monkeypatch.setenv("BEACHHEAD_INVENTORIES", os.pathsep.join([str(folder), str(folder), str(HERE)]))
    assert load("ours").name == "ours" and load("a100x4").name == "a100x4"


def test_hidden_files_are_no_inventories(folder):
    put(folder, "ours").rename(folder / ".ours.yaml")
    assert ".ours" not in names()


def test_the_same_name_in_two_folders_is_refused_not_guessed(folder):
    put(folder, "a100x4")
    with pytest.raises(BadInput) as caught:
        load("a100x4")
    assert "exists twice" in caught.value.what
    assert str(folder / "a100x4.yaml") in caught.value.where and str(HERE) in caught.value.where


def test_a_missing_folder_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("BEACHHEAD_INVENTORIES", str(tmp_path / "gone"))
    with pytest.raises(BadInput, match="not a folder") as caught:
        names()
    assert "BEACHHEAD_INVENTORIES" in caught.value.where


def test_a_path_is_loaded_without_any_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("BEACHHEAD_INVENTORIES", raising=False)
    assert load(str(put(tmp_path, "mine"))).name == "mine"


def test_a_file_under_another_name_is_refused(tmp_path):
    path = tmp_path / "other.yaml"
    shutil.copy(HERE / "a100x4.yaml", path)
    with pytest.raises(BadInput) as caught:
        load(str(path))
    assert "a100x4" in caught.value.what and "name: other" in caught.value.fix


def test_variables_defaults_and_numbers(tmp_path, monkeypatch):
    monkeypatch.setenv("BEACHHEAD_PORT", "8123")
    monkeypatch.setenv("BEACHHEAD_EMPTY", "")
    text = (HERE / "a100x4.yaml").read_text() + (
        "  live_port: ${BEACHHEAD_PORT}\n"
        "  live_address: 'a-${BEACHHEAD_NOT_SET:-b}-${BEACHHEAD_EMPTY:-c}${BEACHHEAD_EMPTY}'\n"
    )
    serving = load(str(put(tmp_path, "vars", text))).serving
    assert (serving.live_port, serving.live_address) == (8123, "a-b-c")


def test_a_value_from_the_environment_is_not_expanded_again(tmp_path, monkeypatch):
    monkeypatch.setenv("BEACHHEAD_ONE", "${HOME}")
    text = (HERE / "a100x4.yaml").read_text() + "  live_address: ${BEACHHEAD_ONE}\n"
    assert load(str(put(tmp_path, "once", text))).serving.live_address == "${HOME}"


def test_an_override_is_a_checked_copy():
    inventory = load("a100x4")
    changed = overridden(inventory, context_tokens=4096)
    assert (changed.serving.context_tokens, inventory.serving.context_tokens) == (4096, 262144)
    assert overridden(inventory) == inventory
    assert overridden(changed, context_tokens=262144) == inventory


def test_an_override_that_does_not_hold_is_bad_input():
    with pytest.raises(BadInput) as caught:
        overridden(load("a100x4"), context_tokens=1)
    assert "serving.context_tokens" in caught.value.what and "(got 1)" in caught.value.what
    assert "a100x4" in caught.value.where
