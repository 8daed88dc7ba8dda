"""Every shipped inventory loads, fits the committed schema, and says what its file name says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from inventories import figures
from inventories.load import HERE, SCHEMA_FILE, load, names, schema_text
from rehearsal.checkpoint import checkpoints

EXPECTED = [
    "a100x16", "a100x2", "a100x4", "a100x8", "a40x8", "b200x8", "h100x4", "h100x8", "h200x8", "k8s-h200x8",
    "mac-studio-m3-ultra", "rehearsal", "rtx4090x8",
]  # fmt: skip


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("BEACHHEAD_INVENTORIES", "BEACHHEAD_CHECKOUT", "BEACHHEAD_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)


def test_the_shipped_inventories_are_there():
    assert set(EXPECTED) <= set(names())


@pytest.mark.parametrize("name", EXPECTED)
def test_it_loads_under_its_own_name(name):
    inventory = load(name)
    assert inventory.name == name
    assert inventory.proves and inventory.does_not_prove
    for host in inventory.hosts:
        assert host.gpu is None or figures.gpu(host.gpu).memory_gib.value > 0
    for model in (inventory.model, *inventory.probes):
        assert figures.model(model.catalog).config_path().is_file()


@pytest.mark.parametrize("name", EXPECTED)
def test_an_editor_with_the_schema_accepts_it_as_written(name):
    text = (HERE / f"{name}.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=./inventory.schema.json\n# ")
    jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(yaml.safe_load(text))


def test_the_committed_schema_is_current():
    assert SCHEMA_FILE.read_text() == schema_text(), "run: python -m inventories.load --write-schema"


def test_the_schema_refuses_unknown_keys_everywhere():
    schema = json.loads(SCHEMA_FILE.read_text())
    shapes = [schema, *schema["$defs"].values()]
    assert len(shapes) > 10
    assert all(shape["additionalProperties"] is False for shape in shapes)


def test_without_write_schema_the_command_changes_nothing():
    before = SCHEMA_FILE.stat().st_mtime_ns
    done = subprocess.run([sys.executable, "-m", "inventories.load"], cwd=HERE.parent, capture_output=True, text=True)
    assert done.returncode == 2 and "--write-schema" in done.stderr
    assert SCHEMA_FILE.stat().st_mtime_ns == before


def test_gpu_inventories_are_planned_unpinned_and_use_every_gpu():
    for name in set(EXPECTED) - {"rehearsal"}:
        inventory = load(name)
        assert inventory.kind == "production" and inventory.model.revision is None
        assert all(host.ssh is None for host in inventory.hosts)
        assert inventory.serving.context_tokens == 262144
        ranks = inventory.engine.tensor_parallel * inventory.engine.pipeline_parallel
        assert ranks == sum(host.gpus for host in inventory.hosts)
        counted = re.search(r"x(\d+)$", name)
        assert ranks == (int(counted.group(1)) if counted else 1)


def test_the_rehearsal_pins_the_checkpoints_that_this_repository_makes():
    inventory = load("rehearsal")
    made = {built.repo: built.revision for built in checkpoints()}
    pinned = {figures.model(m.catalog).repo: m.revision for m in (inventory.model, *inventory.probes)}
    assert pinned == made


def test_the_rehearsal_lies_below_the_checkout():
    (host,) = load("rehearsal").hosts
    checkout = Path(__file__).resolve().parents[2]
    assert host.root == f"{checkout}/.rehearsal/host"
    assert host.ssh.identity_file == f"{checkout}/.rehearsal/ssh/id_ed25519"
    assert load("rehearsal").engine.options["find_links"] == ""


def test_the_rehearsal_takes_find_links_from_the_environment(monkeypatch):
    monkeypatch.setenv("BEACHHEAD_FIND_LINKS", "/srv/wheels")
    assert load("rehearsal").engine.options["find_links"] == "/srv/wheels"
