"""What the hub lists and gives, and what lies in the folder: from the loopback hub and the tiny checkpoint for real."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assumptions import gated_download, huggingface_structure, vendor_checksums
from assumptions._core import Finding, Outcome, Provenance, Stage
from assumptions.gated_download import Login
from assumptions.huggingface_structure import INDEX, Structure
from assumptions.vendor_checksums import Published
from rehearsal.checkpoint import checkpoints
from rehearsal.hub import make_app, running
from tasks.facts.base import NotUnderstood, look
from tasks.facts.checkpoint_layout import CheckpointLayout, Layout
from tasks.facts.hub_access import Access, HubAccess
from tasks.hosts import CommandFailed
from tasks.local import LocalHost
from tests.recorded import recordings
from tests.recorded.scene import Scene

pytestmark = pytest.mark.timeout(180)
HOST, TINY = LocalHost(), checkpoints()[1]
INVENTORY = recordings.rehearsal()
SHARD = "model-00002-of-00003.safetensors"
LISTED = Published(TINY.repo, TINY.revision, recordings.hub_tree("-native"))


def layout(folder: Path) -> Layout:
    return look(HOST, CheckpointLayout(sys.executable, str(folder)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    TINY.write(tmp_path / "model")
    return tmp_path / "model"


LAYOUT = Layout(
    files={name: len(body) for name, body in TINY.files.items()},
    config={"model_type": "kimi_k2", "auto_map": None},
    architectures=("DeepseekV3ForCausalLM",),
    indexed=True,
    index_bytes=1_598_952,
    index_shards=tuple(sorted(name for name in TINY.files if name.endswith(".safetensors"))),
    index_tensors=137,
    misplaced=(),
    misplaced_count=0,
    tensors=137,
    tensor_bytes=1_598_952,
    unreadable={},
)


def structure(**change: object) -> Structure:
    return Structure(TINY.repo, replace(LAYOUT, **change), "")  # type: ignore[arg-type]


def login(status: int, said: str = "") -> Login:
    return Login(TINY.repo, TINY.revision, "https://hub.example", Access("config.json", status, said), False)


def without_digest(path: str) -> Published:
    bare = tuple(replace(file, sha256=None, git_sha1="0" * 40) if file.path == path else file for file in LISTED.files)
    return replace(LISTED, files=bare)


RECORDED_CASES = {
    "gated-download": {
        "pass": lambda: (login(200), "rehearsal"),
        "fail": lambda: (login(401, "GatedRepoError: 401 Client Error."), "rehearsal"),
        "unknown": lambda: (login(429, "HfHubHTTPError: 429 Client Error."), "rehearsal"),
    },
    "vendor-checksums": {
        "pass": lambda: (LISTED, "rehearsal"),
        "fail": lambda: (without_digest(SHARD), "rehearsal"),
        "unknown": lambda: (replace(LISTED, files=LISTED.files[:1]), "rehearsal"),
    },
    "huggingface-structure": {
        "pass": lambda: (structure(), "rehearsal"),
        "fail": lambda: (
            structure(tensors=136, tensor_bytes=1_590_000, misplaced=("a.b",), misplaced_count=1),
            "rehearsal",
        ),
        "unknown": lambda: (structure(index_bytes=None), "rehearsal"),
    },
}


def judged(observation: Structure | Layout) -> Finding:
    seen = Structure(TINY.repo, observation, "") if isinstance(observation, Layout) else observation
    finding = huggingface_structure.judge(seen, INVENTORY)
    assert finding.provenance is Provenance.MEASURED_HERE and len(finding.because) <= 200
    return finding


def failed(finding: Finding) -> set[str]:
    return {part.name for part in finding.parts if part.outcome is Outcome.FAIL}


def test_a_published_checkpoint_has_the_structure(folder: Path) -> None:
    found = layout(folder)
    assert (found.indexed, found.misplaced_count, dict(found.unreadable)) == (True, 0, {})
    assert found.index_bytes == found.tensor_bytes and found.index_tensors == found.tensors > 40
    assert judged(found).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("gone", "parts"),
    [
        ("config.json", {"config"}),
        ("tokenizer.json", {"tokenizer"}),
        ("tokenizer_config.json", {"tokenizer"}),
        (SHARD, {"shards", "tensors", "size"}),
        (INDEX, {"index"}),
    ],
)
def test_a_file_that_is_gone_is_named(folder: Path, gone: str, parts: set[str]) -> None:
    (folder / gone).unlink()
    assert failed(judged(layout(folder))) == parts


def test_a_cut_shard_and_a_lying_index_are_seen(folder: Path) -> None:
    index = json.loads((folder / INDEX).read_text())
    index["metadata"]["total_size"] += 1
    (folder / INDEX).write_text(json.dumps(index))
    assert failed(judged(layout(folder))) == {"size"}
    first, *_ = index["weight_map"]
    index["weight_map"][first] = next(
        file for file in index["weight_map"].values() if file != index["weight_map"][first]
    )
    (folder / INDEX).write_text(json.dumps(index))
    assert failed(judged(layout(folder))) == {"size", "tensors"}
    (folder / SHARD).write_bytes((folder / SHARD).read_bytes()[:100])
    assert "weights" in failed(judged(layout(folder)))


@pytest.mark.parametrize("by", [-4096, 1])
def test_a_shard_of_another_length_than_its_header_tells_is_seen(folder: Path, by: int) -> None:
    data = (folder / SHARD).read_bytes()
    (folder / SHARD).write_bytes(data[:by] if by < 0 else data + bytes(by))
    found = layout(folder)
    assert f"the file has {len(data) + by}" in found.unreadable[SHARD]
    assert "weights" in failed(judged(found))


def test_an_index_and_a_config_that_are_no_json_are_seen(folder: Path) -> None:
    (folder / INDEX).write_text("{")
    (folder / "config.json").write_text("[]")
    found = layout(folder)
    assert INDEX in found.unreadable and found.config is None
    assert failed(judged(found)) == {"config", "index"}


def test_own_code_must_be_there_and_is_told(folder: Path) -> None:
    seen = Structure(TINY.repo, layout(folder), "tokenization_kimi.py")
    assert failed(judged(seen)) == {"own code"}
    (folder / "tokenization_kimi.py").write_text("")
    finding = judged(replace(seen, layout=layout(folder)))
    assert finding.outcome is Outcome.PASS and "--trust-remote-code" in finding.notes[0]


def test_one_file_needs_no_index_and_an_index_without_a_size_is_unknown() -> None:
    one = {name: size for name, size in LAYOUT.files.items() if name == SHARD or not name.endswith(".safetensors")}
    assert judged(structure(files=one, indexed=False)).outcome is Outcome.PASS
    assert judged(structure(index_bytes=None)).outcome is Outcome.UNKNOWN


def test_no_folder_is_an_error_and_no_layout_is_not_understood(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        layout(tmp_path / "nothing")
    for text in ("", "[]", "{}", json.dumps({"files": {}})):
        with pytest.raises(NotUnderstood):
            CheckpointLayout("python", "/x").parse(text)


def test_every_weight_file_needs_a_sha256() -> None:
    finding = vendor_checksums.judge(LISTED, INVENTORY)
    assert (finding.outcome, finding.value, finding.limit) == (Outcome.PASS, 0.0, 0.0)
    lacking = vendor_checksums.judge(without_digest(SHARD), INVENTORY)
    assert lacking.outcome is Outcome.FAIL and SHARD in lacking.because


def test_git_digests_are_enough_for_small_files_and_none_is_not() -> None:
    assert vendor_checksums.judge(without_digest("config.json"), INVENTORY).outcome is Outcome.PASS
    bare = tuple(replace(f, git_sha1=None) if f.path == "config.json" else f for f in LISTED.files)
    assert vendor_checksums.judge(replace(LISTED, files=bare), INVENTORY).outcome is Outcome.FAIL


@pytest.fixture(params=[None, "hf_secret"], ids=["open", "gated"])
def hub(request: pytest.FixtureRequest) -> Iterator[tuple[str, bool]]:
    with running(make_app([TINY], token=request.param)) as endpoint:
        yield endpoint, request.param is not None


def test_a_hub_that_wants_a_login_fails_and_an_open_one_passes(hub: tuple[str, bool]) -> None:
    endpoint, gated = hub
    answer = look(HOST, HubAccess(sys.executable, endpoint, TINY.repo, TINY.revision))
    finding = gated_download.judge(Login(TINY.repo, TINY.revision, endpoint, answer, gated), INVENTORY)
    assert (answer.status, finding.outcome) == ((401, Outcome.FAIL) if gated else (200, Outcome.PASS))
    assert not gated or any("GatedRepo" in note for note in finding.notes)


def test_a_file_that_is_not_there_says_nothing_about_a_login() -> None:
    with running(make_app([TINY])) as endpoint:
        answer = look(HOST, HubAccess(sys.executable, endpoint, TINY.repo, TINY.revision, "no-such.json"))
    assert gated_download.judge(login(answer.status, answer.said), INVENTORY).outcome is Outcome.UNKNOWN
    assert answer.status == 404


def test_a_hub_that_is_down_is_an_error() -> None:
    with pytest.raises(CommandFailed):
        look(HOST, HubAccess(sys.executable, "http://127.0.0.1:9", TINY.repo, TINY.revision))
    with pytest.raises(NotUnderstood):
        HubAccess("python", "http://hub", "a/b", "0" * 40).parse("200")


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "PASS"), (401, "FAIL"), (403, "FAIL"), (404, "UNKNOWN"), (503, "UNKNOWN")]
)
def test_only_a_refusal_of_access_is_a_fail(status: int, outcome: str) -> None:
    assert str(gated_download.judge(login(status), INVENTORY).outcome) == outcome


@pytest.mark.parametrize("claim_id", ["gated-download", "huggingface-structure", "vendor-checksums"])
def test_the_recorded_rehearsal_passes_with_its_raw_record(claim_id: str, tmp_path: Path) -> None:
    record = Scene(tmp_path, Stage.WEIGHTS, None).judged(claim_id)
    assert record.finding.outcome is Outcome.PASS, record.finding
    assert record.trail and not record.not_again
