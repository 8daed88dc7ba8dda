"""weights-integrity-at-load: a file written after the check or the load fails, one touched otherwise is UNKNOWN."""

import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assumptions._core import Evidence, Finding, Outcome, Provenance, Severity, Stage
from assumptions._ledger import Ledger
from assumptions._serving_verified import Verified, verified
from assumptions.weights_integrity_at_load import Loaded, OnHost, judge
from tasks.facts.base import look
from tasks.facts.file_times import FileTime, FileTimes, FileTimesFact
from tasks.local import LocalHost
from tasks.site import Site
from tests.recorded import recordings

INVENTORY = recordings.rehearsal()
FOLDER = "/srv/models/tiny"
WRITTEN, CHECKED, BEGAN, NOW = 1000.0, 2000.0, 2500.0, 9000.0
FILES = (
    FileTime("", True, 4096, 1, WRITTEN, WRITTEN),
    FileTime("config.json", False, 1119, 2, WRITTEN, WRITTEN),
    FileTime("model.safetensors", False, 5_000_000, 3, WRITTEN + 5, WRITTEN + 5),
)
HEALTHY = Loaded(
    folder=FOLDER,
    named=(FOLDER,),
    began=BEGAN,
    hosts=(OnHost("h1", FileTimes(NOW, FILES), 0.0, 0.05),),
    verified=Verified("run-1", CHECKED, True),
)


def with_file(path: str, **times: float) -> Loaded:
    files = tuple(replace(file, **times) if file.path == path else file for file in FILES)  # type: ignore[arg-type]
    assert files != FILES
    return replace(HEALTHY, hosts=(replace(HEALTHY.hosts[0], times=FileTimes(NOW, files)),))


def outcomes(seen: Loaded) -> dict[str, Outcome]:
    return {part.name: part.outcome for part in judge(seen, INVENTORY).parts}


def test_untouched_files_pass() -> None:
    finding = judge(HEALTHY, INVENTORY)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 2.0)
    assert set(outcomes(HEALTHY)) == {"folder", "verified", "h1: since verified", "h1: since loaded"}


