"""Each way a table can be wrong fails its own suite, judged by the real Great Expectations."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from assumptions import _tables
from assumptions._tables import check_tables

SHARD = {
    "path": "a.safetensors",
    "size_expected": 10,
    "size": 10,
    "sha256_expected": "ab",
    "sha256": "ab",
    "digest_kind": "sha256",
    "ok_digest": True,
}
CONFIG = {**SHARD, "path": "config.json", "digest_kind": "git-sha1", "sha256": None, "sha256_expected": None}
REQUEST = {
    "id": "r-1",
    "claim": "api_answers",
    "method": "POST",
    "path": "/v1/chat/completions",
    "status": 200,
    "seconds": 0.5,
    "purpose": "one completion",
    "expected_status": None,
}
KV = {"name": "kv per token", "predicted": 70272.0, "measured": 70272.0, "unit": "bytes"}
GOOD = {"shards": [SHARD, CONFIG], "requests": [REQUEST, {**REQUEST, "id": "r-2", "expected_status": 200}], "kv": [KV]}


def frames(**tables):
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


class Loads(HTMLParser):
    """The addresses a page may be read from and those it would load by itself."""

    def __init__(self):
        super().__init__()
        self.policy, self.links = "", []

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if said.get("http-equiv") == "Content-Security-Policy":
            self.policy = said["content"]
        if tag == "a":
            self.links.append(said.get("href"))


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    more = {"other": [{"a": 1, "b": None}, {"a": 2, "b": 3}]}
    return folder, check_tables(frames(**GOOD, **more), folder)


def test_good_tables_agree_and_lie_on_disk(good):
    folder, result = good
    assert (result.ok, result.problem) == (True, None)
    assert [suite.name for suite in result.suites] == ["shards", "requests", "kv", "other"]
    assert all(suite.ok and suite.failed == 0 and not suite.unmet for suite in result.suites)
    assert min(suite.evaluated for suite in result.suites) >= 3
    assert list(pd.read_csv(folder / "tables" / "shards.csv")["path"]) == ["a.safetensors", "config.json"]


def test_data_docs_name_every_suite_link_its_page_and_load_nothing(good):
    folder, result = good
    assert result.data_docs == folder / "data_docs" / "index.html"
    index = Loads()
    index.feed(result.data_docs.read_text())
    for name in ("shards", "requests", "kv", "other"):
        (page,) = [link for link in index.links if re.match(f"validations/{name}/", link or "")]
        text = (result.data_docs.parent / page).read_text()
        assert name in text
    pages = list(result.data_docs.parent.rglob("*.html"))
    assert len(pages) == 9
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text())
        assert loads.policy == _tables.POLICY, page


BAD = {
    "a path twice": ("shards", [SHARD, SHARD], "unique"),
    "no path": ("shards", [{**SHARD, "path": None}], "null(column=path)"),
    "another size": ("shards", [{**SHARD, "size": 9}], "column_A=size"),
    "no size on either side": ("shards", [{**SHARD, "size": None, "size_expected": None}], "column_A=size"),
    "another digest": ("shards", [SHARD, {**SHARD, "path": "b", "sha256": "ff"}], "column_A=sha256"),
    "no digest on either side": ("shards", [{**SHARD, "sha256": None, "sha256_expected": None}], "column_A=sha256"),
    "a digest that was not ok": ("shards", [SHARD, {**CONFIG, "ok_digest": False}], "ok_digest"),
    "no digest verdict": ("shards", [SHARD, {**CONFIG, "ok_digest": None}], "null(column=ok_digest)"),
    "no rows of shards": ("shards", [], "row_count"),
    "no status": ("requests", [REQUEST, {**REQUEST, "id": "r-2", "status": None}], "null(column=status)"),
    "a status that is none": ("requests", [{**REQUEST, "status": 99}], "column=status"),
    "another status than expected": ("requests", [REQUEST, {**REQUEST, "id": "b", "expected_status": 400}], "column_A"),
    "time that ran backwards": ("requests", [{**REQUEST, "seconds": -0.1}], "column=seconds"),
    "an id twice": ("requests", [REQUEST, REQUEST], "unique"),
    "no claim": ("requests", [{**REQUEST, "claim": None}], "null(column=claim)"),
    "nothing measured": ("kv", [{**KV, "measured": None}], "null(column=measured)"),
    "a column missing": ("kv", [{"name": "x", "predicted": 1.0, "unit": "B"}], "exist(column=measured)"),
    "a column of holes": ("other", [{"a": 1, "b": None}, {"a": 2, "b": None}], "null(column=b)"),
    "no rows of another table": ("other", [], "row_count"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_corruption_fails_its_suite(case, tmp_path):
    name, rows, word = BAD[case]
    result = check_tables(frames(**{name: rows}), tmp_path)
    assert not result.ok
    assert result.problem is None
    assert [suite.name for suite in result.suites if not suite.ok] == [name]
    (bad,) = [suite for suite in result.suites if not suite.ok]
    assert bad.failed == len(bad.unmet) > 0
    assert any(word in line for line in bad.unmet), bad.unmet


def test_a_bad_table_fails_its_own_suite_and_no_other(tmp_path):
    result = check_tables(frames(**{**GOOD, "requests": [{**REQUEST, "status": 0}]}), tmp_path)
    assert [(suite.name, suite.ok) for suite in result.suites] == [("shards", True), ("requests", False), ("kv", True)]
    assert not result.ok


def test_no_tables_is_ok_and_builds_nothing(tmp_path):
    assert check_tables({}, tmp_path).ok
    assert list(tmp_path.iterdir()) == []


def test_it_prints_nothing(tmp_path, capfd):
    assert check_tables(frames(**GOOD), tmp_path).ok
    assert not check_tables(frames(kv=[{**KV, "unit": None}]), tmp_path / "bad").ok
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["../up", "a/b", "", "Big", "x" * 300])
def test_a_name_that_cannot_be_a_file_is_a_problem(name, tmp_path):
    result = check_tables({name: pd.DataFrame([KV])}, tmp_path / "run")
    assert not result.ok
    assert result.problem
    assert not (tmp_path / "up.csv").exists()


def test_a_crash_inside_is_a_problem_and_never_ok(tmp_path, monkeypatch):
    def crash(*_):
        raise RuntimeError("the store is gone")

    monkeypatch.setattr(_tables, "_context", crash)
    result = check_tables(frames(**GOOD), tmp_path)
    assert (result.ok, result.suites, result.data_docs) == (False, (), None)
    assert result.problem == "RuntimeError: the store is gone"


def test_a_suite_without_an_answer_for_each_expectation_is_not_ok(tmp_path, monkeypatch):
    monkeypatch.setitem(
        _tables._SUITES, "kv", lambda gxe, _: [gxe.ExpectColumnMaxToBeBetween(column="unit", min_value=0)]
    )
    result = check_tables(frames(kv=[KV]), tmp_path)
    assert not result.ok


def test_a_hostile_cell_stays_text_in_the_data_docs(tmp_path):
    bad = "<script>alert(1)</script>"
    result = check_tables(frames(shards=[{**SHARD, "sha256": bad}]), tmp_path)
    assert not result.ok
    assert f"{bad} and ab" in result.suites[0].unmet[0]
    for page in result.data_docs.parent.rglob("*.html"):
        assert bad not in page.read_text(), page
