"""The report in a real Chromium: what a person sees, does, prints and hears of it, and that it asks nobody."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from assumptions._core import Outcome, Severity, Stage
from assumptions._report import render
from assumptions._report_price import price_of
from assumptions._verdict import decide
from assumptions._waivers import Waiver
from inventories.load import load
from tests.assumptions.test_report import RECORDS, RUN, TABLES, TRAIL, VERDICT, record
from tests.assumptions.test_report_plan import PLAN

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")]
WIDE, NARROW = {"width": 1100, "height": 900}, {"width": 380, "height": 800}
A4_POINTS = (595, 842)
LONG = "a sentence that goes on and on, with figures such as 139.87 GiB, and does not want to end " * 6
SEVERAL = [
    *RECORDS,
    replace(record("serves_tools", Outcome.FAIL), stage=Stage.LIVE),
    replace(record("guide_says", Outcome.FAIL), severity=Severity.ADVISORY, stage=Stage.PLAN),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _, html = render(RUN, VERDICT, SEVERAL, TABLES, TRAIL, tmp_path_factory.mktemp("report"), PLAN, png=False)
    return html


@pytest.fixture
def opened(chromium: Browser, report: Path) -> Iterator[Any]:
    """Opens the report in a context of its own, offline, and gives the page and every address it asked for."""
    contexts = []

    def go(at: Path = report, fragment: str = "", **options: Any) -> tuple[Page, list[str]]:
        context = chromium.new_context(**{"viewport": WIDE, "offline": True, **options})
        contexts.append(context)
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.goto(at.as_uri() + fragment)
        return page, asked

    yield go
    for each in contexts:
        each.close()


def visible(page: Page) -> list[str]:
    shown = page.locator("details.claim:visible")
    return [str(each.get_attribute("id")) for each in shown.all()]


def pages(pdf: bytes) -> list[tuple[float, ...]]:
    """The sheets of a document, in points."""
    boxes = re.findall(rb"/MediaBox\s*\[([\d. ]+)\]", pdf)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == len(boxes)
    return [tuple(map(float, box.split()))[2:] for box in boxes]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_verdict_stands_first_in_words_a_sign_and_a_colour(opened: Any, scheme: str) -> None:
    page, _ = opened(color_scheme=scheme)
    word = page.locator(".verdict .word")
    expect(word).to_have_text("NO-GO (rehearsal)")
    expect(word).to_be_in_viewport()
    expect(word.locator("svg.sign")).to_be_visible()
    red, _, blue = (int(part) for part in re.findall(r"\d+", word.evaluate("e => getComputedStyle(e).color"))[:3])
    assert red > blue + 80
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is (scheme == "light")


def test_nothing_is_asked_of_any_network_whatever_is_clicked(opened: Any, report: Path) -> None:
    page, asked = opened()
    page.get_by_role("button", name="Open all").click()
    for summary in page.locator("details.rawdata > summary").all():
        summary.click()
    page.mouse.wheel(0, 20_000)
    assert asked == [report.as_uri()]


def test_filters_narrow_by_each_choice_and_by_words_and_say_how_many_are_left(opened: Any) -> None:
    page, _ = opened()
    told = page.locator("#filters output")
    assert len(visible(page)) == len(SEVERAL)
    page.locator("select[name=outcome]").select_option("FAIL")
    assert visible(page) == ["claim-memory_fits", "claim-serves_tools", "claim-guide_says"]
    expect(told).to_have_text(f"3 of {len(SEVERAL)} claims")
    page.locator("select[name=stage]").select_option("live")
    assert visible(page) == ["claim-serves_tools"]
    page.get_by_role("button", name="Clear").click()
    expect(told).to_have_text(f"{len(SEVERAL)} of {len(SEVERAL)} claims")
    page.locator("select[name=severity]").select_option("advisory")
    assert visible(page) == ["claim-guide_says"]
    expect(page.get_by_role("heading", name="What the deployment rests on")).to_be_hidden()
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Words").fill("Budget_Bounds remedy")
    assert visible(page) == ["claim-budget_bounds"]
    page.locator("select[name=outcome]").select_option("FAIL UNKNOWN")
    assert visible(page) == ["claim-budget_bounds"]
    page.get_by_label("Words").fill("no such words")
    assert visible(page) == []
    expect(told).to_have_text(f"0 of {len(SEVERAL)} claims")


def test_a_claim_opens_on_its_remedy_and_its_raw_evidence_is_one_click_away(opened: Any) -> None:
    page, _ = opened()
    claim = page.locator("#claim-memory_fits")
    expect(claim.get_by_text("memory_fits remedy")).to_be_hidden()
    claim.locator("> summary").click()
    for text in ("remedy", "threshold", "source", "note", "expected", "measured"):
        expect(claim.get_by_text(f"memory_fits {text}")).to_be_visible()
    expect(claim.get_by_text("unproven: no drill of this claim")).to_be_visible()
    expect(claim.get_by_text("no devices")).to_be_hidden()
    claim.locator(".rawdata > summary").click()
    expect(claim.get_by_text("no devices")).to_be_visible()
    expect(claim.get_by_text("status 401")).to_be_visible()


def test_an_address_with_a_claims_name_opens_it_even_when_a_filter_hides_it(opened: Any) -> None:
    page, _ = opened(fragment="#claim-budget_bounds")
    claim = page.locator("#claim-budget_bounds")
    expect(claim).to_have_attribute("open", "")
    expect(claim.locator("> summary")).to_be_in_viewport()
    assert page.evaluate("document.activeElement.parentElement.id") == "claim-budget_bounds"
    page.locator("select[name=outcome]").select_option("PASS")
    expect(claim).to_be_hidden()
    page.evaluate("location.hash = ''")
    page.locator(".deciders a[href='#claim-memory_fits']").click()
    expect(page.locator("#claim-memory_fits > summary")).to_be_in_viewport()
    assert len(visible(page)) == len(SEVERAL)


def test_it_can_be_used_from_the_keyboard_and_shows_where_the_focus_is(opened: Any) -> None:
    page, _ = opened()
    page.get_by_label("Words").focus()
    for _ in range(7):
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.evaluate("e => e.tagName") == "SUMMARY"
    assert focused.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#claim-memory_fits")).to_have_attribute("open", "")


def test_without_scripts_every_claim_can_still_be_read(opened: Any) -> None:
    page, _ = opened(java_script_enabled=False)
    expect(page.locator("#filters")).to_be_hidden()
    assert page.locator("details.claim").count() == len(SEVERAL)
    page.locator("#claim-memory_fits > summary").click()
    expect(page.locator("#claim-memory_fits").get_by_text("memory_fits remedy")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("open_all", [False, True])
def test_axe_finds_no_violation(opened: Any, scheme: str, open_all: bool) -> None:
    page, _ = opened(color_scheme=scheme)
    if open_all:
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("open_all", [False, True])
def test_nothing_scrolls_sideways_on_a_telephone(opened: Any, open_all: bool) -> None:
    page, _ = opened(viewport=NARROW)
    if open_all:
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_a_print_has_what_blocks_in_full_and_no_controls(opened: Any) -> None:
    page, _ = opened()
    page.emulate_media(media="print")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("#claim-memory_fits").get_by_text("memory_fits threshold")).to_be_visible()
    expect(page.locator("#claim-guide_says").get_by_text("guide_says threshold")).to_be_hidden()
    expect(page.locator("#claim-memory_fits .rawdata")).to_be_hidden()


def worst(kind: str) -> dict[str, Any]:
    """More than page one should ever hold: long reasons, waivers, simulated hosts, many failures."""
    waiver = Waiver("memory_fits", "host", LONG, "Ada Lovelace <ada@example.org>", date(2026, 12, 31))
    real = load("rehearsal")
    run = replace(
        RUN,
        kind=kind,
        inventory_title="Two servers with 8x A100 80 GB each, in the second hall, behind the old firewall",
        engine="vllm 0.33.0 (cuda), image vllm/vllm-openai@sha256:" + "0" * 64,
        hosts=tuple(f"gpu-host-{n}" for n in range(16)),
        waivers=(waiver,) * (1 if kind == "rehearsal" else 4),
        simulated=() if kind == "rehearsal" else (f"gpu-host-1: {LONG}",) * 3,
        proves=real.proves,
        does_not_prove=real.does_not_prove,
        price=None if kind == "rehearsal" else price_of(load("h200x8")),
        model_revision="6" * 40,
    )
    records = [
        replace(e, remedy=LONG, states=LONG, finding=replace(e.finding, because=LONG, value=1.5, limit=1e6))
        for e in (record(f"claim-{n}", Outcome.FAIL) for n in range(12))
    ]
    verdict = decide({(e.claim, e.stage) for e in records}, records, whole=True, scope="all claims")
    return {"run": run, "verdict": verdict, "evidence": records}


@pytest.mark.parametrize("kind", ["rehearsal", "production"])
def test_page_one_is_one_sheet_of_a4_however_much_there_is_to_say(opened: Any, tmp_path: Path, kind: str) -> None:
    _, html = render(**worst(kind), tables=TABLES, trail=TRAIL, folder=tmp_path)
    page, _ = opened(at=html)
    whole = pages(page.pdf(prefer_css_page_size=True))
    page.evaluate("document.querySelectorAll('main > :not(#signatory)').forEach((each) => each.remove())")
    alone = pages(page.pdf(prefer_css_page_size=True))
    assert len(alone) == 1 < len(whole)
    assert {tuple(round(side) for side in sheet) for sheet in whole} == {A4_POINTS}
