"""beachhead drill: its arithmetic, what it keeps, what it prints, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from assumptions._core import Finding, Outcome, Provenance, Stage
from assumptions._drill_figures import NAME, drilled
from assumptions._registry import claim
from flows import drill_command
from flows.cli import main
from flows.drill import Chosen, Results, play
from flows.drill_pairs import Healthy, Look, Pair
from flows.drill_print import lines
from flows.drill_record import keep, told
from flows.drill_score import Calm, Played, by_claim, score, seen, usual
from inventories.errors import BadInput

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
CLAIM, OTHER = "thinking-budget", "openai-api"


def played(outcome: Outcome, *expected: Outcome, fault: str = "a-lie", name: str = CLAIM) -> Played:
    return Played(name, 1, Stage.LIVE, "here", fault, "it lies", expected or (FAIL,), outcome, "because", 0.1)


def calm(outcome: Outcome = PASS, name: str = CLAIM) -> Calm:
    return Calm(name, 1, Stage.LIVE, "here", outcome, "because", 0.1)


@pytest.mark.parametrize(
    ("without", "outcome", "expected", "counts"),
    [
        (PASS, FAIL, (FAIL,), True),
        (PASS, PASS, (FAIL,), False),
        (PASS, UNKNOWN, (FAIL,), False),
        (PASS, UNKNOWN, (UNKNOWN,), True),
        (PASS, FAIL, (UNKNOWN,), False),
        (PASS, UNKNOWN, (FAIL, UNKNOWN), True),
        (UNKNOWN, FAIL, (FAIL,), True),
        (UNKNOWN, UNKNOWN, (UNKNOWN,), False),  # it says that of everything
        (FAIL, FAIL, (FAIL,), False),
        (Outcome.NOT_APPLICABLE, FAIL, (FAIL,), True),
    ],
)
def test_a_fault_is_seen_by_an_expected_word_that_is_not_said_without_it(
    without: Outcome, outcome: Outcome, expected: tuple[Outcome, ...], counts: bool
) -> None:
    assert seen(played(outcome, *expected), usual([calm(without)])) is counts


def test_a_claim_that_was_never_judged_without_a_fault_has_seen_none() -> None:
    assert not seen(played(FAIL), usual([calm(name=OTHER)]))


def test_a_claim_that_is_now_and_then_unknown_has_not_seen_a_fault_by_it() -> None:
    assert not seen(played(UNKNOWN, UNKNOWN), usual([calm(), calm(UNKNOWN), calm()]))


def test_the_figures_add_up() -> None:
    pairs = [played(FAIL, fault="one"), played(PASS, fault="two"), played(FAIL, fault="three", name=OTHER)]
    runs = [calm(), calm(), calm(UNKNOWN), calm(FAIL, OTHER)]
    whole = score(pairs, runs)
    assert (whole.seen, whole.played, whole.missed) == (1, 3, ("two", "three"))
    assert (whole.false_alarms, whole.healthy_runs) == (1, 4)
    assert by_claim(pairs, runs)[CLAIM] == replace(
        whole, seen=1, played=2, false_alarms=0, healthy_runs=3, missed=("two",)
    )


@pytest.mark.parametrize(
    ("caught", "missed", "runs", "good"),
    [
        (95, 5, [PASS], True),
        (94, 6, [PASS], False),
        (100, 0, [PASS, FAIL], False),
        (0, 0, [PASS], False),
        (1, 0, [], False),
        (1, 0, [PASS, UNKNOWN], True),
    ],
)
def test_it_is_good_from_95_percent_on_without_a_false_alarm(
    caught: int, missed: int, runs: list[Outcome], good: bool
) -> None:
    pairs = [played(FAIL)] * caught + [played(PASS)] * missed
    assert score(pairs, [calm(each) for each in runs]).good is good


def found(outcome: Outcome) -> Finding:
    return Finding(outcome, f"it is {outcome}", "", "", "", "", Provenance.MEASURED_HERE)


class Toy:
    """A ground with one claim; `says` maps a fault to what the claim says under it."""

    name = "a toy"

    def __init__(self, says: dict[str, Any], healthy: Sequence[Any] = (PASS,), *, served: bool = False) -> None:
        self.served, self.closed, self._says = served, False, says
        self._healthy: Iterator[Any] = iter(healthy)
        self._last: Any = PASS

    def pairs(self) -> list[Pair]:
        return [
            Pair(CLAIM, Stage.LIVE, name, "a lie", frozenset({FAIL}), self._look(it)) for name, it in self._says.items()
        ]

    def healthy(self) -> list[Healthy]:
        return [Healthy(CLAIM, Stage.LIVE, self._calm)]

    def _look(self, it: Any) -> Look:
        def look() -> Finding:
            if isinstance(it, Exception):
                raise it
            return found(it)

        return look

    def _calm(self) -> Finding:
        self._last = next(self._healthy, self._last)
        return self._look(self._last)()

    def close(self) -> None:
        self.closed = True


TWICE = Chosen(rounds=2)


def drill(*grounds: Toy, chosen: Chosen = TWICE) -> Results:
    return play(grounds, grounds, chosen, lambda _: None)


def test_every_fault_is_played_once_and_every_round_of_healthy_runs() -> None:
    results = drill(Toy({"one": FAIL, "two": PASS}, served=True), chosen=Chosen(rounds=3))
    assert [(each.fault, each.outcome) for each in results.played] == [("one", FAIL), ("two", PASS)]
    assert [each.outcome for each in results.calm] == [PASS] * 3
    assert results.whole == {CLAIM}


def test_a_fault_that_no_claim_sees_is_missed() -> None:
    results = drill(Toy({"one": FAIL, "two": PASS}))
    assert score(results.played, results.calm).missed == ("two",)
    assert not score(results.played, results.calm).good


def test_what_breaks_while_a_fault_is_played_is_unknown_and_no_success() -> None:
    results = drill(Toy({"one": RuntimeError("a defect of the claim")}))
    assert results.played[0].outcome is UNKNOWN and "a defect of the claim" in results.played[0].because
    assert score(results.played, results.calm).seen == 0


def test_a_healthy_run_that_fails_is_a_false_alarm_and_one_that_is_unknown_is_none() -> None:
    results = drill(Toy({"one": FAIL}, [PASS, FAIL, UNKNOWN], served=True), chosen=Chosen(rounds=3))
    assert score(results.played, results.calm).false_alarms == 1


def test_what_answers_from_recordings_is_not_asked_twenty_times() -> None:
    assert len(drill(Toy({"one": FAIL}), chosen=Chosen(rounds=20)).calm) == 2


def test_a_part_leaves_the_claim_not_whole() -> None:
    toy = Toy({"one": FAIL, "two": FAIL})
    assert drill(toy, chosen=Chosen(faults=("one",), rounds=1)).whole == set()
    assert drill(toy, chosen=Chosen(only=(CLAIM,), rounds=1)).whole == {CLAIM}


def test_what_is_not_in_the_catalogue_is_bad_input_and_says_what_is() -> None:
    with pytest.raises(BadInput, match="nothing was played") as raised:
        drill(Toy({"one": FAIL}), chosen=Chosen(faults=("none-such",)))
    assert "thinking-budget" in raised.value.fix and "one" in raised.value.fix


def test_the_figures_are_kept_and_read_again(tmp_path: Path) -> None:
    run = tmp_path / "rehearsal" / "20261123T000000Z-0000"
    results = drill(Toy({"one": FAIL, "two": PASS}))
    newest = keep(results, told(results, "rehearsal", run.name), run)
    assert newest == run.parent / NAME and (run / NAME).exists()
    version = claim(CLAIM).version
    for folder in (run, run.parent, run.parent / "20261124T000000Z-ffff"):
        figures = drilled(folder).of(CLAIM, version)
        assert figures is not None
        assert (figures.seen, figures.played, figures.missed) == (1, 2, ("two",))
        assert figures.sentence.startswith("1 of 2 faults seen, 0 false alarms in 2 healthy runs (")
        assert figures.grounds == ("a toy",) and figures.run == run.name and figures.product


def test_another_version_or_claim_is_unproven(tmp_path: Path) -> None:
    run = tmp_path / "run"
    results = drill(Toy({"one": FAIL}))
    keep(results, told(results, "rehearsal", "run"), run)
    version = claim(CLAIM).version
    assert drilled(run).words(CLAIM, version + 1) == f"unproven: version {version} was drilled, not {version + 1}"
    assert drilled(run).words(OTHER, 1) == "unproven: no drill of this claim"
    assert drilled(tmp_path / "nowhere" / "run").of(CLAIM, version) is None


def test_a_part_of_a_drill_leaves_the_earlier_figures(tmp_path: Path) -> None:
    whole = drill(Toy({"one": FAIL, "two": PASS}))
    keep(whole, told(whole, "rehearsal", "first"), tmp_path / "first")
    part = drill(Toy({"one": FAIL, "two": PASS}), chosen=Chosen(faults=("one",), rounds=1))
    keep(part, told(part, "rehearsal", "second"), tmp_path / "second")
    figures = drilled(tmp_path / "second").of(CLAIM, claim(CLAIM).version)
    assert figures is not None and (figures.seen, figures.played, figures.run) == (1, 2, "first")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"form": 99, "claims": []}', '{"form": 1, "claims": [{}]}'])
def test_figures_that_cannot_be_read_stop_no_report_and_are_not_thrown_away(text: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(text)
    told_of = drilled(tmp_path / "run")
    assert told_of.of(CLAIM, 1) is None and told_of.unreadable
    assert told_of.words(CLAIM, 1).startswith("unproven: drill.json")
    if '"form": 1' not in text:
        results = drill(Toy({"one": FAIL}))
        with pytest.raises(BadInput, match="can't be read"):
            keep(results, told(results, "rehearsal", "run"), tmp_path / "run")


def test_the_table_names_each_miss_and_each_false_alarm() -> None:
    results = drill(Toy({"one": FAIL, "two": PASS}, [PASS, FAIL]))
    text = "\n".join(lines(told(results, "rehearsal", "run")))
    assert "thinking-budget      0/2           1/2  a toy" in text  # whose word without a fault is FAIL has seen none
    assert "MISSED       thinking-budget: two: PASS" in text
    assert "FALSE ALARM  thinking-budget at live" in text
    assert "0 of 2 faults seen (0.0%), 1 false alarms in 2 healthy runs" in text


def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, toys: list[Toy], *words: str) -> Any:
    liars = SimpleNamespace(grounds=lambda *_: toys, ready=lambda *_: None)
    monkeypatch.setattr(drill_command, "_liars", lambda: liars)
    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path))
    return CliRunner().invoke(main, ["drill", "h200x8", *words])


@pytest.mark.parametrize(
    ("says", "healthy", "status"),
    [({"one": FAIL}, [PASS], 0), ({"one": PASS}, [PASS], 1), ({"one": FAIL}, [FAIL], 1), ({"one": FAIL}, [UNKNOWN], 0)],
)
def test_the_exit_status(
    says: dict[str, Any], healthy: list[Any], status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    toy = Toy(says, healthy)
    done = invoke(monkeypatch, tmp_path, [toy], "--healthy", "2", "--json")
    assert done.exit_code == status, done.output
    assert json.loads(done.stdout)["totals"]["played"] == 1
    assert toy.closed and (tmp_path / "h200x8" / NAME).exists()


@pytest.mark.parametrize(
    "words", [("--only", "no-such"), ("--fault", "no-such"), ("--healthy", "0")], ids=["claim", "fault", "rounds"]
)
def test_bad_input_ends_with_2(words: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert invoke(monkeypatch, tmp_path, [Toy({"one": FAIL})], *words).exit_code == 2


def test_quick_asks_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = Toy({"two": RuntimeError("a server was asked")}, served=True)
    done = invoke(monkeypatch, tmp_path, [Toy({"one": FAIL}), asked], "--quick", "--json")
    assert done.exit_code == 0, done.output
    drilled_now = json.loads(done.stdout)
    assert [pair["fault"] for pair in drilled_now["pairs"]] == ["one"] and len(drilled_now["healthy"]) == 1
    assert json.loads((tmp_path / "h200x8" / NAME).read_text())["claims"] == []  # only a part of it was played


def test_without_the_tests_there_are_no_liars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(drill_command, "__file__", str(tmp_path / "flows" / "drill_command.py"))
    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path))
    done = CliRunner().invoke(main, ["drill", "h200x8", "--quick"])
    assert done.exit_code == 2 and "the liars are not installed" in done.output and "checkout" in done.output


def test_the_quick_drill_of_this_checkout_sees_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For real: every recorded and scripted fault of the catalogue."""
    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path))
    done = CliRunner().invoke(main, ["drill", "h200x8", "--quick", "--json"])
    assert done.exit_code == 0, done.output[-3000:]
    grounds = json.loads(done.stdout)["grounds"]
    assert grounds["a scripted host"]["played"] >= 50 and grounds["a scripted host"]["missed"] == []
    assert all(each["false_alarms"] == 0 for each in grounds.values())
