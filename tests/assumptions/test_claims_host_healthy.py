"""A healthy host passes every claim; one without GPUs is not spoken of; a silent one is UNKNOWN, never PASS."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from assumptions._core import Outcome, Severity, Stage
from assumptions._judge import judge
from assumptions._registry import at, claim
from tasks.fake import FakeHost
from tasks.hosts import CommandFailed, Host, Ran, Unreachable, now
from tasks.local import LocalHost
from tasks.site import Site
from tests.assumptions import host_scene as scene
from tests.recorded import recordings

OF_THE_ENGINE = {"guide-serving-flags", "serving-flags-accepted"}  # judged here, and not about the host
HERE = [c.id for c in at(Stage.HOST) if c.id not in OF_THE_ENGINE]
ANY_HOST = {"clock-in-step", "operating-system", "storage-capacity", "storage-read-speed", "system-cores", "system-ram"}


@pytest.mark.parametrize("claim_id", HERE)
def test_a_healthy_host_passes(claim_id: str, tmp_path: Path) -> None:
    found = scene.judged(tmp_path, claim_id)
    assert found.finding.outcome is Outcome.PASS, found.finding
    assert found.trail, "evidence without a raw record"
    assert found.finding.threshold and found.finding.threshold_source and found.finding.because


@pytest.mark.parametrize("claim_id", HERE)
def test_a_host_without_gpus_is_judged_on_what_it_has(claim_id: str, tmp_path: Path) -> None:
    found = scene.judged(tmp_path, claim_id, ordered=scene.inventory(None))
    expected = Outcome.PASS if claim_id in ANY_HOST else Outcome.NOT_APPLICABLE
    assert found.finding.outcome is expected, found.finding
    assert claim_id in ANY_HOST or found.finding.because == "no host of this inventory has a GPU"


@pytest.mark.parametrize("claim_id", HERE)
@pytest.mark.parametrize("silence", ["gone", "garbage", "refused"])
def test_a_host_that_tells_nothing_is_unknown(claim_id: str, silence: str, tmp_path: Path) -> None:
    class Silent(FakeHost):
        def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
            if silence == "gone":
                raise Unreachable("no route to host", where="h0", fix="look at the cable")
            return Ran("h0", command, 0 if silence == "garbage" else 1, "\x00 garbage", "", now())

    ordered = scene.inventory()
    site = Site(ordered, tmp_path)
    site.use("h0", Silent("h0", {}))
    finding = judge(site, claim(claim_id), Stage.HOST).evidence.finding
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.parts, "the claim itself broke"


@pytest.mark.parametrize("claim_id", HERE)
def test_one_silent_host_among_three_is_unknown_and_named(claim_id: str, tmp_path: Path) -> None:
    ordered = scene.inventory(hosts=3)
    site = Site(ordered, tmp_path)
    gone = Ran("h1", "", 255, "", "gone", now())

    class Gone(FakeHost):
        def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
            raise CommandFailed(gone)

    hosts: dict[str, Host] = {name: FakeHost(name, scene.script(ordered)) for name in ("h0", "h2")}
    for name, host in (hosts | {"h1": Gone("h1", {})}).items():
        site.use(name, host)
    finding = judge(site, claim(claim_id), Stage.HOST).evidence.finding
    assert finding.outcome is Outcome.UNKNOWN
    assert {part.name.partition(":")[0] for part in finding.parts if part.outcome is Outcome.UNKNOWN} == {"h1"}
    assert {part.name.partition(":")[0] for part in finding.parts} == {"h0", "h1", "h2"}


def test_this_very_machine_stands_as_the_rehearsals_host(tmp_path: Path) -> None:
    """For real and in seconds: what blocks passes or does not apply, so that a rehearsal can end GO."""
    ordered = recordings.rehearsal()
    host = ordered.hosts[0].model_copy(update={"root": str(tmp_path / "host")})
    site = Site(ordered.model_copy(update={"hosts": (host,)}), tmp_path / "run")
    site.use(host.name, LocalHost(host.name))
    began = time.monotonic()
    found = {claim_id: judge(site, claim(claim_id), Stage.HOST).evidence for claim_id in HERE}
    assert time.monotonic() - began < 60
    for claim_id, record in found.items():
        allowed = {Outcome.PASS, Outcome.NOT_APPLICABLE}
        assert record.severity is Severity.ADVISORY or record.finding.outcome in allowed, record.finding
        assert record.finding.outcome is not Outcome.FAIL or claim_id == "operating-system", record.finding
    assert found["system-ram"].finding.outcome is Outcome.PASS and found["system-ram"].finding.value
    assert found["storage-read-speed"].finding.outcome is Outcome.UNKNOWN  # nothing lies there to be read


def test_a_disk_that_has_a_file_is_measured_for_real(tmp_path: Path) -> None:
    ordered = recordings.rehearsal()
    host = ordered.hosts[0].model_copy(update={"root": str(tmp_path / "host")})
    (tmp_path / "host" / "engines").mkdir(parents=True)
    with (tmp_path / "host" / "engines" / "libtorch.so").open("wb") as file:
        for _ in range(65):
            file.write(b"\x01" * (1 << 20))
    site = Site(ordered.model_copy(update={"hosts": (host,)}), tmp_path / "run")
    site.use(host.name, LocalHost(host.name))
    finding = judge(site, claim("storage-read-speed"), Stage.HOST).evidence.finding
    if finding.outcome is Outcome.UNKNOWN:
        pytest.skip(f"this file system cannot be read past the cache: {finding.because}")
    assert finding.outcome is Outcome.PASS
    assert finding.value is not None and finding.value > 1
