"""`validate --stale` on this very machine: what a change has voided is judged again, and nothing else.

No engine runs here, so that what needs one is UNKNOWN and judged each time; what a host's claims say stands.
"""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import flows.stale
from assumptions import _fingerprint
from assumptions._carried import carried_faults
from assumptions._core import Evidence, Outcome, Stage
from assumptions._ledger import Ledger
from assumptions._recheck import rechecked
from assumptions._seal import run_files
from assumptions._terms import catalog_sha256
from flows.earlier import answers
from flows.plain import validate
from flows.run import Run
from flows.stale import validate_stale
from inventories.errors import BadInput

pytestmark = pytest.mark.timeout(300)
INVENTORY = """
name: here
title: This machine
kind: rehearsal
hosts:
  - name: here
    ssh: {{address: local, user: me}}
    ram_gib: 1
    cpu_cores: 1
    root: {root}
model: {{catalog: tiny-k2, revision: {commit}}}
hub: {{endpoint: "http://127.0.0.1:9"}}
engine: {{kind: vllm, version: 0.32.0, options: {{device: cpu, kv_cache_gib: 1}}}}
serving: {{context_tokens: 1024, watch: {{enabled: false}}}}
"""


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Run]]:
    """A whole run, made once."""
    folder = tmp_path_factory.mktemp("stale")
    file = folder / "here.yaml"
    file.write_text(INVENTORY.format(root=folder / "root", commit="ab" * 20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEACHHEAD_EVIDENCE", str(folder / "evidence"))
        patch.setenv("BEACHHEAD_HOME", str(folder / "home"))
        patch.setenv("BEACHHEAD_WAIVERS", str(folder / "waivers"))
        with pytest.raises(BadInput, match="nothing that could be stale"):
            _raised(validate_stale(str(file)))
        yield str(file), validate(str(file))


def _raised(run: Run) -> None:
    """The command line raises what stopped a run once its report is written."""
    if run.problem is not None:
        raise run.problem


def records(run: Run) -> dict[tuple[str, Stage], Evidence]:
    return {(r.claim, r.stage): r for r in run.ledger.read()}


def faults(run: Run) -> list[str]:
    files = run_files(run.folder)
    found = rechecked(files, catalog_sha256(), catalog_sha256())
    return [f"{each.where}: {each.what}" for each in (*found.faults, *carried_faults(files, found))]


def test_nothing_changed_and_only_what_has_no_answer_is_judged_again(earlier: tuple[str, Run]) -> None:
    name, before = earlier
    run = validate_stale(name)
    old, new = records(before), records(run)
    assert set(old) == set(new) == set(run.expected) and run.whole
    for key, record in new.items():
        served = key[1] in (Stage.STAGING, Stage.LIVE)  # nothing is: nobody can say that it is still the same
        answered = old[key].observation is not None and not served
        assert bool(record.carried) == answered, key
        if answered:
            assert record.carried == before.site.run_id
            assert (record.finding, record.started_at) == (old[key].finding, old[key].started_at)
    assert any(r.carried and r.stage is Stage.HOST and r.finding.outcome is Outcome.PASS for r in new.values())
    assert faults(run) == []
    twice = validate_stale(name)
    assert {r.carried for r in records(twice).values() if r.carried} == {before.site.run_id}
    assert faults(twice) == []


@pytest.mark.parametrize("part", _fingerprint.EVERYTHING)
def test_a_change_voids_what_depends_on_it_and_nothing_else(
    part: str, earlier: tuple[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, before = earlier
    read = _fingerprint.fingerprint

    def changed(site: object, stage: Stage) -> dict[str, str]:
        return {**read(site, stage), part: "another"}  # type: ignore[arg-type]

    monkeypatch.setattr(flows.stale, "fingerprint", changed)
    old = records(before)
    with flows.stale.opened(name, "drill") as run:
        run.expect(tuple(Stage))
        void = flows.stale.voided(run, answers(run.folder))
    shutil.rmtree(run.folder)
    for key, record in old.items():
        if record.observation is not None and record.depends_on != ():
            untold = {"engine", "flags"} & set(record.depends_on)
            assert (key in void) == (part in record.depends_on or bool(untold)), (key, void.get(key))


def test_time_voids_too(earlier: tuple[str, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    name, _ = earlier
    monkeypatch.setattr(flows.stale, "now", lambda: datetime.now(UTC) + timedelta(days=31))
    run = validate_stale(name)
    assert not any(r.carried for r in records(run).values() if r.stage is Stage.HOST)
    assert any(r.carried for r in records(run).values() if r.stage is Stage.PLAN)
    shutil.rmtree(run.folder)


def test_a_changed_inventory_voids_everything(earlier: tuple[str, Run]) -> None:
    name, _ = earlier
    text = Path(name).read_text()
    Path(name).write_text(text.replace("cpu_cores: 1", "cpu_cores: 2"))
    try:
        run = validate_stale(name)
        assert not any(r.carried for r in records(run).values())
        shutil.rmtree(run.folder)
    finally:
        Path(name).write_text(text)


def test_what_a_later_part_found_is_not_forgotten(earlier: tuple[str, Run]) -> None:
    """A claim that was judged alone since counts as it was judged then; a damaged ledger stops it all."""
    name, before = earlier
    alone = validate(name, ["system-cores"])
    run = validate_stale(name)
    taken = {key: r.carried for key, r in records(run).items() if r.carried}
    assert taken.pop(("system-cores", Stage.HOST)) == alone.site.run_id
    assert set(taken.values()) == {before.site.run_id} and faults(run) == []
    shutil.rmtree(run.folder)  # it is a ground of its own: the search would end there
    ledger = alone.folder / "evidence.jsonl"
    whole = ledger.read_bytes()
    ledger.write_bytes(whole.replace(b'"outcome":"PASS"', b'"outcome":"FAIL"', 1))
    stopped = validate_stale(name)
    ledger.write_bytes(whole)
    assert stopped.problem is not None and "can't be relied on: line 2: finding" in stopped.problem.what
    ledger.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    killed = validate_stale(name)
    ledger.write_bytes(whole)
    assert not records(killed)["system-cores", Stage.HOST].carried, "its run has not ended"


def test_a_forged_answer_that_was_taken_over_is_named(earlier: tuple[str, Run]) -> None:
    name, before = earlier
    run = validate_stale(name)
    file = run.folder / "carried" / before.site.run_id / "evidence.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if json.loads(line).get("claim") == "system-cores")
    file.write_text("".join([*lines[:number], lines[number].replace("PASS", "FAIL", 1), *lines[number + 1 :]]))
    assert any("carried/" in fault and f"line {number + 1}" in fault for fault in faults(run))
    assert Ledger(run.folder).read(), "the run's own ledger is as it was"
