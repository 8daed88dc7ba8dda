"""What a person reads: the decision, its grounds, what to do, and no text that turns into markup."""

import base64
import dataclasses
import enum
import hashlib
import itertools
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assumptions._core import Evidence, Finding, Outcome, Part, Provenance, Severity, Stage
from assumptions._drill_figures import FORM, NAME
from assumptions._report import RunFacts, StageLine, render, summary_lines
from assumptions._report_price import Price
from assumptions._report_text import duration, link, number
from assumptions._report_words import MEANING, meaning
from assumptions._report_words import word as headed
from assumptions._tables import SuiteResult, TablesResult
from assumptions._verdict import Decision, decide
from assumptions._waivers import Waiver

T = datetime(2026, 11, 22, 14, 3, 9, tzinfo=UTC)
SHOWN = ["memory_fits", "driver_new_enough", "weights_are_whole", "budget_bounds", "int4_is_native", "cost_beats_api"]
OUTCOMES = [Outcome.FAIL, Outcome.PASS, Outcome.PASS, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE, Outcome.UNKNOWN]
TABLES = TablesResult(False, (SuiteResult("shards", True, 17, 0), SuiteResult("kv", False, 11, 1, ("kv of a is 9",))))
TRAIL = [
    {
        "id": "c-1",
        "kind": "command",
        "at": "2026-11-22T14:03:10+00:00",
        "host": "node-a",
        "seconds": 0.4,
        "command": "nvidia-smi",
        "exit": 9,
        "stdout": "580.95\n" * 2000,
        "stderr": "no devices",
    },
    {
        "id": "r-1",
        "kind": "request",
        "at": "2026-11-22T14:03:11+00:00",
        "host": "node-a",
        "seconds": 1.5,
        "method": "POST",
        "url": "http://127.0.0.1:8001/v1/models",
        "status": 401,
        "request": {"model": "tiny"},
        "response": "Unauthorized",
    },
    {
        "id": "r-2",
        "kind": "request",
        "at": "2026-11-22T14:03:12+00:00",
        "host": "node-a",
        "seconds": 60,
        "status": None,
    },
]
RUN = RunFacts(
    run_id="run-7c1e",
    inventory_name="loopback",
    inventory_title="Rehearsal on this machine",
    kind="rehearsal",
    flow="provision",
    started_at=T,
    ended_at=T + timedelta(minutes=14),
    product_commit="fab4e35",
    model="tiny-k2",
    model_revision="4f1c9a0",
    engine="vllm 0.32.0",
    hosts=("node-a", "node-b"),
    proves=("the flow changes nothing twice",),
    does_not_prove=("any figure of speed",),
    changes=("wrote /opt/beachhead/models",),
    stages=(StageLine("plan", "failed", 1.2), StageLine("live", "skipped", 0.0, "its gate is closed")),
    links={"Prefect run": "http://127.0.0.1:4200/runs/1"},
)


def record(claim: str, outcome: Outcome) -> Evidence:
    part = Part(f"part of {claim}", outcome, "part because", "part expected", "part measured")
    finding = Finding(
        *(outcome, f"{claim} because", f"{claim} expected", f"{claim} measured", f"{claim} threshold"),
        *(f"{claim} source", Provenance.MODELLED, 1234567.0, "tokens", (part,), (f"{claim} note",)),
    )
    reason = "accepted in ticket 4411" if claim == "cost_beats_api" else ""
    return Evidence(
        *(claim, 3, Stage.HOST, Severity.BLOCKING, f"{claim} guide", f"{claim} states", f"{claim} remedy", finding, T),
        *(3.2, ("c-1", "r-1", "r-2", "c-9"), "node-a", "vllm 0.32.0", "tiny@4f1c", "0.1.0 fab4e35", reason),
    )


RECORDS = [record(claim, outcome) for claim, outcome in zip(SHOWN, OUTCOMES, strict=True)]
KEYS = {(e.claim, e.stage) for e in RECORDS}
VERDICT = decide(KEYS | {("api_answers", Stage.LIVE)}, RECORDS, whole=True, scope="all claims", tables_ok=False)
VOID = {"meta", "br", "link", "img", "input", "hr", "rect"}


