"""The loopback hub, judged by the real huggingface_hub client over real HTTP."""

import hashlib
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from rehearsal.checkpoint import Checkpoint, checkpoints
from rehearsal.hub import Faults, make_app, running
from rehearsal.ranges import Unsatisfiable, byte_range

pytestmark = pytest.mark.timeout(180)
TINY = checkpoints()[0]
REPO, COMMIT = TINY.repo, TINY.revision
SHARD = "model-00003-of-00003.safetensors"
SMALL = Checkpoint("beachhead/small", {"config.json": b"{}\n", "deep/er/w.safetensors": bytes(range(256)) * 40})
LARGE = "deep/er/w.safetensors"


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with running(make_app([*checkpoints(), SMALL])) as endpoint:
        yield endpoint


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, {k.lower(): v for k, v in refused.headers.items()}, refused.read()


def download(endpoint: str, to: Path, *, repo: str = REPO, revision: str = COMMIT, token: str | bool = False) -> Path:
    cache = to.parent / "cache"
    return Path(
        snapshot_download(repo, revision=revision, local_dir=to, cache_dir=cache, endpoint=endpoint, token=token)
    )


@pytest.mark.parametrize("revision", [COMMIT, "main"])
def test_a_snapshot_is_the_checkpoint_byte_for_byte(hub: str, tmp_path: Path, revision: str) -> None:
    folder = download(hub, tmp_path / "model", revision=revision)
    assert {name: (folder / name).read_bytes() for name in TINY.files} == dict(TINY.files)


def test_a_snapshot_of_nested_files(hub: str, tmp_path: Path) -> None:
    folder = download(hub, tmp_path / "model", repo=SMALL.repo, revision=SMALL.revision)
    assert (folder / LARGE).read_bytes() == SMALL.files[LARGE]


def test_the_tree_says_sha256_and_size_of_lfs_files_and_blob_ids_of_all(hub: str) -> None:
    listed = {entry.path: entry for entry in HfApi(hub, token=False).list_repo_tree(REPO, revision=COMMIT)}
    assert set(listed) == set(TINY.files)
    for name, body in TINY.files.items():
        assert listed[name].size == len(body)
        if name.endswith(".safetensors"):
            assert listed[name].lfs.sha256 == hashlib.sha256(body).hexdigest()
            assert listed[name].lfs.size == len(body)
        else:
            assert listed[name].lfs is None
            assert listed[name].blob_id == hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


def test_an_expanded_tree_and_a_named_path_agree(hub: str) -> None:
    api = HfApi(hub, token=False)
    listed = {e.path: e for e in api.list_repo_tree(REPO, revision=COMMIT, recursive=True, expand=True)}
    (named,) = api.get_paths_info(REPO, [SHARD, "no-such-file"], revision=COMMIT, expand=True)
    assert named == listed[SHARD]
    assert named.last_commit.oid == COMMIT


def test_git_itself_gives_the_same_blob_ids(hub: str) -> None:
    listed = {entry.path: entry for entry in HfApi(hub, token=False).list_repo_tree(REPO, revision=COMMIT)}
    sha256, size = hashlib.sha256(TINY.files[SHARD]).hexdigest(), len(TINY.files[SHARD])
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    for name, stored in (("config.json", TINY.files["config.json"]), (SHARD, pointer)):
        git = subprocess.run(["git", "hash-object", "--stdin"], input=stored, capture_output=True, check=True)
        assert listed[name].blob_id == git.stdout.decode().strip()
    assert listed[SHARD].lfs.pointer_size == len(pointer)


def test_model_info_with_and_without_hashes(hub: str) -> None:
    api = HfApi(hub, token=False)
    assert api.model_info(REPO).sha == COMMIT
    siblings = {s.rfilename: s for s in api.model_info(REPO, revision=COMMIT, files_metadata=True).siblings}
    assert siblings[SHARD].lfs.sha256 == hashlib.sha256(TINY.files[SHARD]).hexdigest()
    assert api.file_exists(REPO, SHARD) and not api.file_exists(REPO, "nope")


def test_checksums_pass_and_then_fail_for_a_flipped_byte(hub: str, tmp_path: Path) -> None:
    folder, api = download(hub, tmp_path / "model"), HfApi(hub, token=False)
    good = api.verify_repo_checksums(REPO, revision=COMMIT, local_dir=folder)
    assert (good.checked_count, good.mismatches, good.missing_paths, good.extra_paths) == (len(TINY.files), [], [], [])
    body = bytearray((folder / SHARD).read_bytes())
    body[1000] ^= 1
    (folder / SHARD).write_bytes(body)
    bad = api.verify_repo_checksums(REPO, revision=COMMIT, local_dir=folder)
    assert [mismatch["path"] for mismatch in bad.mismatches] == [SHARD]


