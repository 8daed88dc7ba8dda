"""Every line of the documents that is marked as an assumption, and every other that counts, leads to a claim."""

import os
import re
from pathlib import Path

import pytest

from assumptions import _documents_page
from assumptions._documents import FILES, Document, Kind, Statement, documents, named, of_claim, statements
from assumptions._documents_cpu import UNKNOWN_ON_A_CPU
from assumptions._registry import Claim, claims
from tests.recorded.documents import index as kept
from tests.recorded.documents.index import Line, index

MUST = {"warning", "assumption", "estimate", "unknown", "requires-testing", "verified", "about"}
NO_CLAIM_AT_MOST = 25
NO_FIGURE = {  # lines whose digits are a heading's number, a name's, an address's or a version's
    "guide": "1 5 6 7 15 17 23 24 25 43 54 63 65 86 110 127 129 135 144 180 205 207 237 391 436 475 477 480 486 488 "
    "491 552 553 562 592 598 614 635 637 679 702 720 722 731 749 751 782 812 816 817 819 828 829 830 831 832 "
    "833 834 840",
    "strategy": "1 12 21 28 35 91 98 99 104 160 162",
}
KNOWN = {each.id for each in claims()}
REAL = os.environ.get("BEACHHEAD_DOCUMENTS", "")


def stated(file: str) -> Document:
    return next(each for each in documents() if each.file == file)


def marked() -> list[tuple[str, Line]]:
    return [(file, line) for file in FILES for line in index(file) if MUST & set(line.marks)]


@pytest.mark.skipif(not REAL, reason="BEACHHEAD_DOCUMENTS names no folder with the documents")
def test_the_index_is_the_documents() -> None:
    real = dict(kept.documents(Path(REAL)))
    assert set(real) == set(FILES)
    for file, text in real.items():
        assert tuple(kept.lines(file, text)) == index(file)


@pytest.mark.skipif(not REAL, reason="BEACHHEAD_DOCUMENTS names no folder with the documents")
def test_no_sentence_of_the_documents_is_copied() -> None:
    """No six words in a row of ours are words in a row of theirs."""
    for file, text in kept.documents(Path(REAL)):
        theirs = " ".join(_words(text))
        for each in stated(file).statements:
            ours = _words(each.says)
            for start in range(len(ours) - 5):
                assert f" {' '.join(ours[start : start + 6])} " not in f" {theirs} ", each


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{2,}", text.casefold())


@pytest.mark.parametrize(("file", "line"), marked(), ids=lambda v: v if isinstance(v, str) else str(v.line))
def test_every_marked_line_leads_to_a_claim(file: str, line: Line) -> None:
    """Assumptions, estimates, unknowns, warnings, what is called verified and figures with `~`."""
    said = [each for each in stated(file).statements if line.line in each.lines]
    assert said, f"{file} line {line.line} ({', '.join(line.marks)}) is not in {FILES[file]}"
    assert any(each.claims or each.no_claim for each in said)


@pytest.mark.parametrize("file", FILES)
def test_every_line_with_a_figure_leads_to_a_claim(file: str) -> None:
    mapped = {number for said in stated(file).statements for number in said.lines}
    left = {line.line for line in index(file) if "figure" in line.marks} - mapped
    assert left == set(map(int, NO_FIGURE[file].split()))


def test_a_marked_line_that_nobody_mapped_would_be_noticed() -> None:
    lines = {(file, line.line) for file, line in marked()}
    assert len(lines) > 50
    assert ("guide", 90) in lines and ("guide", 790) in lines and ("strategy", 86) in lines


@pytest.mark.parametrize("said", tuple(statements()), ids=lambda s: f"{s.file}-{s.first}-{s.says[:20]}")
def test_a_statement_is_short_leads_somewhere_and_lies_in_its_section(said: Statement) -> None:
    assert 1 <= len(said.says.split()) <= 15
    assert bool(said.claims) is not bool(said.no_claim), "claims, or why there is none"
    assert len(set(said.claims)) == len(said.claims)
    sections = {line.line: line.section for line in index(said.file)}
    assert said.first <= said.last and said.first in sections and said.last in sections
    found = {sections[number] for number in said.lines if number in sections}
    assert found == {said.section if said.file == "guide" else said.section.casefold()}