class Page(HTMLParser):
    """Every tag, attribute and text of a page; asserts that tags close in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(path.read_text())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text += data


@pytest.fixture
def both(tmp_path):
    md, html = render(RUN, VERDICT, RECORDS, TABLES, TRAIL, tmp_path)
    return md.read_text(), Page(html)


def test_both_files_say_the_decision_its_meaning_and_everything_of_each_claim(both):
    md, page = both
    assert md.startswith("# NO-GO (rehearsal): Rehearsal on this machine\n")
    for text in (md, page.text):
        assert MEANING[Decision.NO_GO] in text
        assert "memory_fits (host): memory_fits because" in text
        for e in RECORDS:
            for each in ("states", "because", "expected", "measured", "threshold", "source", "note", "guide"):
                assert f"{e.claim} {each}" in text
            assert f"part of {e.claim}" in text
        for word in (
            "memory_fits remedy",
            "budget_bounds remedy",
            "api_answers (live)",
            "not judged",
            "evidence tables",
        ):
            assert word in text
        for word in ("1,234,567 tokens", "modelled", "accepted in ticket 4411", "the flow changes nothing twice"):
            assert word in text
        for word in ("any figure of speed", "wrote /opt/beachhead/models", "node-a, node-b", "4f1c9a0", "fab4e35"):
            assert word in text
        assert "kv of a is 9" in text
        assert "NOT APPLICABLE" in text


def test_an_excused_unknown_is_not_what_stands_in_the_way(both):
    md, page = both
    for text in (md, page.text):
        start = text.index("What stands in the way")
        way = text[start : text.index("The claims, with", start) if text is page.text else text.index("##", start)]
        assert "cost_beats_api" not in way
        assert "memory_fits" in way
        assert "cost_beats_api" in text[text.index("Claims that don't block") :]


def test_the_markdown_is_short_and_its_tables_are_whole(both):
    lines = both[0].splitlines()
    assert len(lines) < 200
    rows = [line for line in lines if line.startswith("|")]
    assert len([r for r in rows if "memory_fits states" in r]) == 2  # what decides, and the table of all
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
    assert "\n\n\n\n" not in both[0]


def test_the_page_needs_nothing_else_and_runs_nothing_but_its_filter(tmp_path):
    _, html = render(RUN, VERDICT, RECORDS, TABLES, TRAIL, tmp_path)
    page, text = Page(html), html.read_text()
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object"}
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policies = [a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv")]
    assert policies == [f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"]
    assert [a for t, a in page.tags if t == "script"] == [{}]


def test_every_claim_has_an_address_made_of_its_id(both):
    _, page = both
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    claims = {a["id"] for t, a in page.tags if t == "details" and "id" in a}
    assert claims == {f"claim-{name}" for name in SHOWN}
    inner = {a["href"][1:] for t, a in page.tags if t == "a" and a["href"].startswith("#")}
    assert inner <= claims
    assert {"claim-memory_fits", "claim-budget_bounds", "claim-cost_beats_api"} <= inner


def test_a_drill_of_the_claims_version_is_told_and_all_others_are_unproven(tmp_path):
    row = {"claim": "memory_fits", "version": 3, "seen": 4, "played": 5, "false_alarms": 0, "healthy_runs": 20}
    row |= {"missed": ["a"], "grounds": ["a scripted host"], "at": T.isoformat(), "product": "p", "run": "r"}
    older = row | {"claim": "driver_new_enough", "version": 2}
    (tmp_path / NAME).write_text(json.dumps({"form": FORM, "claims": [row, older]}))
    md, html = render(RUN, VERDICT, RECORDS, TABLES, TRAIL, tmp_path / "run")
    for text in (md.read_text(), Page(html).text):
        assert "4 of 5 faults seen, 0 false alarms in 20 healthy runs" in text
        assert "unproven: version 2 was drilled, not 3" in text
        assert "unproven: no drill of this claim" in text


def test_waivers_stand_on_page_one_with_reason_owner_and_last_day(tmp_path):
    reason = "The second machine comes in week 50."
    used = Waiver("memory_fits", "", reason, "Ada <ada@example.org>", date(2026, 12, 31))
    run = replace(RUN, kind="production", waivers=(used, replace(used, claim="driver_new_enough")))
    verdict = decide(KEYS, RECORDS, whole=True, scope="all claims", waivers=run.waivers)
    md, html = render(run, verdict, RECORDS, TABLES, TRAIL, tmp_path)
    page = Page(html).text
    first = page[: page.index("What stands in the way")]
    for text in (first, md.read_text()):
        for said in (reason, "Ada <ada@example.org>", "2026-12-31"):
            assert said in text.replace("&lt;", "<")
        assert text.count("no failure of this run") == 1
    assert [a for t, a in Page(html).tags if t == "section" and "WAIVED" in (a.get("class") or "")]


def test_headings_step_down_one_level_at_a_time(both):
    levels = [int(tag[1]) for tag, _ in both[1].tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_raw_records_are_shown_cut_and_a_missing_one_is_told(both):
    _, page = both
    assert "exit status 9" in page.text
    assert "status 401" in page.text
    assert "no answer" in page.text
    assert "c-9: this record is not in raw/trail.jsonl" in page.text
    assert "cut: 4,000 of 14,000 characters; the whole lies in raw/trail.jsonl, id c-1" in page.text
    assert page.text.count("580.95") < 600 * len(RECORDS)


def test_links_lead_to_the_tables_and_the_data_docs(tmp_path):
    docs = tmp_path / "data_docs" / "index.html"
    md, html = render(RUN, VERDICT, RECORDS, replace(TABLES, data_docs=docs), TRAIL, tmp_path)
    targets = {a["href"] for t, a in Page(html).tags if t == "a"}
    assert {"data_docs/index.html", "tables/shards.csv", "http://127.0.0.1:4200/runs/1"} <= targets
    assert "data_docs/index.html" in md.read_text()


HOSTILE = (
    "\x1b[31m</pre><script>alert(1)</script>\"onload='x'|[a](javascript:b) `c` **d**"
    "\n# e\n<img src=x>\u202e\ud800{{ 7 * 7 }}"
)


def poison(value):
    """The same value with every text in it replaced by the hostile one."""
    if isinstance(value, enum.Enum):
        return value
    if dataclasses.is_dataclass(value):
        return replace(value, **{f.name: poison(getattr(value, f.name)) for f in dataclasses.fields(value)})
    if isinstance(value, (tuple, list)):
        return type(value)(poison(each) for each in value)
    if isinstance(value, dict):
        return {
            poison(k) if k == "Prefect run" else k: v if k in ("id", "kind") else poison(v) for k, v in value.items()
        }
    return HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize("kind", ["rehearsal", HOSTILE])
def test_hostile_text_in_every_field_never_becomes_markup(tmp_path, kind, both):
    records = [replace(poison(e), trail=e.trail) for e in RECORDS]
    waiver, price = Waiver("a", "", "b", "c", date(2026, 12, 31)), Price("machine", (1.0, 2.0, 3.0), "source")
    run = replace(poison(replace(RUN, waivers=(waiver,) * 2, price=price, simulated=("a host",))), kind=kind)
    tables = replace(poison(TABLES), problem=HOSTILE)
    md, html = render(run, poison(VERDICT), records, tables, poison(TRAIL), tmp_path / "bad")
    page, text = Page(html), md.read_text()
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in both[1].tags} | {"br"}
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    assert not [a for t, attrs in page.tags if t == "a" for a in [attrs["href"]] if "javascript:" in (a or "")]
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert not re.search(r"<[a-zA-Z/!]", text)
    assert not re.search(r"(?<!\\)[`\[\]]|(?<!\\)\*\*d", text)
    assert not re.search(r"^\s*# e", text, re.M)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
    for shown in (html.read_text(), text, "\n".join(summary_lines(poison(VERDICT), records))):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", shown)


@pytest.mark.parametrize("decision", Decision)
def test_every_decision_is_explained_in_words_and_class(tmp_path, decision):
    _, html = render(RUN, replace(VERDICT, decision=decision), [], TablesResult(True), [], tmp_path)
    page = Page(html)
    assert [a for t, a in page.tags if t == "section" and a.get("class") == f"verdict {decision}"]
    assert meaning(decision, RUN.kind) in page.text
    assert headed(decision, RUN.kind) == f"{decision} (rehearsal)"
    assert "This run wrote no tables." in page.text
    assert "No claim was judged." in page.text


def test_a_rehearsal_that_holds_is_no_go_for_hardware(tmp_path):
    md, html = render(RUN, replace(VERDICT, decision=Decision.GO), [], TablesResult(True), [], tmp_path)
    for text in (md.read_text(), Page(html).text):
        assert "GO (rehearsal)" in text
        assert "this is no GO for hardware" in text


def test_a_run_that_changed_nothing_says_so(tmp_path):
    md, html = render(replace(RUN, changes=()), VERDICT, RECORDS, TABLES, TRAIL, tmp_path)
    assert "nothing: everything was in place" in md.read_text()
    assert "Nothing: everything was in place." in Page(html).text


def test_the_terminal_summary_fits_and_names_what_to_do():
    lines = summary_lines(VERDICT, RECORDS)
    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    assert text.startswith("NO-GO  memory_fits (host): memory_fits because")
    assert "Scope: all claims." in text
    for word in (
        "next: memory_fits remedy",
        "next: budget_bounds remedy",
        "api_answers (live): not judged",
        "[does not block]",
    ):
        assert word in text
    assert "weights_are_whole remedy" not in text
    assert "cost_beats_api remedy" not in text


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        *(("http://a/b", True), ("https://a", True), ("data_docs/index.html", True), ("javascript:alert(1)", False)),
        *(("JaVaScRiPt:alert(1)", False), (" java\nscript:alert(1)", False), ("data:text/html,x", False)),
        *(("//evil/x", False), ("/etc/passwd", False), ("\\\\evil", False), ("http://[", False), ("http:x", False)),
    ],
)
def test_only_web_and_neighbouring_addresses_become_links(address, kept):
    assert bool(link(address)) is kept


def test_figures_and_times_read_as_a_person_writes_them():
    assert [number(v) for v in (790000.0, 0.7912, 580.95, -1.5, 0.0, 1e-7, None)] == [
        *("790,000", "0.7912", "580.95", "-1.5", "0", "0.0000001", "none"),
    ]
    assert number(float("nan")) == "nan"
    assert [duration(s) for s in (0.0, 9.5, 59.0, 61, 3599.7, 3840)] == [
        *("0.00 s", "9.50 s", "59 s", "1 min 01 s", "1 h 00 min", "1 h 04 min"),
    ]
