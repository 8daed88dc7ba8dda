"""The plan's part of the report: every section, every figure with its mark, and nothing that turns into markup."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from assumptions import _report_page
from assumptions._core import Outcome, Severity, Stage
from assumptions._plan_tables import budget_lines, fit_figures
from assumptions._plan_view import (
    Alternative,
    Cell,
    CostLine,
    CostView,
    Crossing,
    Figure,
    LaunchFlag,
    PlanView,
    Swing,
)
from assumptions._report import render, summary_lines
from assumptions._verdict import decide
from tests.assumptions.test_report import HOSTILE, RECORDS, RUN, TABLES, TRAIL, VERDICT, Page, poison, record

FIT = {
    "verdict": "does-not-fit",
    "budget_gib": 72.8456,
    "weights_gib_per_gpu": 139.8716,
    "overhead_gib": {"low": 2.16, "mid": 4.98, "high": 7.17},
    "kv_gib_per_gpu": {"low": -74.2, "mid": -72.01, "high": -69.19},
    "kv_bytes_per_token_per_rank": 70272,
    "max_context_tokens": {"low": 0, "mid": 0, "high": 512},
    "host_ram_gib": None,
    "disk_gib": 563.4,
    "reasons": ["short by 67.02 GiB before any KV or overhead"],
    "sources": ["the model's own config.json"],
}
COST = CostView(
    ways={"API": [(0, 0, 0, 0), (60, 20e3, 27375, 30e3)], "own": [(0, 275e3, 3e5, 4e5), (60, 3e5, 35e4, 5e5)]},
    crossings=(Crossing(50, 3e5, "meets in month 50"),),
    swings=(Swing("utilisation", "20 %", "80 %", -2.9e5, -1.9e5, -2.6e5),),
    lines=(CostLine("paid in five years", Figure("$1", "modelled"), Figure("$2", "assumed"), Figure("$3", "")),),
    inputs=(("hardware", Figure("$275,000", "vendor's word", "the strategy's own price")),),
    not_established=("measure output tokens per second at the SLO",),
    notes=("a note on the money",),
)
PLAN = PlanView(
    fit=FIT,
    gpu_title="NVIDIA A100 80 GB",
    gpu_memory_gib=79.18,
    gpu_count=4,
    context_tokens=262144,
    concurrent_requests=1,
    fit_map=(Cell(4096, 1, "does-not-fit"), Cell(262144, 1, "does-not-fit")),
    alternatives=(
        Alternative(
            "on paper", "16 x H100", "TP 8 x PP 2", "tight", Figure("no price found"), Figure("20 GiB", "modelled")
        ),
        Alternative(
            "proven", "8 x H200", "TP 8", "fits", Figure("$300,000", "assumed"), Figure("32 GiB", "measured elsewhere")
        ),
        Alternative(
            "declared",
            "4 x A100",
            "TP 4",
            "does-not-fit",
            Figure("already there", "declared"),
            Figure("-74 GiB", "modelled"),
            ("no public log shows one",),
            ("--tensor-parallel-size 4",),
        ),
    ),
    none_because="no machine of the catalog",
    launch_flags=(LaunchFlag("--max-model-len 262144", "the declared context"),),
    cost=COST,
    notes=("no GPU was read",),
)
SECTIONS = ("Will it fit?", "What would make it yes", "Launch flags", "What will it cost")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plan")


@pytest.fixture(scope="module")
def both(folder):
    md, html = render(RUN, VERDICT, RECORDS, TABLES, TRAIL, folder, PLAN)
    return md.read_text(), html.read_text(), Page(html)


def test_a_plan_adds_its_sections_in_the_order_of_the_questions(both):
    md, _, page = both
    for text in (md, page.text):
        places = [text.index(each) for each in SECTIONS]
        assert places == sorted(places)
        for word in (
            "4 × NVIDIA A100 80 GB",
            "262,144 tokens of context",
            "does not fit",
            "139.87",
            "72.85",
            "563.40 GiB",
        ):
            assert word in text
        for word in ("8 x H200", "no public log shows one", "the declared context", "Break-even: not established"):
            assert word in text
        for word in ("measure output tokens per second at the SLO", "the strategy's own price", "a note on the money"):
            assert word in text
        assert "no machine of the catalog" in text


def test_without_a_plan_there_is_none_of_it(tmp_path):
    md, html = render(RUN, VERDICT, RECORDS, TABLES, TRAIL, tmp_path)
    for text in (md.read_text(), html.read_text()):
        assert not [each for each in SECTIONS if each in text]
    assert not (tmp_path / "pictures").exists()


def test_the_pictures_stand_in_the_page_and_beside_it(both, folder):
    md, html, page = both
    names = ["memory-bar", "fit-map", "cash-lines", "tornado"]
    assert re.findall(r'<svg xmlns="[^"]*" viewBox="[^"]*" role="img" aria-labelledby="([\w-]+)-title', html) == names
    assert sorted(each.name for each in (folder / "pictures").iterdir()) == sorted(f"{name}.png" for name in names)
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a"}
    for name in names:
        assert f"pictures/{name}.png" in md
        assert f"pictures/{name}.png" in links
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}


def test_every_figure_carries_the_mark_of_its_basis(both):
    md, html, page = both
    marks = {"$300,000": "a", "32 GiB": "e", "already there": "d", "$1": "m", "$2": "a", "$3": "?", "$275,000": "v"}
    for text, mark in marks.items():
        assert f"{text} ({mark})" in md
        assert re.search(rf">{re.escape(text)}<sup class=\"mark\"[^>]*>{re.escape(mark)}</sup>", html)
    assert "no price found (?)" in md
    for text in (md, page.text):
        for basis in ("measured here", "measured elsewhere", "modelled", "vendor's word", "assumed"):
            assert basis in text


def test_alternatives_are_grouped_by_how_far_they_are_proven(both):
    text = both[2].text
    order = ["On the hosts already declared", "4 x A100", "Proven:", "8 x H200", "On paper only", "16 x H100"]
    places = [text.index(each) for each in order]
    assert places == sorted(places)


def test_what_is_not_known_is_said_and_not_invented(tmp_path):
    fit = {"verdict": "unsupported", "budget_gib": 72.8, "weights_gib_per_gpu": None, "reasons": ["Not answered."]}
    plan = PlanView(fit, "card", None)
    parts = {line.part: line.mid for line in budget_lines(plan)}
    assert parts["card, as CUDA reports it"] == parts["weights"] == parts["overhead"] == "not known"
    assert fit_figures(plan) == []
    md, html = render(RUN, VERDICT, RECORDS, TABLES, TRAIL, tmp_path, plan)
    assert "the memory model gives no figure" in Page(html).text
    assert "What will it cost" not in md.read_text()


def test_the_budget_table_is_the_answers_own_where_it_has_one():
    rows = [[n, "overhead", 2.0, 3.0, 4.0, "modelled"] for n in (1, 2)]
    lines = budget_lines(replace(PLAN, fit={**FIT, "budget_table": rows}))
    assert [line.part for line in lines[1:]] == ["stage 1: overhead", "stage 2: overhead"]
    assert (lines[1].low, lines[1].high, lines[1].basis) == ("2.00", "4.00", "modelled")


def test_hostile_text_in_every_field_of_a_plan_never_becomes_markup(tmp_path, both):
    bad = replace(poison(PLAN), alternatives=tuple(replace(poison(a), block=a.block) for a in PLAN.alternatives))
    fit = {**bad.fit, "verdict": HOSTILE, "budget_table": [[HOSTILE, HOSTILE, 1.0, 2.0, 3.0, HOSTILE]], HOSTILE: 1}
    cost = replace(bad.cost, ways={HOSTILE: COST.ways["API"]})
    bad = replace(bad, fit=fit, cost=cost)
    md, html = render(RUN, VERDICT, RECORDS, TABLES, TRAIL, tmp_path, bad)
    page, text = Page(html), md.read_text()
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in both[2].tags} | {"br"}
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    assert "<script>alert(1)</script>" in page.text
    assert not re.search(r"<[a-zA-Z/!]", text)
    assert not re.search(r"(?<!\\)[`\[\]]|(?<!\\)\*\*d", text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", html.read_text() + text)
    assert len(list((tmp_path / "pictures").iterdir())) == 4


ADVICE = [
    replace(e, severity=Severity.ADVISORY, stage=Stage.PLAN, finding=replace(e.finding, because="word " * 60))
    for e in (record(f"guide-{n}", outcome) for n, outcome in enumerate((Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS)))
]
MIXED = [ADVICE[0], *RECORDS, *ADVICE[1:]]
JUDGED = decide({(e.claim, e.stage) for e in MIXED}, MIXED, whole=True, scope="all claims")


def test_the_terminal_keeps_advice_last_and_to_a_line_each():
    lines = summary_lines(JUDGED, MIXED)
    assert max(map(len, lines)) <= 100
    at = lines.index("What the documents say (advice: none of it blocks):")
    assert len(lines) == at + 4
    assert [line.split()[:2] for line in lines[at + 1 :]] == [
        *(["FAIL", "guide-0:"], ["UNKNOWN", "guide-1:"], ["PASS", "guide-2:"]),
    ]
    assert all(line.endswith("…") for line in lines[at + 1 :])
    assert not [line for line in lines[:at] if "guide-" in line]


def test_hostile_advice_stays_on_its_line():
    bad = [replace(poison(e), severity=Severity.ADVISORY) for e in ADVICE]
    lines = summary_lines(JUDGED, bad)
    assert len(lines) == lines.index("What the documents say (advice: none of it blocks):") + 4
    assert max(map(len, lines)) <= 100
    assert not re.search("[\x00-\x1f\x7f\u202a-\u202e]", "".join(lines))


def test_the_page_folds_advice_and_counts_only_what_may_block(tmp_path):
    md, html = render(RUN, JUDGED, MIXED, TABLES, TRAIL, tmp_path)
    page = Page(html)
    folded = [attrs for tag, attrs in page.tags if tag == "details" and "data-severity" in attrs]
    advice = [attrs["id"] for attrs in folded if attrs["data-severity"] == "advisory"]
    assert advice == ["claim-guide-0", "claim-guide-1", "claim-guide-2"]
    assert [attrs["data-outcome"] for attrs in folded[:5]] == ["FAIL", "UNKNOWN", "UNKNOWN", "PASS", "PASS"]
    assert not [attrs for attrs in folded if "open" in attrs]
    for text in (md.read_text(), page.text):
        rests, said = text.index("What the decision rests on"), text.index("What the documents say")
        assert rests < said
        assert "guide-0" not in text[rests:said]
        assert "guide-1" in text[said:]
    assert "FAIL: 1, UNKNOWN: 2, PASS: 2, NOT APPLICABLE: 1" in md.read_text()


def test_a_compiled_template_is_kept_and_a_damaged_one_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    _report_page._environment.cache_clear()
    try:
        first = render(RUN, VERDICT, RECORDS, TABLES, TRAIL, tmp_path, PLAN)[1].read_text()
        kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
        assert len(kept) == 7  # two pages, the plan's part of each, page one, the claims, the macros
        for path in kept:
            path.write_bytes(path.read_bytes()[:40] + b"damaged")
        _report_page._environment.cache_clear()
        assert render(RUN, VERDICT, RECORDS, TABLES, TRAIL, tmp_path, PLAN)[1].read_text() == first
    finally:
        _report_page._environment.cache_clear()


@pytest.mark.parametrize("place", ["/dev/null/nowhere", "shared"])
def test_no_template_is_kept_where_it_can_not_be_or_others_may_write(tmp_path, monkeypatch, place):
    root = tmp_path / place if place == "shared" else place
    monkeypatch.setenv("XDG_CACHE_HOME", str(root))
    if place == "shared":
        made = _report_page._compiled()
        assert made is not None
        next((root / "beachhead" / "templates").iterdir()).chmod(0o777)
    assert _report_page._compiled() is None


def test_importing_the_report_loads_no_template_engine_and_no_renderer():
    code = (
        "import sys, assumptions._report; print([m for m in ('jinja2', 'markupsafe', 'resvg_py') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
