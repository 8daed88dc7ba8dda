"""The page of the claims says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assumptions import _claims_page
from assumptions._registry import claims

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date() -> None:
    fix = "run: .venv/bin/python -m assumptions._claims_page --write"
    assert _claims_page.PAGE.read_text(encoding="utf-8") == _claims_page.page(), fix
    assert _claims_page.main([]) == 0


def test_every_claim_has_its_row_its_section_and_its_file() -> None:
    text = _claims_page.page()
    for claim in claims():
        assert text.count(f"\n| [`{claim.id}`](#{claim.id}) |") == 1
        assert text.count(f"\n### {claim.id}\n") == 1
        assert (DOCS.parent / "assumptions" / f"{claim.id.replace('-', '_')}.py").exists()
        assert str(claim.severity) in text
    for linked in re.findall(r"\]\((\.\./\.\./assumptions/\w+\.py|claims-in-detail\.md)\)", text):
        assert (_claims_page.PAGE.parent / linked).resolve().exists()


def test_a_page_that_differs_is_told_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_claims_page, "PAGE", tmp_path / "claims.md")
    assert _claims_page.main([]) == 1
    assert _claims_page.main(["--write"]) == 0
    assert _claims_page.main([]) == 0
    (tmp_path / "claims.md").write_text("# The six claims\n")
    assert _claims_page.main([]) == 1
    assert "--write" in capsys.readouterr().err
    assert _claims_page.main(["--help"]) == 2
