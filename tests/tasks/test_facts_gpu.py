"""What nvidia-smi printed on real machines, as the facts read it."""

import pytest

from tasks.facts.base import NotUnderstood
from tasks.facts.gpu import GpuFact
from tasks.facts.gpu_ecc import GpuEccFact, GpuRows, GpuRowsFact
from tasks.facts.gpu_fabric import GpuFabricFact
from tasks.facts.gpu_pcie import GpuPcieFact
from tasks.facts.gpu_power import GpuPowerFact
from tasks.facts.gpu_processes import GpuProcessFact
from tasks.facts.gpu_recovery import NOTHING, GpuRecoveryFact
from tasks.facts.gpu_throttle import GpuThrottleFact, GpuThrottleTotalsFact
from tasks.facts.gpu_topology import GpuTopologyFact
from tasks.facts.mig import MigFact
from tasks.facts.nvlink import NvLinkFact
from tasks.facts.reading import Reading
from tests.recorded.host_facts import smi

NONE: Reading[int] = Reading(None, "[N/A]")


def test_a_data_center_gpu() -> None:
    (gpu,) = GpuFact().parse(smi("h200-gpu.csv"))
    assert (gpu.index, gpu.name, gpu.bus, gpu.driver) == (0, "NVIDIA H200", "00000000:83:00.0", "580.173.02")
    assert (gpu.memory_mib.value, gpu.compute_capability.value) == (143_771, "9.0")
    assert gpu.persistence.value is True and gpu.mig.value is False
    assert gpu.vbios.value == "96.00.A5.00.03"


def test_a_gaming_gpu_says_why_it_has_no_value() -> None:
    (gpu,) = GpuFact().parse(smi("rtx2080-gpu.csv"))
    assert gpu.serial == NONE and gpu.mig == NONE
    assert gpu.persistence.value is False
    (ecc,) = GpuEccFact().parse(smi("rtx2080-ecc.csv"))
    assert ecc.enabled == NONE and ecc.uncorrected_ever == NONE


@pytest.mark.parametrize("words", ["[N/A]", "[Not Supported]", "ERR!", "[Unknown Error]", "[GPU is lost]", "N/A"])
def test_the_ways_to_say_no_value_are_kept(words: str) -> None:
    (gpu,) = GpuFact().parse(smi("h200-gpu.csv").replace("143771 MiB", words))
    assert gpu.memory_mib == Reading(None, words)


@pytest.mark.parametrize("memory", ["143771", "143771 GiB", "143771.5 MiB", "-1 MiB", "much"])
def test_another_unit_is_not_understood(memory: str) -> None:
    with pytest.raises(NotUnderstood):
        GpuFact().parse(smi("h200-gpu.csv").replace("143771 MiB", memory))


def test_columns_are_found_by_name_and_a_missing_one_is_noticed() -> None:
    title, row = smi("h200-pcie.csv").splitlines()
    turned = [", ".join(reversed(line.split(", "))) for line in (title, row)]
    assert GpuPcieFact().parse("\n".join(turned)) == GpuPcieFact().parse(smi("h200-pcie.csv"))
    with pytest.raises(NotUnderstood):
        GpuPcieFact().parse(smi("h200-pcie.csv").replace("pcie.link.gen.max", "pcie.link.gen.gpumax"))


def test_one_gpu_listed_twice_and_a_torn_row_are_not_understood() -> None:
    text = smi("h200-gpu.csv")
    with pytest.raises(NotUnderstood):
        GpuFact().parse(text + text.splitlines()[1])
    with pytest.raises(NotUnderstood):
        GpuFact().parse(text + "1, NVIDIA H200, GPU-0")


def test_memory_errors() -> None:
    (ecc,) = GpuEccFact().parse(smi("h200-ecc.csv"))
    assert ecc.enabled.value is True and ecc.uncorrected == Reading(0)
    title, _ = smi("h200-ecc.csv").splitlines()
    (bad,) = GpuEccFact().parse(f"{title}\nGPU-1, Enabled, Enabled, 5, 2, 9, 3\n")
    assert (bad.corrected.value, bad.uncorrected.value, bad.corrected_ever.value, bad.uncorrected_ever.value) == (
        5,
        2,
        9,
        3,
    )


def test_remapped_rows() -> None:
    rows = GpuRowsFact().parse(smi("rtx-pro-remapped-rows.csv"))
    assert [row.uncorrectable.value for row in rows] == [0, 1, 0, 0]
    assert rows[1] == GpuRows("GPU-455e672a-...", Reading(0), Reading(1), Reading(False), Reading(False))
    (pending, *_) = GpuRowsFact().parse(smi("rtx-pro-remapped-rows.csv").replace("0, 0, No, No", "0, 1, Yes, 1", 1))
    assert pending.pending.value is True and pending.failed.value is True


def test_recovery_none_is_a_value() -> None:
    (recovery,) = GpuRecoveryFact().parse(smi("h200-recovery.csv"))
    assert recovery.action == Reading(NOTHING)
    (hurt,) = GpuRecoveryFact().parse(smi("h200-recovery.csv").replace("None", "Drain and Reset"))
    assert hurt.action == Reading("Drain and Reset")


def test_pcie_and_power() -> None:
    (idle,) = GpuPcieFact().parse(smi("rtx2080-pcie.csv"))
    assert (idle.generation.value, idle.generation_max.value, idle.lanes.value, idle.lanes_max.value) == (1, 3, 16, 16)
    (power,) = GpuPowerFact().parse(smi("h200-power.csv"))
    assert (power.draw_w.value, power.limit_w.value, power.default_limit_w.value) == (85.12, 700.0, 700.0)
    assert (power.temperature_c.value, power.sm_mhz.value, power.sm_max_mhz.value) == (37, 345, 1980)