@pytest.mark.parametrize("said", tuple(statements()), ids=lambda s: f"{s.file}-{s.first}-{s.says[:20]}")
def test_the_claims_of_a_statement_exist(said: Statement) -> None:
    assert set(said.claims) <= KNOWN


def test_a_kind_is_the_documents_own_word() -> None:
    """A line that is marked as assumed is never passed off as merely stated."""
    word = {Kind.ASSUMPTION: "assumption", Kind.ESTIMATE: "estimate", Kind.UNKNOWN: "unknown"}
    for file in FILES:
        marks = {line.line: set(line.marks) for line in index(file)}
        for said in stated(file).statements:
            if len(said.lines) == 1 and (found := marks[said.first] & set(word.values())):
                assert said.kind is not Kind.STATED, (file, said.first, found)


def test_few_statements_are_judged_by_nothing_and_say_why() -> None:
    without = [each for each in statements() if not each.claims]
    assert len(without) <= NO_CLAIM_AT_MOST
    assert all(len(each.no_claim) > 15 for each in without)
    assert len(list(statements())) >= 110


@pytest.mark.parametrize("claim_id", sorted(KNOWN))
def test_every_claim_is_reached_from_a_document(claim_id: str) -> None:
    assert of_claim(claim_id)


@pytest.mark.parametrize("known", claims(), ids=lambda c: c.id)
def test_a_claim_names_a_section_of_a_document(known: Claim) -> None:
    assert named(known.guide)


@pytest.mark.parametrize("known", claims(), ids=lambda c: c.id)
def test_a_statement_of_each_section_that_a_claim_names_leads_to_it(known: Claim) -> None:
    there = {(each.file, each.section) for each in of_claim(known.id)}
    for document, section in named(known.guide):
        below = {
            name for name in document.sections if name == section or name.startswith((f"{section}.", f"{section},"))
        }
        assert there & {(document.file, name) for name in below}, f"{known.guide}: nothing of {section}"


@pytest.mark.parametrize("guide", ["K2 Thinking guide §4.9", "K2.5 hardware strategy, Nowhere", "another §1", ""])
def test_a_section_that_is_none_is_noticed(guide: str) -> None:
    with pytest.raises(ValueError, match=r"no section|no document"):
        named(guide)


def test_what_stays_unknown_on_a_cpu_is_of_known_claims() -> None:
    assert set(UNKNOWN_ON_A_CPU) <= KNOWN
    assert all(len(why) > 20 and not why.endswith(".") for why in UNKNOWN_ON_A_CPU.values())


def test_the_page_is_made_from_the_code() -> None:
    assert _documents_page.PAGE.read_text(encoding="utf-8") == _documents_page.page(), "run it with --write"


def test_the_page_says_when_it_is_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_documents_page, "PAGE", tmp_path / "claims.md")
    assert _documents_page.main([]) == 1
    assert _documents_page.main(["--write"]) == 0
    assert _documents_page.main([]) == 0
    assert _documents_page.main(["--else"]) == 2


def test_the_index_tool_refuses_a_folder_without_the_documents(tmp_path: Path) -> None:
    assert kept.main([]) == 2
    assert kept.main([str(tmp_path)]) == 2
    (tmp_path / "a.txt").write_text("# Kimi K2 Thinking: x\n")
    assert kept.main([str(tmp_path)]) == 2


def test_marks_are_found_by_their_words() -> None:
    text = "# Kimi K2 Thinking: x\n\n## 2. Hardware\n\n### 2.1 GPU\n```\n# 3. no heading\n```\n"
    text += "some ~5 (ASSUMPTION), ⚠️ Unknown\n"
    rows = list(kept.lines("guide", text))
    assert [row.section for row in rows] == ["", "2", "2.1", "2.1", "2.1", "2.1", "2.1"]
    assert rows[-1].marks == ("warning", "assumption", "unknown", "about", "figure")
