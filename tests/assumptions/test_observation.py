"""Every claim can be judged again from its record, and says the same then, secrets cut out or not."""

import json
import math
import random
from collections import abc
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pytest

from assumptions._core import Evidence, Finding, Outcome, Stage
from assumptions._judge import judge, rejudged
from assumptions._observation import NotAgain, clean, read_back, recorded
from assumptions._plain import plain
from assumptions._registry import Claim, at, claim, claims
from assumptions._typed import _hints
from inventories.errors import Problem
from inventories.load import load
from inventories.schema import Inventory
from tasks.redaction import MASK, Redactor
from tasks.site import Site
from tests.assumptions import host_scene
from tests.recorded.replay import KEY, replaying
from tests.recorded.scene import Scene, set_key

pytestmark = pytest.mark.timeout(300)
INVENTORIES = ("a100x4", "h200x8", "mac-studio-m3-ultra", "rehearsal")
SERVED = ("context-256k", "int4-support", "memory-fit", "openai-api", "thinking-budget", "weights-intact")


def same(record: Evidence, inventory: Inventory) -> None:
    """The judge says of the record what the record says."""
    assert record.not_again == "", f"{record.claim}: {record.not_again}"
    value = json.loads(json.dumps(record.observation))
    again = clean(rejudged(claim(record.claim), value, inventory), Redactor())
    assert plain(again) == plain(record.finding), record.claim


@pytest.mark.parametrize("name", INVENTORIES)
def test_what_a_plan_judges(name: str, tmp_path: Path) -> None:
    site = Site(load(name), tmp_path)
    for each in at(Stage.PLAN):
        same(judge(site, each, Stage.PLAN).evidence, site.inventory)


@pytest.mark.parametrize("each", at(Stage.HOST), ids=lambda c: c.id)
@pytest.mark.parametrize("gpus", [host_scene.GPUS, 0])
def test_what_a_host_is_judged_by(each: Claim, gpus: int, tmp_path: Path) -> None:
    inventory = host_scene.inventory("h200" if gpus else None, gpus)
    record = host_scene.judged(tmp_path, each.id, ordered=inventory)
    if record.finding.because.startswith("could not look"):
        assert each.id in ("guide-serving-flags", "serving-flags-accepted"), record.finding
        assert record.observation is None
        return
    same(record, inventory)


