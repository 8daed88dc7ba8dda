"""weights-intact: one wrong byte, size, name or header in any file fails; nothing to compare is UNKNOWN."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assumptions._core import Outcome, Stage
from assumptions.weights_intact import Checkpoint, judge, observe, tables
from tasks.checkpoints import HubRefused, hub_tree
from tasks.facts.weights import DiskFile, DiskFiles
from tasks.fake import FakeHost
from tasks.hosts import Ran, now
from tasks.site import Site
from tests.recorded import recordings

INVENTORY = recordings.rehearsal()
SHARD, SMALL = "model-00002-of-00003.safetensors", "config.json"


def _recorded(suffix: str, name: str) -> Checkpoint:
    return Checkpoint(f"beachhead/{name}", "9" * 40, recordings.hub_tree(suffix), recordings.disk_files(suffix))


MAIN, NATIVE = _recorded("", "tiny-k2"), _recorded("-native", "tiny-k2-int4-native")
HEALTHY = (MAIN, NATIVE)


def spoilt(path: str, change: Callable[[DiskFile], DiskFile]) -> tuple[Checkpoint, ...]:
    found = tuple(change(file) if file.path == path else file for file in NATIVE.found)
    assert found != NATIVE.found
    return (MAIN, replace(NATIVE, found=found))


def test_the_recorded_files_pass() -> None:
    finding = judge(HEALTHY, INVENTORY)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 0.0)
    assert finding.because.startswith("18 files, 0.00")
    assert len(finding.parts) == 4


FAULTS: dict[str, tuple[str, str, tuple[Checkpoint, ...]]] = {
    "flipped byte in a shard": ("", f"{SHARD}: sha256 is 0000", spoilt(SHARD, lambda f: replace(f, sha256="0" * 64))),
    "flipped byte in a small file": (
        "",
        f"{SMALL}: git sha1 is 0000",
        spoilt(SMALL, lambda f: replace(f, git_sha1="0" * 40)),
    ),
    "short file": (
        "",
        f"{SHARD}: size is ",
        spoilt(SHARD, lambda f: replace(f, size=f.size - 1, header_size=f.size - 1)),
    ),
    "no blob digest": ("", f"{SMALL}: git sha1 is None", spoilt(SMALL, lambda f: replace(f, git_sha1=None))),
    "missing file": (
        "",
        f"{SHARD}: missing",
        (MAIN, replace(NATIVE, found=tuple(f for f in NATIVE.found if f.path != SHARD))),
    ),
    "extra file": (
        "",
        "pytorch_model.bin: not part of this commit",
        (MAIN, replace(NATIVE, found=(*NATIVE.found, DiskFile("pytorch_model.bin", 1, "0" * 64, None, None, None)))),
    ),
    "header announces more": (
        ": headers",
        f"{SHARD}: header says ",
        spoilt(SHARD, lambda f: replace(f, header_size=f.size + 1)),
    ),
    "header unreadable": (
        ": headers",
        f"{SHARD}: JSONDecodeError",
        spoilt(SHARD, lambda f: replace(f, header_size=None, header_error="JSONDecodeError")),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_fails_and_names_the_file(fault: str) -> None:
    part, words, seen = FAULTS[fault]
    finding = judge(seen, INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert finding.because.startswith(f"beachhead/tiny-k2-int4-native{part}: {words}")
    assert [p.name for p in finding.parts if p.outcome is not Outcome.PASS] == [f"beachhead/tiny-k2-int4-native{part}"]
    assert finding.value == (0.0 if part else 1.0)


def test_an_empty_folder_fails() -> None:
    finding = judge((replace(MAIN, found=()),), INVENTORY)
    assert (finding.outcome, finding.value) == (Outcome.FAIL, 9.0)


@pytest.mark.parametrize("seen", [(), (Checkpoint("a/b", "9" * 40, (), ()),)], ids=["no checkpoint", "no files"])
def test_nothing_to_compare_is_unknown(seen: tuple[Checkpoint, ...]) -> None:
    assert judge(seen, INVENTORY).outcome is Outcome.UNKNOWN


def test_a_checkpoint_without_safetensors_is_unknown() -> None:
    wanted = tuple(f for f in MAIN.wanted if not f.path.endswith(".safetensors"))
    found = tuple(f for f in MAIN.found if not f.path.endswith(".safetensors"))
    assert judge((replace(MAIN, wanted=wanted, found=found),), INVENTORY).outcome is Outcome.UNKNOWN


def test_a_row_per_published_file_with_the_digest_that_counts() -> None:
    seen = spoilt(SHARD, lambda f: replace(f, sha256="0" * 64))
    rows = tables(seen)["shards"]
    assert len(rows) == 18
    assert [row["path"] for row in rows if not row["ok_digest"]] == [f"beachhead/tiny-k2-int4-native/{SHARD}"]
    assert {row["digest_kind"] for row in rows} == {"sha256", "git-sha1"}
    assert all(row["sha256"] == row["sha256_expected"] for row in rows if row["ok_digest"])


def test_a_missing_file_has_a_row_without_figures() -> None:
    (row,) = [r for r in tables((replace(MAIN, found=MAIN.found[1:]),))["shards"] if r["size"] is None]
    assert (row["sha256"], row["ok_digest"]) == (None, False)


def test_every_host_is_read_and_a_fault_on_the_second_fails(tmp_path: Path) -> None:
    first = INVENTORY.hosts[0]
    both = INVENTORY.model_copy(update={"hosts": (first, first.model_copy(update={"name": "second"})), "probes": ()})
    folder, healthy = tmp_path / "run", recordings.text("disk_files.jsonl")
    spoilt_line = healthy.replace(next(f.sha256 for f in MAIN.found if f.path == SHARD), "0" * 64)
    site = Site(both, folder)
    tree = hub_tree(both, first, both.model)
    files = DiskFiles(tree.python, both.model_dir(both.model.catalog, tree.revision, first))
    hosts = {}
    for name, lines in ((first.name, healthy), ("second", spoilt_line)):
        hosts[name] = FakeHost(name, {tree.command: recordings.text("hub_tree.jsonl"), files.command: lines})
        site.use(name, hosts[name])
    finding = judge(observe(site, Stage.WEIGHTS), both)
    assert all(host.unused() == [] for host in hosts.values())
    assert finding.outcome is Outcome.FAIL
    assert finding.because.startswith(f"second: beachhead/tiny-k2: {SHARD}: sha256 is 0000")
    assert finding.value == 1.0


def test_a_hub_that_is_gone_is_named_as_such(tmp_path: Path) -> None:
    site, spec = Site(INVENTORY, tmp_path / "run"), INVENTORY.hosts[0]
    tree = hub_tree(INVENTORY, spec, INVENTORY.model)
    said = "Retrying in 2s\nhub-status=0 ConnectError: refused\n"
    site.use(spec.name, FakeHost(spec.name, {tree.command: Ran(spec.name, tree.command, 3, "", said, now())}))
    with pytest.raises(HubRefused) as told:
        observe(site, Stage.WEIGHTS)
    assert told.value.what == "the hub could not be reached or broke off: ConnectError: refused"
