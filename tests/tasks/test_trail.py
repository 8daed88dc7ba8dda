"""Everything asked is on the trail, failures too; nothing secret is; nobody gets another one's ids."""

import json
import pickle
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import pytest

from tasks import chain
from tasks.fake import FakeHost
from tasks.hosts import DeadlineExceeded, Ran, Unreachable, now
from tasks.local import LocalHost
from tasks.redaction import MASK, Redactor
from tasks.trail import KEEP_CHARS, RecordedHost, Trail, tail

SECRET = "correct horse battery staple"
HF = "hf_" + "x" * 30


@pytest.fixture
def redactor() -> Redactor:
    made = Redactor()
    made.add(SECRET)
    return made


@pytest.fixture
def trail(tmp_path: Path, redactor: Redactor) -> Trail:
    return Trail(tmp_path / "raw", redactor)


def files(trail: Trail) -> str:
    return "\n".join(path.read_text() for path in trail.folder.iterdir())


def test_ids_are_numbered_by_kind_and_records_read_back(trail: Trail) -> None:
    assert [trail.record("command", host="a"), trail.record("request", url="u"), trail.record("stream")] == [
        "c00001",
        "r00002",
        "r00003",
    ]
    assert [entry["id"] for entry in trail.read()] == ["c00001", "r00002", "r00003"]
    assert trail.read()[0] == {"id": "c00001", "kind": "command", "host": "a"}


@pytest.mark.parametrize("key", ["stdout", "stderr", "response"])
def test_a_long_output_is_cut_with_the_whole_beside_it(trail: Trail, key: str) -> None:
    text = f"start {SECRET} " + "ü" * KEEP_CHARS + f" {HF} end"
    trail.record("command", **{key: text, "note": text})
    (entry,) = trail.read()
    assert len(entry[key]) < KEEP_CHARS + 100
    assert entry[key].startswith(f"start {MASK} ") and entry[key].endswith(" end")
    name = entry["whole"][key]
    assert f"whole text in raw/{name} ..." in entry[key]
    content = (trail.folder / name).read_bytes()
    assert name == f"{chain.sha256(content)}.txt"
    assert content.decode() == f"start {MASK} " + "ü" * KEEP_CHARS + f" {MASK} end"
    assert len(entry["note"]) > KEEP_CHARS, "only outputs are cut"


def test_an_output_of_just_the_length_is_kept_whole(trail: Trail) -> None:
    trail.record("command", stdout="x" * KEEP_CHARS)
    assert [p.name for p in trail.folder.iterdir()] == ["trail.jsonl"]


def test_no_secret_reaches_the_disk(trail: Trail) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"
    trail.record("request", headers={"authorization": "Bearer abcdefgh12345678", SECRET: [HF, {"k": "sk-" + "y" * 20}]})
    trail.record("command", command=f"echo {SECRET}", stdout=key + "z" * KEEP_CHARS, stderr=HF)
    text = files(trail)
    assert text.count(MASK) >= 6
    assert not [s for s in (SECRET, HF, "abcdefgh12345678", "sk-yy", "MIIE") if s in text]


def test_each_record_is_on_disk_at_once_and_a_second_opening_appends(trail: Trail, tmp_path: Path) -> None:
    trail.record("command", n=1)
    assert json.loads((trail.folder / "trail.jsonl").read_text())["n"] == 1
    trail.close()
    with pytest.raises(ValueError, match="closed"):
        trail.record("command", n=2)
    again = Trail(tmp_path / "raw", Redactor())
    again.record("command", n=3)
    assert [entry["n"] for entry in again.read()] == [1, 3]


def test_the_same_output_is_kept_once(trail: Trail) -> None:
    for _ in range(3):
        trail.record("command", stdout="x" * (KEEP_CHARS + 1))
    assert len(list(trail.folder.glob("*.txt"))) == 1
    assert not list(trail.folder.glob(".*"))


def test_the_lines_hold_each_other(trail: Trail, tmp_path: Path) -> None:
    """Also over a second opening; each change is found with its line and its field."""
    ids = [trail.record("command", command=f"echo {n}", stdout=str(n)) for n in range(4)]
    trail.close()
    again = Trail(tmp_path / "raw", Redactor())
    last = again.record("request", url="u", text="\udc80 lone")
    file = trail.folder / "trail.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    assert chain.breaks(b"".join(lines)) == []
    assert [json.loads(line)["sha256"] for line in lines] == [*map(trail.digest, ids), again.digest(last)]
    assert again.head == again.digest(last)
    changed = lines[2].replace(b'"echo 2"', b'"echo 9"')
    assert [(b.line, b.field) for b in chain.breaks(lines[0] + lines[1] + changed + lines[3])] == [
        (3, "command"),
        (3, "sha256"),
    ]
    assert [(b.line, b.field) for b in chain.breaks(lines[0] + lines[2])] == [(2, "prev")]
    assert [(b.line, b.field) for b in chain.breaks(lines[1])] == [(1, "prev")]
    forged = chain.line(chain.linked(chain.bare(json.loads(changed)), json.loads(lines[1])["sha256"]))
    assert [(b.line, b.field) for b in chain.breaks(lines[0] + lines[1] + forged + lines[3])] == [(4, "prev")]
    spaced = lines[0].replace(b'":"', b'": "', 1)
    assert [b.why for b in chain.breaks(spaced)] == ["its spelling was changed"]
    assert [b.why for b in chain.breaks(lines[0][:-9])] == ["the last line is torn"]


