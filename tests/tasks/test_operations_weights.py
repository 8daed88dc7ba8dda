"""Fetching from the rehearsal's hub with the real huggingface_hub, and everything that can go wrong on the way."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tasks.checkpoints as checkpoints_of_tasks
import tasks.facts.base as facts
import tasks.facts.weights as facts_weights
import tasks.operations.weights as operations_weights
from inventories.errors import BadInput, Problem
from inventories.figures import model
from inventories.schema import Hub, Inventory
from rehearsal.checkpoint import checkpoints
from rehearsal.hub import Faults, make_app, running
from tasks.checkpoints import HubRefused, fetch, refused
from tasks.engines.vllm import Vllm
from tasks.facts.base import look
from tasks.facts.disk import Disk, DiskFact
from tasks.facts.weights import DiskFiles, NothingChosen
from tasks.hosts import CommandFailed, Ran, now
from tasks.local import LocalHost
from tasks.operations.base import Change, NotConverged
from tasks.operations.weights import DiskTooSmall, Weights, differing
from tasks.site import Site
from tests.recorded import recordings

pytestmark = pytest.mark.timeout(180)
HOST = LocalHost("rehearsal-host")
TINY = checkpoints()[0]
SHARD, SMALL = "model-00002-of-00003.safetensors", "config.json"
TOKEN = "a-token-of-no-known-shape-0123456789"


@dataclass
class Place:
    """A site with this machine as its host and a hub of its own."""

    site: Site
    folder: Path

    def fetch(self) -> Change:
        return fetch(self.site, "rehearsal-host", self.site.inventory.model)

    def fetched(self) -> list[str]:
        """What the fetching units said; a unit's output is read from its file on the host."""
        said = (str(e.get("stdout", "")).strip() for e in self.site.trail.read())
        return [text for text in said if text.startswith("fetched ")]

    def whole(self) -> bool:
        return all((self.folder / name).read_bytes() == body for name, body in TINY.files.items())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(Vllm, "python", lambda self, inventory, host: sys.executable)
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with ExitStack() as stack:

        def make(token: str | None = None, endpoint: str = "", revision: str | None = "", **faults: Any) -> Place:
            app = make_app([TINY], token=token, faults=Faults(**faults))
            endpoint = endpoint or stack.enter_context(running(app))
            inventory = _inventory(tmp_path / "root", endpoint, revision)
            site = Site(inventory, tmp_path / f"run-{len(list(tmp_path.iterdir()))}")
            stack.callback(site.close)
            site.use("rehearsal-host", HOST)
            return Place(site, tmp_path / "root/models/tiny-k2" / TINY.revision)

        yield make


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same code on the host, and nobody waits between two tries."""

    def script(python: str, name: str, *arguments: str) -> str:
        return facts.script(python, name, *arguments).replace(
            " -c '", " -c 'import time; time.sleep = lambda s: None\n", 1
        )

    for module in (facts_weights, operations_weights):
        monkeypatch.setattr(module, "script", script)


def _inventory(root: Path, endpoint: str, revision: str | None) -> Inventory:
    inventory = recordings.rehearsal()
    host = inventory.hosts[0].model_copy(update={"root": str(root)})
    pinned = inventory.model.model_copy(update={"revision": TINY.revision if revision == "" else revision})
    hub = Hub(endpoint=endpoint)
    return inventory.model_copy(update={"hosts": (host,), "hub": hub, "model": pinned})


def with_token(place: Place) -> None:
    site = place.site
    site.inventory = site.inventory.model_copy(
        update={"hub": Hub(endpoint=site.inventory.hub.endpoint, token_env="TEST_HUB_TOKEN")}
    )


def test_the_catalogs_repository_is_the_rehearsals() -> None:
    assert model("tiny-k2").repo == TINY.repo


def test_fetch_then_nothing_then_only_what_differs(place: Any) -> None:
    at = place()
    first = at.fetch()
    assert [step.split(" ")[0] for step in first.steps] == ["make", "fetch"] and at.whole()
    assert "fetch 9 files" in first.steps[1]
    assert at.fetch().steps == ()

    body = bytearray((at.folder / SHARD).read_bytes())
    body[-1] ^= 1
    (at.folder / SHARD).write_bytes(body)
    (at.folder / "left over.bin").write_text("not of this commit")
    untouched = (at.folder / SMALL).stat().st_ino
    again = at.fetch()
    assert again.steps[0].startswith("delete 2 files that differ") and again.steps[1].startswith("fetch 1 files")
    assert at.whole() and not (at.folder / "left over.bin").exists()
    assert (at.folder / SMALL).stat().st_ino == untouched
    assert at.fetched() == ["fetched 9 of 9 files", "fetched 1 of 1 files"]

    (at.folder / "extra").write_text("x")
    assert [step.split(" ")[0] for step in at.fetch().steps] == ["delete"]


def _included(monkeypatch: pytest.MonkeyPatch, *globs: str) -> None:
    known = model("tiny-k2").model_copy(update={"include": globs})
    monkeypatch.setattr(checkpoints_of_tasks, "model", lambda _: known)


def test_of_a_repository_with_many_sizes_only_the_catalogs_files_are_fetched(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _included(monkeypatch, "*-00002-of-*", "config.json")
    at = place()
    assert "fetch 2 files" in at.fetch().steps[1]
    held = sorted(path.name for path in at.folder.rglob("*") if path.is_file() and ".cache" not in path.parts)
    assert held == sorted((SHARD, SMALL))
    assert at.fetch().steps == ()


def test_globs_that_choose_nothing_are_an_error_and_not_an_empty_fetch(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _included(monkeypatch, "UD-Q9_K_XL/*")
    with pytest.raises(NothingChosen, match=r"none of the 9 files matches UD-Q9_K_XL/\*"):
        place().fetch()


def test_planning_fetches_nothing(place: Any, tmp_path: Path) -> None:
    at = place()
    tree = recordings.hub_tree()
    folder = tmp_path / "dry"
    weights = Weights(str(folder), TINY.repo, TINY.revision, tree, at.site.inventory.hub.endpoint, sys.executable, "")
    assert [step.why.split(",")[0] for step in weights.plan(HOST)] == ["fetch 9 files"]
    assert not folder.exists()


@pytest.mark.parametrize(
    ("token", "revision", "status", "fix"),
    [
        (None, "0" * 40, 404, "check the repository's name and the 40-digit revision"),
        ("wanted", "", 401, "set the token that the inventory's hub.token_env names"),
    ],
)
def test_the_hub_refuses_with_what_to_do(place: Any, token: str | None, revision: str, status: int, fix: str) -> None:
    at = place(token=token, revision=revision)
    with pytest.raises(HubRefused) as error:
        at.fetch()
    assert f"the hub answered {status}: " in error.value.what
    assert error.value.fix.startswith(fix) and TINY.repo in error.value.where
    assert not at.folder.exists()


def test_a_wrong_token_is_refused_and_not_written_down(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = place(token="wanted")
    monkeypatch.setenv("TEST_HUB_TOKEN", TOKEN)
    with_token(at)
    with pytest.raises(HubRefused, match="401"):
        at.fetch()
    assert TOKEN not in (at.site.folder / "raw/trail.jsonl").read_text()


def test_the_right_token_lies_in_a_file_of_its_owner_and_nowhere_else(
    place: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at = place(token=TOKEN)
    monkeypatch.setenv("TEST_HUB_TOKEN", TOKEN)
    with_token(at)
    assert at.fetch().steps and at.whole()
    file = tmp_path / "root/secrets/hub_token"
    assert (file.read_text().strip(), file.stat().st_mode & 0o777) == (TOKEN, 0o600)
    holders = [p for p in tmp_path.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()]
    assert holders == [file]


def test_a_token_that_is_not_set_is_bad_input(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = place()
    monkeypatch.delenv("TEST_HUB_TOKEN", raising=False)
    with_token(at)
    with pytest.raises(BadInput, match="TEST_HUB_TOKEN is not set"):
        at.fetch()


def test_too_many_requests_are_waited_out(place: Any) -> None:
    at = place(rate_limit_first_n=2)
    assert at.fetch().steps and at.whole()


def test_an_endpoint_where_nobody_listens(place: Any) -> None:
    with running(make_app([])) as endpoint:
        pass
    at = place(endpoint=endpoint)
    with pytest.raises(HubRefused) as error:
        at.fetch()
    assert "could not be reached or broke off" in error.value.what
    assert error.value.fix.startswith("check that the host reaches hub.endpoint")


def test_a_file_that_is_listed_and_withheld(place: Any) -> None:
    at = place(withhold=frozenset({SHARD}))
    with pytest.raises(HubRefused, match=f"404: {SHARD}"):
        at.fetch()
    assert not (at.folder / SHARD).exists() and (at.folder / SMALL).exists()


def test_a_spoilt_file_is_never_accepted_and_is_fetched_again(place: Any) -> None:
    """The byte count is right, so huggingface_hub takes it; the digests don't."""
    at = place(corrupt=frozenset({SHARD, SMALL}))
    with pytest.raises((NotConverged, HubRefused)) as error:
        at.fetch()
    assert isinstance(error.value, NotConverged) and "delete 2 files" in error.value.what
    assert not at.whole()
    honest = place()
    assert honest.fetch().steps[-1].startswith("fetch 2 files") and honest.whole()


