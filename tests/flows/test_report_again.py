"""A report written anew is the run's own again, also of a run that an older version recorded; nothing is judged."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from assumptions._core import Sense
from assumptions._ledger import NAME, Ledger
from flows import find_run
from flows.cli import main
from flows.report_again import again
from inventories.errors import BadInput
from tasks import chain

ADDED_SINCE = ("limit", "sense")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("runs")
        patch.setenv("BEACHHEAD_EVIDENCE", str(root / "evidence"))
        patch.chdir(root)
        CliRunner().invoke(main, ["plan", "a100x4"], catch_exceptions=False)
        yield find_run.run_folder("a100x4")


def test_it_says_what_the_run_said(folder: Path) -> None:
    first = (folder / "report.html").read_text()
    (folder / "report.html").unlink()
    assert again(folder) == folder / "report.html"
    anew = (folder / "report.html").read_text()
    assert anew == first
    assert "over by 87.25 GiB of weights per GPU" in anew


def test_an_older_runs_records_have_no_limit_and_are_read(folder: Path, tmp_path: Path) -> None:
    older = tmp_path / folder.name
    older.mkdir()
    for name in ("inventory.json", "plan.json", "run.json"):
        (older / name).write_bytes((folder / name).read_bytes())
    (older / "raw").mkdir()
    (older / "raw" / "trail.jsonl").write_bytes((folder / "raw" / "trail.jsonl").read_bytes())
    facts = json.loads((older / "run.json").read_text())
    (older / "run.json").write_text(json.dumps({k: v for k, v in facts.items() if k not in ("price", "waivers")}))
    before, lines = chain.START, []
    for line in (folder / NAME).read_text().splitlines():
        entry = chain.bare(json.loads(line))
        for field in ADDED_SINCE:
            entry.get("finding", {}).pop(field, None)
        linked = chain.linked(entry, before)
        before = str(linked["sha256"])
        lines.append(json.dumps(linked))
    (older / NAME).write_text("".join(f"{line}\n" for line in lines))
    records = Ledger(older).read()
    assert records and all(e.finding.limit is None and e.finding.sense is Sense.LEAST for e in records)
    text = again(older).read_text()
    assert "NO-GO" in text and "no figure with a limit" in text
    assert "an hour of rent: server with 4x A100 80 GB" in text


def test_a_run_that_did_not_end_can_not_be_written_anew(folder: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.mkdir()
    first = (folder / NAME).read_text().splitlines()[0]
    (part / NAME).write_text(first + "\n")
    with pytest.raises(BadInput, match="did not end"):
        again(part)


def test_the_command_writes_it_and_prints_the_verdict(folder: Path) -> None:
    (folder / "report.html").unlink()
    done = CliRunner().invoke(main, ["report", "a100x4", "--again"])
    assert done.exit_code == 1, done.output
    assert "NO-GO" in done.output
    assert (folder / "report.html").exists()
