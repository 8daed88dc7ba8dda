"""The registry is the listing of the folder: one claim is one file, and a broken one is heard."""

import importlib
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import assumptions
from assumptions import _registry
from assumptions._core import Outcome, Severity, Stage
from assumptions._registry import at, claim, claims, keys
from inventories.errors import BadInput

FOLDER = Path(assumptions.__path__[0])
FILES = sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith("_"))


def test_there_is_one_claim_a_file() -> None:
    assert [c.id for c in claims()] == [stem.replace("_", "-") for stem in FILES]
    assert len({c.states for c in claims()}) == len(claims())


@pytest.mark.parametrize("stem", FILES)
def test_a_claim_says_what_it_must(stem: str) -> None:
    found = claim(stem.replace("_", "-"))
    assert re.search(r"§\d|hardware strategy, [A-Z]", found.guide), "names no section"
    assert found.states.strip().endswith(".") and len(found.states) > 20
    assert len(found.remedy.strip()) > 20
    assert found.version >= 1
    assert found.stages and len(set(found.stages)) == len(found.stages)
    assert all(isinstance(stage, Stage) for stage in found.stages)
    assert isinstance(found.severity, Severity)
    assert callable(found.observe) and callable(found.judge) and callable(found.tables)


def test_at_and_keys_agree_with_the_claims_own_stages() -> None:
    every = {(c.id, stage) for c in claims() for stage in c.stages}
    assert set(keys()) == every
    assert len(keys()) == len(every)
    for stage in Stage:
        assert {c.id for c in at(stage)} == {name for name, when in every if when is stage}
    assert set(keys([Stage.STAGING], ["memory-fit"])) == {("memory-fit", Stage.STAGING)}
    assert keys([Stage.WEIGHTS], ["memory-fit"]) == ()


def test_an_unknown_claim_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput) as refused:
        claim("no-such-claim")
    assert "memory-fit" in refused.value.fix


GOOD = """
    from assumptions._core import Assumption, Finding, Outcome, Provenance, Severity, Stage

    def judge(seen, inventory):
        return Finding(Outcome.PASS, "seen", "1", str(seen), "1", "here", Provenance.MEASURED_HERE)

    ASSUMPTION = Assumption(
        id="{id}", guide="§0", states="One file is one claim.", stages=(Stage.HOST,), severity=Severity.ADVISORY,
        remedy="none", version=1, observe=lambda site, stage: 1, judge=judge,
    )
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of claims, listed like the first one, and forgotten afterwards."""
    monkeypatch.setattr(assumptions, "__path__", [*assumptions.__path__, str(tmp_path)])
    before = set(sys.modules)
    _registry._claim.cache_clear()
    _registry._written.cache_clear()
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("assumptions."):
            del sys.modules[name]
            vars(assumptions).pop(name.removeprefix("assumptions."), None)
    _registry._claim.cache_clear()
    _registry._written.cache_clear()


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(textwrap.dedent(text))
    importlib.invalidate_caches()


def test_adding_one_file_adds_one_claim(folder: Path) -> None:
    before = {p.name for p in FOLDER.iterdir()}
    write(folder, "one_more", GOOD.format(id="one-more"))
    found = claim("one-more")
    assert found.judge(found.observe(None, Stage.HOST), None).outcome is Outcome.PASS  # type: ignore[arg-type]
    assert ("one-more", Stage.HOST) in keys()
    assert {p.name for p in FOLDER.iterdir()} == before


def test_an_underscore_or_a_folder_is_not_a_claim(folder: Path) -> None:
    write(folder, "_helper", "raise RuntimeError('imported')")
    (folder / "more").mkdir()
    (folder / "more/__init__.py").write_text("raise RuntimeError('imported')")
    assert len(claims()) == len(FILES)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("raise RuntimeError('broken')", RuntimeError),
        ("import no_such_module_anywhere", ModuleNotFoundError),
        ("x = = 1", SyntaxError),
        ("ASSUMPTIONS = []", AttributeError),
        (GOOD.format(id="another-name"), ImportError),
    ],
    ids=["raises", "imports nothing", "no Python", "no claim in it", "named otherwise"],
)
def test_a_broken_file_fails_loudly_and_every_time(folder: Path, text: str, error: type[Exception]) -> None:
    write(folder, "broken", text)
    for _ in range(2):
        with pytest.raises(error):
            claims()
    with pytest.raises(error):
        keys()


def test_a_stage_finds_its_claims_without_importing_the_others() -> None:
    """The quick look at a file's text must never lose a claim that its own stages name."""
    for stage in Stage:
        assert [c.id for c in at(stage)] == [c.id for c in claims() if stage in c.stages]