def test_throttling_now_and_in_total() -> None:
    (now,) = GpuThrottleFact().parse(smi("h200-throttle.csv"))
    assert now.power_cap.value is False and now.hardware_thermal.value is False
    (capped,) = GpuThrottleFact().parse(smi("h200-throttle.csv").replace("Not Active", "Active", 1))
    assert capped.power_cap.value is True and capped.software_thermal.value is False
    (total,) = GpuThrottleTotalsFact().parse(smi("rtx2080-throttle-totals.csv"))
    assert (total.power_cap_us.value, total.software_thermal_us.value) == (15_814_595_384, 0)


def test_processes_with_commas_in_their_names() -> None:
    first, *_ = GpuProcessFact().parse(smi("h200-processes.csv"))
    assert (first.pid, first.name, first.memory_mib.value) == (1_328_667, "/usr/local/bin/python3.10", 130_004)
    assert GpuProcessFact().parse(smi("h200-processes-none.csv")) == ()
    (odd,) = GpuProcessFact().parse(smi("h200-processes-none.csv") + "GPU-1, 12, a, b,c, [N/A]\n")
    assert (odd.pid, odd.name, odd.memory_mib) == (12, "a, b,c", NONE)


def test_topologies() -> None:
    nvswitch = GpuTopologyFact().parse(smi("a100x8-topo.txt"))
    assert len(nvswitch.gpus) == 8 and nvswitch.paths[0][7] == "NV12" and nvswitch.all_nvlink
    mesh = GpuTopologyFact().parse(smi("v100x8-topo.txt"))
    assert mesh.paths[0][1:6] == ("NV1", "NV1", "NV2", "NV2", "SYS") and not mesh.all_nvlink
    pcie = GpuTopologyFact().parse(smi("rtx4090x8-topo.txt"))
    assert len(pcie.gpus) == 8 and pcie.paths[6][7] == "SYS" and not pcie.all_nvlink
    assert GpuTopologyFact().parse(smi("h200-topo.txt")).gpus == ("GPU0",)
    underlined = (
        smi("a100x8-topo.txt").replace("\tGPU0", "\t\x1b[4mGPU0", 1).replace("GPU NUMA ID", "GPU NUMA ID\x1b[0m")
    )
    assert GpuTopologyFact().parse(underlined) == nvswitch


def test_a_topology_with_torn_cells_is_not_understood() -> None:
    with pytest.raises(NotUnderstood):  # two cells run together, as seen in a published log
        GpuTopologyFact().parse(smi("v100x8-topo.txt").replace("NV1\tNV1", "NV1NV1", 1))
    lines = smi("a100x8-topo.txt").splitlines()
    with pytest.raises(NotUnderstood):
        GpuTopologyFact().parse("\n".join(lines[:4]))


def test_nvlinks() -> None:
    (all_up,) = NvLinkFact().parse(smi("h200-nvlink.txt"))
    assert all_up.speeds_gb_s == (26.562,) * 18 and not all_up.all_inactive
    (some,) = NvLinkFact().parse(smi("v100-nvlink-inactive.txt"))
    assert some.speeds_gb_s == (25.781, 25.781, 25.781, None, 25.781, None)
    gpu = smi("h200-nvlink.txt").splitlines()[0]
    (down,) = NvLinkFact().parse(f"{gpu}\nNVML:Unable to retrieve Nvlink information as all links are inActive\n")
    assert down.all_inactive and down.speeds_gb_s == ()
    with pytest.raises(NotUnderstood):
        NvLinkFact().parse(smi("h200-nvlink.txt").replace("\t Link 3: 26.562 GB/s\n", ""))


def test_fabric_of_a_healthy_gpu() -> None:
    (fabric,) = GpuFabricFact().parse(smi("h200-q.txt"))
    assert fabric.joined and fabric.clique == Reading("0") and fabric.health == Reading(None, "N/A")


@pytest.mark.parametrize(
    ("name", "state", "status", "health"),
    [
        ("fabric-in-progress.txt", "In Progress", None, None),
        ("fabric-insufficient-resources.txt", "Completed", "Insufficient Resources", None),
        ("fabric-unhealthy.txt", "Completed", "Success", "Unhealthy"),
    ],
)
def test_fabric_in_trouble(name: str, state: str, status: str | None, health: str | None) -> None:
    whole = smi("h200-q.txt")
    start, end = whole.index("    Fabric"), whole.index("    Processes")
    (fabric,) = GpuFabricFact().parse(whole[:start] + smi(name) + whole[end:])
    assert (fabric.state.value, fabric.status.value, fabric.health.value) == (state, status, health)
    assert fabric.joined == (name == "fabric-unhealthy.txt")


def test_a_report_of_fewer_gpus_than_attached_is_not_understood() -> None:
    with pytest.raises(NotUnderstood):
        GpuFabricFact().parse(smi("h200-q.txt").replace(": 1\n", ": 2\n"))


def test_mig() -> None:
    slices = MigFact().parse(smi("a100-mig.txt"))
    assert [part.profile for part in slices] == ["1g.20gb"] * 4
    assert {part.gpu_uuid for part in slices} == {"GPU-513536b6-7d19-9063-b049-1e69664bb298"}
    assert MigFact().parse(smi("h200-nvlink.txt").splitlines()[0]) == ()