def test_ids_are_collected_inside_and_by_the_innermost(trail: Trail) -> None:
    trail.record("command")
    with trail.collecting() as outer:
        first = trail.record("command")
        with trail.collecting() as inner:
            second = trail.record("request")
        third = trail.record("command")
    trail.record("command")
    assert (outer, inner) == ([first, third], [second])


def test_ids_are_given_back_after_an_error(trail: Trail) -> None:
    with pytest.raises(KeyError), trail.collecting() as names:
        trail.record("command")
        raise KeyError
    trail.record("command")
    assert names == ["c00001"]


def test_threads_do_not_mix_their_ids(trail: Trail) -> None:
    together = threading.Barrier(4)

    def work(who: int) -> tuple[int, list[str]]:
        with trail.collecting() as names:
            for _ in range(20):
                together.wait(5)
                trail.record("command", who=who)
        return who, names

    with ThreadPoolExecutor(4) as pool:
        found = dict(pool.map(work, range(4)))
    records = trail.read()
    assert len({entry["id"] for entry in records}) == len(records) == 80
    for who, names in found.items():
        assert names == [entry["id"] for entry in records if entry["who"] == who]


def test_a_thread_in_a_copied_context_collects_for_its_starter(trail: Trail) -> None:
    with trail.collecting() as names, ThreadPoolExecutor(1) as pool:
        mine = pool.submit(copy_context().run, trail.record, "command").result()
        pool.submit(trail.record, "command").result()
    assert names == [mine]


def test_a_command_is_recorded_with_both_streams_and_its_end(trail: Trail) -> None:
    ran = RecordedHost(LocalHost("box"), trail).run(f"echo out; echo '{SECRET}' >&2; exit 3", stdin="never seen")
    assert (ran.exit, ran.stdout, ran.stderr) == (3, "out\n", MASK + "\n")
    (entry,) = trail.read()
    assert (entry["host"], entry["exit"], entry["stdout"], entry["stderr"]) == ("box", 3, "out\n", MASK + "\n")
    assert entry["sudo"] is False and entry["seconds"] >= 0 and "never seen" not in files(trail)


def test_a_parser_still_gets_what_the_command_printed(trail: Trail) -> None:
    host = RecordedHost(FakeHost("box", {"cat": f"value={SECRET}"}), trail)
    assert host.run("cat").stdout == f"value={SECRET}"
    assert trail.read()[0]["stdout"] == f"value={MASK}"


@pytest.mark.parametrize("kind", [Unreachable, DeadlineExceeded])
def test_what_raises_is_recorded_and_clean(trail: Trail, kind: type[Unreachable]) -> None:
    error = kind(f"lost at {SECRET}", where=f"box {SECRET}", fix=f"send {SECRET} again")
    host = RecordedHost(FakeHost("box", {f"echo {SECRET}": error}), trail)
    with pytest.raises(kind) as raised:
        host.run(f"echo {SECRET}")
    (entry,) = trail.read()
    assert entry["error"] == f"{kind.__name__}: lost at {MASK}" and "exit" not in entry
    shown = (str(raised.value), repr(raised.value), repr(raised.value.args), "".join(traceback.format_exception(error)))
    assert not [text for text in (*shown, files(trail)) if SECRET in text]
    assert SECRET not in str(pickle.loads(pickle.dumps(raised.value)))


def test_what_is_passed_on(trail: Trail) -> None:
    inner = FakeHost("box", {"x": Ran("box", "x", 0, "", "", now())}, forwards={8000: 4711})
    host = RecordedHost(inner, trail)
    host.run("x", stdin="s", sudo=True, timeout=5)
    assert (inner.calls[0].stdin, inner.calls[0].sudo, inner.calls[0].timeout) == ("s", True, 5)
    with host.forward(8000) as port:
        assert port == 4711
    host.close()
    assert inner.closed and host.name == "box"


def test_tail_is_the_last_lines() -> None:
    assert tail("1\n2\n3\n\n", 2) == "2\n3"
    assert tail("") == ""
