"""Every scripted fault shows in the outputs that the product reads, and is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts import faults_scripted
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.hosts.packages import KERNEL, NEXT_KERNEL

pytestmark = pytest.mark.e2e
QUERY = "nvidia-smi --format=csv,noheader,nounits -i 0 --query-gpu="
# fault, its options, what is asked, what stands in the answer with the fault and not without
SHOWN = [
    ("ecc", {}, QUERY + "ecc.errors.uncorrected.volatile.total", "2"),
    ("ecc", {}, "nvidia-smi -q -i 0", "DRAM Uncorrectable            : 2"),
    ("row-remap", {}, QUERY + "remapped_rows.pending,remapped_rows.failure", "Yes, No"),
    ("row-remap", {"failure": True}, QUERY + "remapped_rows.pending,remapped_rows.failure", "No, Yes"),
    ("fabric", {}, QUERY + "fabric.state,fabric.status", "Completed, Insufficient Resources"),
    ("wrong-gpu", {}, QUERY + "name,memory.total", "NVIDIA A100-SXM4-40GB, 40960"),
    ("throttled", {}, QUERY + "clocks_event_reasons.hw_thermal_slowdown", "Active"),
    ("throttled", {}, QUERY + "clocks_event_reasons_counters.hw_thermal_slowdown", "250000"),
    ("mig-on", {}, QUERY + "mig.mode.current,mig.mode.pending", "Enabled, Enabled"),
    ("power-capped", {}, QUERY + "power.limit,power.default_limit", "300.00, 700.00"),
    ("narrow-pcie", {}, QUERY + "pcie.link.width.current", "4"),
    ("nvlink-inactive", {}, "nvidia-smi nvlink --status -i 0", "Link 3: <inactive>"),
    ("vram-held", {}, "nvidia-smi --query-compute-apps=pid,used_memory --format=csv,noheader", "1, 70000 MiB"),
    ("gpu-missing", {}, "nvidia-smi -L | wc -l; lspci | grep -c 3D", "7\n7"),
]


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A host whose driver works."""
    with Fleet(1, os="ubuntu-24.04", gpu="h100-80gb", gpus=8) as fleet:
        names = f"linux-headers-{KERNEL} nvidia-driver-580-server-open nvidia-fabricmanager-580"
        fleet[0].run_in_container(f"apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy {names}")
        fleet[0].reboot()
        yield fleet[0]


def ask(machine: Machine, command: str, *, root: bool = False) -> str:
    host = machine.host()
    try:
        ran = host.run(command, sudo=root)
        return ran.stdout + ran.stderr
    finally:
        host.close()


@pytest.mark.parametrize(
    ("fault", "options", "command", "shown"), SHOWN, ids=[f"{s[0]}-{i}" for i, s in enumerate(SHOWN)]
)
def test_a_fault_shows_and_goes(
    machine: Machine, fault: str, options: dict[str, object], command: str, shown: str
) -> None:
    before = ask(machine, command)
    with machine.fault(fault, **options):
        during = ask(machine, command)
    assert shown in [during.strip(), *[line.strip() for line in during.splitlines()]]
    assert shown not in [before.strip(), *[line.strip() for line in before.splitlines()]]
    assert ask(machine, command) == before or "Timestamp" in before


def test_an_xid_stands_in_the_kernel_log_and_79_loses_the_gpu(machine: Machine) -> None:
    with machine.fault("xid", code=45, gpu=1):
        assert ask(machine, "nvidia-smi -L").count("GPU ") == 8
    with machine.fault("xid", code=79, gpu=2):
        lost = ask(machine, "nvidia-smi -L; echo $?")
        assert "Unable to determine the device handle for GPU2: 0000:17:00.0: Unknown Error" in lost
        assert lost.splitlines()[-1] == "255"
    assert ask(machine, "dmesg") == "dmesg: read kernel buffer failed: Operation not permitted\n"
    for command in ("dmesg", "dmesg -T", "journalctl -k --no-pager"):
        log = ask(machine, command, root=True)
        assert "NVRM: Xid (PCI:0000:0f:00): 45," in log and "NVRM: Xid (PCI:0000:17:00): 79," in log
    machine.reboot()
    assert "Xid" not in ask(machine, "dmesg", root=True)


def test_an_old_kernel_keeps_being_booted(machine: Machine) -> None:
    names = f"linux-image-{NEXT_KERNEL} linux-headers-{NEXT_KERNEL}"
    machine.run_in_container(f"DEBIAN_FRONTEND=noninteractive apt-get install -qy {names}")
    with machine.fault("old-kernel", kernel=KERNEL):
        machine.reboot()
        assert ask(machine, "uname -r").strip() == KERNEL
    machine.reboot()
    assert ask(machine, "uname -r").strip() == NEXT_KERNEL


def test_every_fault_of_the_list_is_tested_somewhere_here() -> None:
    elsewhere = {"secure-boot", "nouveau", "dcgm-failure"}  # test_hosts_driver.py, where a driver's life is told
    tested = {shown[0] for shown in SHOWN} | {"xid", "old-kernel"} | elsewhere
    assert tested == set(faults_scripted.FAULTS)