def test_an_interrupted_file_is_resumed_where_it_stopped(hub: str) -> None:
    url, body = f"{hub}/{REPO}/resolve/{COMMIT}/{SHARD}", TINY.files[SHARD]
    status, headers, rest = get(url, Range="bytes=100000-")
    assert (status, rest) == (206, body[100000:])
    assert headers["content-range"] == f"bytes 100000-{len(body) - 1}/{len(body)}"
    assert headers["accept-ranges"] == "bytes" and headers["x-repo-commit"] == COMMIT
    assert headers["x-linked-size"] == str(len(body)) and headers["x-linked-etag"] == headers["etag"]
    status, headers, _ = get(url, Range=f"bytes={len(body)}-")
    assert (status, headers["content-range"]) == (416, f"bytes */{len(body)}")


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("bytes=0-0", range(1)),
        ("bytes=3-", range(3, 10)),
        ("bytes=-4", range(6, 10)),
        ("bytes=-40", range(10)),
        ("bytes=5-99", range(5, 10)),
        ("bytes=0-1,3-4", None),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("lines=1-2", None),
    ],
)
def test_range_headers(header: str | None, wanted: range | None) -> None:
    assert byte_range(header, 10) == wanted


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_ranges_outside_the_body(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        byte_range(header, 10)


def test_each_kind_of_absence_has_its_own_error(hub: str, tmp_path: Path) -> None:
    api = HfApi(hub, token=False)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("beachhead/absent")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(REPO, revision="0" * 40)
    with pytest.raises(RevisionNotFoundError):
        list(api.list_repo_tree(REPO, revision="0" * 40))
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(REPO, "absent.json", revision=COMMIT, local_dir=tmp_path)
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(REPO, "absent", revision=COMMIT))


def test_a_gated_repository_wants_its_token(tmp_path: Path) -> None:
    with running(make_app([SMALL], token="hf_right")) as endpoint:
        with pytest.raises(GatedRepoError):
            download(endpoint, tmp_path / "none", repo=SMALL.repo, revision=SMALL.revision)
        with pytest.raises(HfHubHTTPError, match="Invalid credentials") as refused:
            download(endpoint, tmp_path / "wrong", repo=SMALL.repo, revision=SMALL.revision, token="hf_wrong")
        assert refused.value.response.status_code == 401
        folder = download(endpoint, tmp_path / "x", repo=SMALL.repo, revision=SMALL.revision, token="hf_right")
        assert (folder / LARGE).read_bytes() == SMALL.files[LARGE]


def test_429_twice_and_then_the_answer() -> None:
    with running(make_app([SMALL], faults=Faults(rate_limit_first_n=2))) as endpoint:
        began = time.monotonic()
        listed = list(HfApi(endpoint, token=False).list_repo_tree(SMALL.repo, recursive=True))
        assert {entry.path for entry in listed} == set(SMALL.files)
        assert time.monotonic() - began >= 2  # the client waited twice for the second that Retry-After named


def test_429_names_its_delay() -> None:
    with running(make_app([SMALL], faults=Faults(rate_limit_first_n=1))) as endpoint:
        status, headers, _ = get(f"{endpoint}/api/models/{SMALL.repo}")
        assert (status, headers["retry-after"]) == (429, "1")
        assert get(f"{endpoint}/api/models/{SMALL.repo}")[0] == 200


def test_a_corrupted_body_has_the_right_length_and_the_wrong_checksum(tmp_path: Path) -> None:
    with running(make_app([SMALL], faults=Faults(corrupt=frozenset({LARGE})))) as endpoint:
        folder = download(endpoint, tmp_path / "model", repo=SMALL.repo, revision=SMALL.revision)
        sent = (folder / LARGE).read_bytes()
        assert len(sent) == len(SMALL.files[LARGE])
        assert sum(a != b for a, b in zip(sent, SMALL.files[LARGE], strict=True)) == 1
        bad = HfApi(endpoint, token=False).verify_repo_checksums(SMALL.repo, revision=SMALL.revision, local_dir=folder)
        assert [mismatch["path"] for mismatch in bad.mismatches] == [LARGE]


def test_a_truncated_body_does_not_pass_for_whole(tmp_path: Path) -> None:
    with running(make_app([SMALL], faults=Faults(truncate=frozenset({LARGE})))) as endpoint:
        with pytest.raises(OSError, match="Consistency check failed"):
            download(endpoint, tmp_path / "model", repo=SMALL.repo, revision=SMALL.revision)
        assert not (tmp_path / "model" / LARGE).exists()


def test_a_withheld_file_is_listed_and_absent(tmp_path: Path) -> None:
    with running(make_app([SMALL], faults=Faults(withhold=frozenset({LARGE})))) as endpoint:
        assert LARGE in HfApi(endpoint, token=False).list_repo_files(SMALL.repo)
        with pytest.raises(EntryNotFoundError):
            download(endpoint, tmp_path / "model", repo=SMALL.repo, revision=SMALL.revision)


def test_a_stalled_body_stops_halfway_and_the_hub_lives_on() -> None:
    body = SMALL.files[LARGE]
    with running(make_app([SMALL], faults=Faults(stall=frozenset({LARGE})))) as endpoint:
        url = f"{endpoint}/{SMALL.repo}/resolve/main/{LARGE}"
        with urllib.request.urlopen(url, timeout=1) as answer:
            assert answer.headers["content-length"] == str(len(body))
            assert answer.read(len(body) // 2) == body[: len(body) // 2]
            with pytest.raises(TimeoutError):
                answer.read(1)
        assert get(f"{endpoint}/{SMALL.repo}/resolve/main/config.json")[2] == b"{}\n"
