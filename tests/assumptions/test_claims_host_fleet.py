"""A whole stage on a test host: real SSH and systemd, scripted cards.  Healthy it holds; each fault fails its claim."""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from assumptions._core import Evidence, Outcome, Severity, Stage
from assumptions._registry import at, claim
from assumptions._verdict import Decision
from flows.run import Run, opened
from tests.hosts.conftest import engine  # noqa: F401 - starts Docker where it does not run
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.hosts.packages import KERNEL

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
PACKAGES = (
    f"linux-headers-{KERNEL} nvidia-driver-580-server-open nvidia-fabricmanager-580 docker-ce nvidia-container-toolkit "
    "libcudnn9-cuda-13 libnccl2 datacenter-gpu-manager-4-cuda13"
)
NEED_AN_ENGINE = {"guide-serving-flags", "serving-flags-accepted"}
CLAIMS = [c for c in at(Stage.HOST) if c.id not in NEED_AN_ENGINE]
# what no container can have: the outer machine's memory and cores, no NIC of its own, no nccl-tests, no weights
NOT_HERE = {"ram-256-gb", "system-cores", "nvme-1-tb", "network-speed", "nccl-all-reduce", "storage-read-speed"}
NOT_HERE |= {"storage-capacity"}  # 600 GB of weights do not fit beside a container
FAULTS = [
    ("gpu-missing", {}, "gpus-as-ordered"),
    ("wrong-gpu", {}, "gpus-as-ordered"),
    ("mig-on", {}, "gpus-as-ordered"),
    ("ecc", {}, "gpu-memory-errors"),
    ("row-remap", {}, "gpu-memory-errors"),
    ("fabric", {}, "gpu-fabric-healthy"),
    ("nvlink-inactive", {}, "gpu-interconnect"),
    ("narrow-pcie", {}, "gpu-interconnect"),
    ("throttled", {}, "gpu-throttling"),
    ("power-capped", {}, "gpu-throttling"),
    ("dcgm-failure", {}, "dcgm-diagnostics"),
    ("vram-held", {}, "nccl-all-reduce"),
    ("xid", {"code": 79, "gpu": 2}, "gpu-xid-clean"),  # the last: a log line can't be taken back
]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """One host, its driver, Docker and diagnostics installed and started."""
    with Fleet(1, os="ubuntu-24.04", gpu="h100-80gb", gpus=8) as up:
        up[0].run_in_container(
            f"apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy {PACKAGES} && "
            "systemctl enable nvidia-fabricmanager && nvidia-ctk runtime configure --runtime=docker"
        )
        up[0].reboot()
        yield up


@pytest.fixture
def run(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path / "evidence"))
    monkeypatch.setenv("BEACHHEAD_HOME", str(tmp_path / "home"))
    file = tmp_path / f"{fleet.name}.yaml"
    file.write_text(fleet.inventory())
    with opened(str(file), "prepare") as opened_run:
        yield opened_run


def outcomes(run: Run, ids: list[str] | None = None) -> dict[str, Evidence]:
    return {c.id: run.judge(c, Stage.HOST) for c in CLAIMS if ids is None or c.id in ids}


def test_a_healthy_host_passes_and_is_called_simulated(run: Run) -> None:
    began = time.monotonic()
    found = outcomes(run)
    assert time.monotonic() - began < 60
    wrong = {name: e.finding for name, e in found.items() if e.finding.outcome is not Outcome.PASS}
    assert set(wrong) <= NOT_HERE, wrong
    assert {name for name in wrong if found[name].severity is Severity.BLOCKING} <= {"storage-capacity"}
    assert all("8x h100-80gb, scripted" in e.simulated for e in found.values())
    run.expected, run.whole = tuple((c.id, Stage.HOST) for c in CLAIMS), True
    verdict = run.finish()
    assert verdict.decision is not Decision.GO and not verdict.open
    page = (run.folder / "report.md").read_text()
    assert "The hosts are simulated" in page and "8x h100-80gb, scripted" in page
    assert "The hosts are simulated: this run can't say GO" in (run.folder / "report.html").read_text()
    assert json.loads((run.folder / "run.json").read_text())["simulated"]
    assert all(record.simulated for record in run.ledger.read())


@pytest.mark.parametrize(("fault", "options", "claim_id"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_fails_the_right_claim(
    fault: str, options: dict[str, object], claim_id: str, fleet: Fleet, run: Run
) -> None:
    machine: Machine = fleet[0]
    with machine.fault(fault, **options):
        record = outcomes(run, [claim_id])[claim_id]
    expected = Outcome.UNKNOWN if fault == "vram-held" else Outcome.FAIL
    assert record.finding.outcome is expected, record.finding
    if expected is Outcome.FAIL:
        packed(run, machine, record)


def packed(run: Run, machine: Machine, record: Evidence) -> None:
    """The vendor's zip holds what identifies the cards and what went wrong, and no secret."""
    archive = run.folder / "vendor-pack" / f"{machine.name}.zip"
    assert f"vendor-pack/{machine.name}.zip" in record.remedy
    with zipfile.ZipFile(archive) as opened_zip:
        files = {Path(name).name: opened_zip.read(name).decode() for name in opened_zip.namelist()}
    assert f"FAIL {machine.name}" in files[f"finding-01-{record.claim}.txt"]
    assert "SIMULATED" in files[f"finding-01-{record.claim}.txt"]
    whole = "\n".join(files.values())
    assert "serial 165" in whole or record.claim == "gpu-xid-clean"  # a lost card keeps the others from being listed
    assert "NVRM" in files["kernel-log.txt"] and "Driver Version" in files["nvidia-smi-q.txt"]
    assert all(str(value) not in whole for key, value in os.environ.items() if "TOKEN" in key or "PASSWORD" in key)


def test_a_library_that_is_not_the_modules_fails_the_driver(fleet: Fleet, run: Run) -> None:
    """Last: an update without a restart, as unattended upgrades do it."""
    install = "DEBIAN_FRONTEND=noninteractive apt-get install -qy --allow-downgrades --allow-change-held-packages"
    listed = fleet[0].run_in_container("apt-cache madison nvidia-utils-580-server | awk '{print $3}'").split()
    now = fleet[0].run_in_container("dpkg-query -W -f '${Version}' nvidia-utils-580-server")
    other = next(version for version in listed if version != now)
    names = fleet[0].run_in_container("dpkg-query -W -f '${Package} ${Version}\\n'").splitlines()
    moved = [line.split()[0] for line in names if line.endswith(f" {now}")]
    fleet[0].run_in_container(f"{install} {' '.join(f'{name}={other}' for name in moved)}")
    found = outcomes(run, ["gpu-driver-minimum", "gpus-as-ordered"])
    assert found["gpu-driver-minimum"].finding.outcome is Outcome.FAIL
    assert "library" in found["gpu-driver-minimum"].finding.because
    assert found["gpus-as-ordered"].finding.outcome is Outcome.UNKNOWN
    assert claim("gpu-driver-minimum").severity is Severity.BLOCKING