def test_files_may_be_verified_after_the_load_as_long_as_nothing_changed() -> None:
    assert judge(replace(HEALTHY, verified=Verified("run-2", BEGAN + 100, True)), INVENTORY).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("at", "parts"),
    [
        (CHECKED + 10, ("h1: since verified",)),
        (BEGAN + 10, ("h1: since verified", "h1: since loaded")),
    ],
)
def test_a_file_written_afterwards_fails(at: float, parts: tuple[str, ...]) -> None:
    seen = with_file("model.safetensors", written=at, changed=at)
    finding = judge(seen, INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert "model.safetensors was written" in finding.because
    assert tuple(name for name, outcome in outcomes(seen).items() if outcome is Outcome.FAIL) == parts


@pytest.mark.parametrize("path", ["model.safetensors", ""])
def test_a_changed_inode_with_an_old_time_of_writing_is_unknown(path: str) -> None:
    seen = with_file(path, changed=CHECKED + 10)
    assert judge(seen, INVENTORY).outcome is Outcome.UNKNOWN
    assert outcomes(seen)["h1: since verified"] is Outcome.UNKNOWN


def test_within_the_clocks_uncertainty_nothing_is_said() -> None:
    assert judge(with_file("config.json", written=CHECKED, changed=CHECKED), INVENTORY).outcome is Outcome.UNKNOWN


def test_the_hosts_clock_is_taken_into_account() -> None:
    seen = with_file("config.json", written=CHECKED + 30, changed=CHECKED + 30)
    ahead = replace(seen, hosts=(replace(seen.hosts[0], ahead_s=60.0),))
    assert judge(seen, INVENTORY).outcome is Outcome.FAIL
    assert judge(ahead, INVENTORY).outcome is Outcome.PASS


FAULTS: dict[str, tuple[str, Outcome, Loaded]] = {
    "never verified": ("verified", Outcome.UNKNOWN, replace(HEALTHY, verified=None)),
    "the check failed": ("verified", Outcome.FAIL, replace(HEALTHY, verified=Verified("r", CHECKED, False))),
    "another folder": ("folder", Outcome.FAIL, replace(HEALTHY, named=("/srv/models/other",))),
    "two folders": ("folder", Outcome.FAIL, replace(HEALTHY, named=(FOLDER, "/srv/models/other"))),
    "no folder named": ("folder", Outcome.UNKNOWN, replace(HEALTHY, named=())),
    "start not seen": ("h1: since loaded", Outcome.UNKNOWN, replace(HEALTHY, began=None)),
    "empty folder": (
        "h1: files",
        Outcome.FAIL,
        replace(HEALTHY, hosts=(OnHost("h1", FileTimes(NOW, FILES[:1]), 0.0, 0.05),)),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_decides(fault: str) -> None:
    part, outcome, seen = FAULTS[fault]
    assert judge(seen, INVENTORY).outcome is outcome
    assert outcomes(seen)[part] is outcome


def test_another_host_with_a_changed_file_fails() -> None:
    second = replace(with_file("config.json", written=CHECKED + 9, changed=CHECKED + 9).hosts[0], name="h2")
    assert judge(replace(HEALTHY, hosts=(HEALTHY.hosts[0], second)), INVENTORY).outcome is Outcome.FAIL


# --- real files: what the kernel notes of each way to change one


def seen_of(folder: Path, since: float) -> Loaded:
    host = OnHost("h1", look(LocalHost("h1"), FileTimesFact(str(folder))), 0.0, 0.0)
    return Loaded(str(folder), (str(folder),), since + 5, (host,), Verified("r", since, True))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "a model's folder"
    (folder / "sub").mkdir(parents=True)
    (folder / ".cache").mkdir()
    for name in ("config.json", "sub/model.safetensors", ".cache/lock"):
        (folder / name).write_text(name)
    return folder


def now_on(folder: Path) -> float:
    """The file system's own clock a moment later: it ticks every few milliseconds."""
    subprocess.run(["sleep", "0.05"], check=True)
    mark = folder.parent / "mark"
    mark.touch()
    at = mark.stat().st_ctime
    subprocess.run(["sleep", "0.05"], check=True)
    return at


def test_real_files_that_nobody_touches_pass(model: Path) -> None:
    since = now_on(model)
    (model / "sub/model.safetensors").read_text()
    (model / ".cache/lock").write_text("a downloader's own")
    assert judge(seen_of(model, since), INVENTORY).outcome is Outcome.PASS


def test_every_real_way_to_change_a_file_is_noticed(model: Path) -> None:
    weights = model / "sub/model.safetensors"
    since = now_on(model)
    old = weights.stat()
    weights.write_text("sub/model.safetensorX")
    assert judge(seen_of(model, since), INVENTORY).outcome is Outcome.FAIL
    os.utime(weights, ns=(old.st_atime_ns, old.st_mtime_ns))  # the writer puts the time back
    assert judge(seen_of(model, since), INVENTORY).outcome is Outcome.UNKNOWN


def test_a_file_or_folder_moved_into_its_place_is_noticed(model: Path) -> None:
    other = model.parent / "other"
    (other / "sub").mkdir(parents=True)
    for name in ("config.json", "sub/model.safetensors"):
        (other / name).write_text("made before the check")
    since = now_on(model)
    (other / "config.json").replace(model / "config.json")
    assert judge(seen_of(model, since), INVENTORY).outcome is Outcome.UNKNOWN
    since = now_on(model)
    model.rename(model.parent / "away")
    other.rename(model)
    assert judge(seen_of(model, since), INVENTORY).outcome is Outcome.UNKNOWN


def test_a_deleted_file_is_noticed(model: Path) -> None:
    since = now_on(model)
    (model / "config.json").unlink()
    assert judge(seen_of(model, since), INVENTORY).outcome is Outcome.UNKNOWN


# --- the ledgers


def record(folder: Path, outcome: Outcome, *, model: str = "", claim: str = "weights-intact", minute: int = 0) -> None:
    finding = Finding(outcome, "said", "", "", "", "", Provenance.MEASURED_HERE)
    text = dict.fromkeys(("guide", "states", "remedy", "host", "engine", "product"), "")
    own = f"{INVENTORY.model.catalog}@{INVENTORY.model.revision}"
    at = datetime(2026, 11, 22, 15, minute, tzinfo=UTC)
    Ledger(folder).append(
        Evidence(claim, 1, Stage.WEIGHTS, Severity.BLOCKING, finding=finding, started_at=at, seconds=1.0, trail=(),
                 model=model or own, **text)
    )  # fmt: skip


def test_the_newest_answer_of_this_models_weights_counts(tmp_path: Path) -> None:
    site = Site(INVENTORY, tmp_path / "20261122T150000Z-0003")
    assert verified(site) is None
    record(tmp_path / "20261122T140000Z-0001", Outcome.PASS, minute=1)
    found = verified(site)
    assert found is not None and (found.run, found.held) == ("20261122T140000Z-0001", True)
    assert found.began == datetime(2026, 11, 22, 15, 1, tzinfo=UTC).timestamp()
    record(tmp_path / "20261122T141000Z-0002", Outcome.UNKNOWN)
    record(tmp_path / "20261122T141000Z-0002", Outcome.PASS, model="tiny-k2@other")
    record(tmp_path / "20261122T141000Z-0002", Outcome.PASS, claim="storage-capacity")
    assert verified(site) == found
    record(site.folder, Outcome.FAIL)
    newest = verified(site)
    assert newest is not None and (newest.run, newest.held) == (site.folder.name, False)


def test_a_damaged_ledger_tells_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "20261122T140000Z-0001"
    broken.mkdir()
    (broken / "evidence.jsonl").write_text('{"claim": "weights-intact"}\n')
    assert verified(Site(INVENTORY, tmp_path / "20261122T150000Z-0002")) is None