def test_a_file_cut_short_is_never_accepted(place: Any) -> None:
    at = place(truncate=frozenset({SMALL}))
    with pytest.raises((NotConverged, HubRefused)):
        at.fetch()
    assert differing(recordings.hub_tree(), look(HOST, DiskFiles(sys.executable, str(at.folder))))


def test_too_little_room_is_said_before_anything_is_fetched(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = place()
    size = sum(map(len, TINY.files.values()))
    monkeypatch.setattr(DiskFact, "parse", lambda self, stdout: Disk(size * 2 - 1, 10**6, "/small"))
    with pytest.raises(DiskTooSmall) as error:
        at.fetch()
    assert error.value.where.startswith("rehearsal-host: /small") and at.fetched() == []
    monkeypatch.setattr(DiskFact, "parse", lambda self, stdout: Disk(size * 2, 10, "/small"))
    with pytest.raises(DiskTooSmall, match="no inodes left"):
        at.fetch()


def test_a_checkpoint_larger_than_this_disk_is_refused_for_real(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    tree = tuple(f.__class__(f.path, free, f.sha256, f.git_sha1) for f in recordings.hub_tree())
    with pytest.raises(DiskTooSmall):
        list(Weights(str(tmp_path), "a/b", "0" * 40, tree, "http://127.0.0.1:9", sys.executable, "").plan(HOST))


def test_an_unpinned_revision_is_refused_before_the_host_is_asked(place: Any) -> None:
    at = place(revision=None)
    with pytest.raises(BadInput, match="not pinned"):
        at.fetch()
    assert at.site.trail.read() == []


def _failed(stderr: str) -> CommandFailed:
    return CommandFailed(Ran("box", "python -c …", 3, "", stderr, now()))


@pytest.mark.parametrize(
    ("stderr", "kind", "words", "fix"),
    [
        ("hub-status=403 GatedRepoError: no", HubRefused, "answered 403", "ask for access"),
        ("hub-status=429 a.bin: HfHubHTTPError: slow down", HubRefused, "answered 429", "wait, or give a token"),
        ("hub-status=503 a.bin: HfHubHTTPError: busy", HubRefused, "answered 503", "the hub is in trouble"),
        ("x\nhub-status=0 ConnectError: refused\ny", HubRefused, "could not be reached", "check that the host"),
        ("hub-status=0 a.bin: OSError: [Errno 28] No space left on device", DiskTooSmall, "filled up", "free room"),
        ("bash: python: command not found", CommandFailed, "command not found", "read the command's output"),
    ],
)
def test_what_the_hub_said_becomes_one_error(stderr: str, kind: type[Problem], words: str, fix: str) -> None:
    error = refused(_failed(stderr), "http://hub", "a/b")
    assert type(error) is kind and words in error.what and error.fix.startswith(fix)