@pytest.mark.parametrize("stage", [Stage.WEIGHTS, Stage.STAGING, Stage.LIVE])
@pytest.mark.parametrize("claim_id", SERVED)
def test_what_was_recorded_of_a_server(
    claim_id: str, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_key(monkeypatch)
    if stage not in claim(claim_id).stages:
        pytest.skip("not judged here")
    with replaying("live" if stage is Stage.LIVE else "staging") as server:
        scene = Scene(tmp_path, stage, server.port)
        record = scene.judged(claim_id)
    assert KEY not in json.dumps(record.observation)
    same(record, scene.inventory)


@pytest.mark.parametrize("each", claims(), ids=lambda c: c.id)
def test_any_observation_comes_back(each: Claim) -> None:
    """Whatever its type allows, made up: it can be read back, and is written the same."""
    kind, chance = get_type_hints(each.observe)["return"], random.Random(each.id)
    drawn = 0
    for _ in range(400):
        try:
            seen = made_up(kind, chance, {})
        except (ValueError, Problem):
            continue  # a record that refuses such values
        drawn += 1
        if drawn > 40:
            break
        value = recorded(seen, Redactor())
        back = read_back(each, value)
        assert recorded(back, Redactor()) == value
        assert type(back) is type(seen)
    assert drawn or Stage.PLAN in each.stages, "nothing was tried; a plan's claims are judged above"


def made_up(kind: Any, chance: random.Random, bound: dict[Any, Any]) -> Any:
    """A value of a type, by its hints."""
    origin, inner = get_origin(kind), get_args(kind)

    def some(*kinds: Any) -> Iterator[tuple[Any, ...]]:
        return (tuple(made_up(k, chance, bound) for k in kinds) for _ in range(chance.randrange(4)))

    if isinstance(kind, TypeVar):
        return made_up(bound[kind], chance, {})
    if origin in (Union, UnionType):
        return made_up(chance.choice(inner), chance, bound)
    if origin is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return chance.choice(list(inner or kind))
    if origin is Annotated:
        return made_up(inner[0], chance, bound)
    if origin is tuple:
        if inner[-1] is not Ellipsis:
            return tuple(made_up(k, chance, bound) for k in inner)
        return tuple(one for (one,) in some(inner[0]))
    if origin in (dict, abc.Mapping):
        return dict(some(*inner))
    if origin in (list, set, frozenset, abc.Sequence):
        return (tuple if origin is abc.Sequence else origin)(one for (one,) in some(inner[0]))
    record = origin if is_dataclass(origin) else kind
    if is_dataclass(record):
        hints = _hints(record)
        free = dict(zip(getattr(record, "__parameters__", ()), inner, strict=False))
        return record(**{f.name: made_up(_met(hints[f.name]), chance, free) for f in fields(record)})
    return chance.choice(SIMPLE[kind])


def _met(kind: Any) -> Any:
    """A type that is imported for the type checker alone, imported."""
    put_off = [each.put_off for each in (kind, *get_args(kind)) if hasattr(each, "put_off")]
    return getattr(import_module(put_off[0][0]), put_off[0][1]) if put_off else kind


SIMPLE: dict[Any, list[Any]] = {
    str: ["a", "b-1", "", "10", "é", "PASS"],
    int: [0, -1, 7, 2**63, True],
    float: [0.0, 1.5, -3.0, 1e300, math.inf],
    bool: [True, False],
    bytes: [b""],
    type(None): [None],
    datetime: [datetime(2026, 11, 22, 1, 2, 3, 4, tzinfo=UTC)],
    date: [date(2026, 11, 22)],
    Any: [None, 1, "x", {"a": [1, 2]}, []],
    object: [None, 1, "x"],
    dict: [{"a": 1}],
}


def _claim(kind: Any, judged: Any) -> Claim:
    def observe(site: object, stage: object) -> Any: ...

    observe.__annotations__["return"] = kind
    return replace(claim("secure-boot"), id="stub", observe=observe, judge=judged)


@dataclass(frozen=True)
class Said:
    text: str
    keys: dict[tuple[str, int], float | None]


def test_a_text_that_was_no_utf8_is_judged_from_its_escapes(tmp_path: Path) -> None:
    value = recorded(Said("bad \udc80", {("a", 1): math.nan}), Redactor())
    assert value == {"text": "bad \\udc80", "keys": [[["a", 1], "nan"]]}
    back = read_back(_claim(Said, None), value)
    assert math.isnan(back.keys["a", 1])


@pytest.mark.parametrize(
    "value", [None, 1, [], {}, {"text": 1, "keys": []}, {"text": "a", "keys": [[1]]}, {"text": "", "keys": {}, "x": 1}]
)
def test_what_is_none_of_the_claims_observations_is_said_so(value: object) -> None:
    with pytest.raises(NotAgain):
        read_back(_claim(Said, None), value)


def test_a_secret_in_an_observation_is_judged_without_it(tmp_path: Path) -> None:
    """The finding follows from what is on the record; where cutting the secret turns the answer, nobody knows."""
    site = Scene(tmp_path, Stage.HOST, None).site
    site.redactor.add("hunter2hunter2")

    def judged(seen: Said, inventory: object) -> Finding:
        outcome = Outcome.PASS if seen.text.startswith("ok") else Outcome.FAIL
        return replace(clean_finding, outcome=outcome, because=seen.text, measured=seen.text)

    clean_finding = host_scene.judged(tmp_path / "x", "secure-boot").finding
    stub = _claim(Said, judged)
    fine = judge(site, replace(stub, observe=_sees(Said("ok hunter2hunter2", {}))), Stage.HOST).evidence
    assert (fine.finding.outcome, fine.finding.because) == (Outcome.PASS, f"ok {MASK}")
    assert fine.observation == {"text": f"ok {MASK}", "keys": {}} and fine.not_again == ""
    site.redactor.add("ok then")
    turned = judge(site, replace(stub, observe=_sees(Said("ok then", {}))), Stage.HOST).evidence
    assert turned.finding.outcome is Outcome.UNKNOWN
    assert "PASS of what it saw and FAIL of what was recorded" in turned.finding.because


def _sees(seen: Said) -> Any:
    def observe(site: object, stage: object) -> Said:
        return seen

    return observe
