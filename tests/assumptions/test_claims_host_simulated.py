"""Scripted hardware never makes a GO, and the vendor's pack is made when a card fails, and only then."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assumptions._core import Evidence, Finding, Outcome, Provenance, Severity, Stage
from assumptions._registry import claim
from assumptions._vendor_pack import CONTENTS, packed
from assumptions._verdict import Decision, decide
from flows.run import Run
from tasks.facts.base import NotUnderstood
from tasks.facts.gpu import GpuFact
from tasks.facts.simulated import SimulatedFact
from tasks.fake import Answer, FakeHost
from tasks.hosts import Ran, now
from tasks.site import Site
from tests.assumptions import host_scene as scene

SECRET = "hf_planted_secret_0123456789"
REAL, SCRIPTED = "@@ real\n", "@@ simulated\nGPUs: 8x h200, scripted\nkernel log: scripted\n"
names = st.lists(st.sampled_from(["h0", "h1"]), unique=True)


T = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)


def evidence(outcome: Outcome) -> Evidence:
    """A blocking record about RAM, whose remedy asks for no pack."""
    finding = Finding(outcome, "because", "x", "y", "z", "guide", Provenance.MEASURED_HERE)
    where = ("h0", "vllm", "tiny", "0.1.0")
    return Evidence(
        "system-ram", 1, Stage.HOST, Severity.BLOCKING, "§2.2", "It holds.", "Mend it.", finding, T, 0.1, (), *where
    )


@given(simulated=names, unsure=names, outcome=st.sampled_from(Outcome), whole=st.booleans(), needs=st.booleans())
def test_scripted_or_unsure_hosts_never_make_a_go(
    simulated: list[str],
    unsure: list[str],
    outcome: Outcome,
    whole: bool,
    needs: bool,
) -> None:
    record = evidence(outcome)
    more = {"whole": whole, "scope": "all", "needs_pass": needs}
    found = decide([(record.claim, record.stage)], [record], simulated=simulated, unsure=unsure, **more)  # type: ignore[arg-type]
    plain = decide([(record.claim, record.stage)], [record], **more)  # type: ignore[arg-type]
    if whole and (simulated or unsure):
        assert not found.open and found.decision in (Decision.UNKNOWN, Decision.NO_GO)
        assert (found.decision is Decision.NO_GO) == (plain.decision is Decision.NO_GO)
    else:
        assert found.decision is plain.decision
    if simulated and found.decision is Decision.HOLDS:
        assert "simulated hosts" in found.because


def run_on(folder: Path, marker: Answer, **changes: Answer) -> Run:
    """A run on one healthy host that says `marker` of itself."""
    ordered = scene.inventory()
    site = Site(ordered, folder)
    pack = {command: f"{command}\n" for command, _ in CONTENTS.values()}
    answers = scene.script(ordered) | {SimulatedFact().command: marker} | pack | changes
    answers[CONTENTS["nvidia-smi-topo.txt"][0]] = scene.topology()
    answers[CONTENTS["nvidia-smi-nvlink.txt"][0]] = scene.links()
    answers[CONTENTS["nvidia-smi-q.txt"][0]] = scene.report()
    site.use("h0", FakeHost("h0", answers))
    found = Run("validate", ordered, site, png=False)
    found.expected, found.whole = (("system-ram", Stage.HOST),), True
    return found


def test_a_run_on_real_hosts_may_say_go(tmp_path: Path) -> None:
    run = run_on(tmp_path, REAL)
    assert run.judge(claim("system-ram"), Stage.HOST).simulated == ""
    assert run.finish().decision is Decision.GO
    assert "simulated" not in (tmp_path / "report.md").read_text()


def test_a_run_on_scripted_hosts_says_so_everywhere_and_never_go(tmp_path: Path) -> None:
    run = run_on(tmp_path, SCRIPTED)
    record = run.judge(claim("system-ram"), Stage.HOST)
    assert record.finding.outcome is Outcome.PASS
    assert record.simulated == "h0: GPUs: 8x h200, scripted | kernel log: scripted"
    verdict = run.finish()
    assert verdict.decision is Decision.UNKNOWN
    assert verdict.because == "simulated hosts: h0: nothing was shown of real hardware"
    assert verdict.because in (tmp_path / "report.md").read_text()
    for page in ("report.md", "report.html"):
        text = (tmp_path / page).read_text()
        first = text.index("The hosts are simulated")
        assert first < text.index("What the decision rests on") and "8x h200, scripted" in text
        assert "Run the flow on the real hosts" in text
    assert json.loads((tmp_path / "run.json").read_text())["simulated"] == [record.simulated]
    assert run.ledger.read() == [record]


@pytest.mark.parametrize("marker", ["", "@@ nonsense", Ran("h0", "", 1, "", "denied", now())])
def test_a_host_that_can_not_be_asked_makes_no_go_either(marker: Answer, tmp_path: Path) -> None:
    run = run_on(tmp_path, marker)
    run.judge(claim("system-ram"), Stage.HOST)
    verdict = run.finish()
    assert verdict.decision is Decision.UNKNOWN and "could not find out" in verdict.because


@pytest.mark.parametrize(("text", "value"), [(REAL, None), (SCRIPTED, "GPUs: 8x h200, scripted\nkernel log: scripted")])
def test_the_marker_is_read(text: str, value: str | None) -> None:
    assert SimulatedFact().parse(text) == value


def test_an_empty_marker_is_a_marker() -> None:
    assert SimulatedFact().parse("@@ simulated\n") == "it does not say what"
    with pytest.raises(NotUnderstood):
        SimulatedFact().parse("real")


def test_a_failed_card_gives_one_pack_for_all_its_claims_without_secrets(tmp_path: Path) -> None:
    seven = scene.rows("h200-gpu.csv", 7)
    log, _ = CONTENTS["kernel-log.txt"]
    run = run_on(tmp_path, REAL, **{GpuFact().command: seven, log: f"NVRM: loaded {SECRET}\n"})
    run.site.redactor.add(SECRET)
    record = run.judge(claim("gpus-as-ordered"), Stage.HOST)
    assert record.finding.outcome is Outcome.FAIL and "vendor-pack/h0.zip" in record.remedy
    run.judge(claim("gpu-throttling"), Stage.HOST)  # passes, adds nothing
    with zipfile.ZipFile(tmp_path / "vendor-pack" / "h0.zip") as pack:
        files = {name.removeprefix("h0/"): pack.read(name).decode() for name in pack.namelist()}
    assert set(files) == {*CONTENTS, "identity.txt", "finding-01-gpus-as-ordered.txt"}
    assert files["identity.txt"].count("UUID GPU-") == 7 and "VBIOS 96.00" in files["identity.txt"]
    assert "FAIL h0: GPUs: the driver lists 7, 8 were ordered" in files["finding-01-gpus-as-ordered.txt"]
    assert SECRET not in "\n".join(files.values()) and "NVRM: loaded" in files["kernel-log.txt"]
    run.expected = (("gpus-as-ordered", Stage.HOST), ("gpu-throttling", Stage.HOST))
    run.finish()
    assert "vendor-pack/h0.zip" in (tmp_path / "report.md").read_text()


def test_no_pack_without_a_failure_or_where_nobody_asks_for_one(tmp_path: Path) -> None:
    site = Site(scene.inventory(), tmp_path)
    good = scene.judged(tmp_path, "gpus-as-ordered")
    small = evidence(Outcome.FAIL)
    assert packed(site, good) == good and packed(site, small) == small
    assert not (tmp_path / "vendor-pack").exists()
    assert small.severity is Severity.BLOCKING


def test_a_pack_that_can_not_be_made_loses_no_record(tmp_path: Path) -> None:
    run = run_on(tmp_path, REAL, **{GpuFact().command: scene.rows("h200-gpu.csv", 7)})
    (tmp_path / "vendor-pack").write_text("a file where the folder should be")
    record = run.judge(claim("gpus-as-ordered"), Stage.HOST)
    assert record.finding.outcome is Outcome.FAIL and "vendor-pack/" not in record.remedy
    assert run.ledger.read() == [record]
