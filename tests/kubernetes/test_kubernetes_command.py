"""`beachhead manifests`: YAML on stdout or in a folder, no cluster, no secret."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from flows.cli import main
from inventories.load import HERE
from tests.kubernetes.ground import IMAGE, NGINX


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    """The shipped inventory with what a person fills in."""
    given = yaml.safe_load((HERE / "k8s-h200x8.yaml").read_text())
    given["model"]["revision"] = "c" * 40
    given["serving"]["container"]["image"], given["serving"]["gateway"]["image"] = IMAGE, NGINX
    file = tmp_path / "k8s-h200x8.yaml"
    file.write_text(yaml.safe_dump(given))
    return file


def test_it_prints_every_object_and_no_secret(pinned: Path) -> None:
    ran = CliRunner().invoke(main, ["manifests", str(pinned)])
    assert ran.exit_code == 0, ran.output
    kinds = [one["kind"] for one in yaml.safe_load_all(ran.stdout)]
    assert kinds.count("Deployment") == 2 and "Secret" not in kinds
    assert ran.stdout.startswith("# Secrets are not printed")
    assert CliRunner().invoke(main, ["manifests", str(pinned)]).stdout == ran.stdout


def test_it_writes_one_file_an_object(pinned: Path, tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["manifests", str(pinned), "--out", str(tmp_path / "out")])
    files = sorted((tmp_path / "out").iterdir())
    assert ran.exit_code == 0 and files[0].name == "00-namespace-beachhead.yaml"
    assert all(yaml.safe_load(file.read_text())["kind"] for file in files)
    assert CliRunner().invoke(main, ["manifests", str(pinned), "--out", str(files[0] / "x")]).exit_code == 2


def test_the_shipped_example_has_to_be_filled_in_first() -> None:
    ran = CliRunner().invoke(main, ["manifests", "k8s-h200x8"])
    assert ran.exit_code == 2 and "revision is not pinned" in ran.stderr
    assert CliRunner().invoke(main, ["manifests", "h200x8"]).exit_code == 2
