"""The life of a driver on a test host: real apt and dpkg install it, and a reboot decides what is loaded.

The tests of this file go through one host's life in order.
"""

from __future__ import annotations

import json

import pytest

from tasks.hosts import Ran
from tests.hosts.fleet import Fleet
from tests.hosts.packages import KERNEL, NEW, NEXT_KERNEL, OLD

pytestmark = pytest.mark.e2e
DRIVER = "nvidia-driver-580-server-open"
PIN = f"Package: *nvidia*580*\\nPin: version {OLD}*\\nPin-Priority: 1001\\n"


def sh(fleet: Fleet, command: str, **how: object) -> Ran:
    host = fleet[0].host()
    try:
        return host.run(command, timeout=120, **how)  # type: ignore[arg-type]
    finally:
        host.close()


def apt(fleet: Fleet, words: str) -> Ran:
    return sh(fleet, f"DEBIAN_FRONTEND=noninteractive apt-get -q {words}", sudo=True)


def test_1_a_bare_host_shows_its_cards_on_the_bus_alone(gpu_fleet: Fleet) -> None:
    assert sh(gpu_fleet, "nvidia-smi").exit == 127
    assert sh(gpu_fleet, "lspci -nn -d 10de:").stdout.count("3D controller [0302]: NVIDIA Corporation GH100") == 8
    assert sh(gpu_fleet, "uname -r; cat /proc/sys/kernel/osrelease").stdout.split() == [KERNEL, KERNEL]
    assert "not found in directory" in sh(gpu_fleet, "modprobe nvidia", sudo=True).stderr


def test_2_without_headers_the_driver_builds_no_module(gpu_fleet: Fleet) -> None:
    apt(gpu_fleet, "update").check()
    sh(gpu_fleet, f"printf '{PIN}' >/etc/apt/preferences.d/nvidia", sudo=True).check()
    said = apt(gpu_fleet, f"install -y {DRIVER}").check().stdout
    assert "headers for this kernel do not seem to be installed" in said
    assert sh(gpu_fleet, f"modinfo -k {KERNEL} nvidia").exit != 0
    apt(gpu_fleet, f"install -y linux-headers-{KERNEL}").check()
    assert sh(gpu_fleet, f"modinfo -k {KERNEL} -F version nvidia").stdout.strip() == OLD


def test_3_the_driver_answers_only_after_a_reboot(gpu_fleet: Fleet) -> None:
    before = sh(gpu_fleet, "nvidia-smi")
    assert before.exit == 9 and "couldn't communicate with the NVIDIA driver" in before.stdout
    gpu_fleet[0].reboot()
    assert sh(gpu_fleet, "nvidia-smi -L").stdout.count("NVIDIA H100 80GB HBM3 (UUID: GPU-") == 8
    assert OLD in sh(gpu_fleet, "cat /proc/driver/nvidia/version").stdout
    assert sh(gpu_fleet, "lsmod").stdout.count("nvidia") >= 4


def test_4_queries_have_the_tools_own_format(gpu_fleet: Fleet) -> None:
    asked = "nvidia-smi --query-gpu=index,name,memory.total,power.limit,driver_version --format="
    bare = sh(gpu_fleet, asked + "csv,noheader,nounits -i 3").stdout
    assert bare == f"3, NVIDIA H100 80GB HBM3, 81559, 700.00, {OLD}\n"
    titled = sh(gpu_fleet, asked + "csv").stdout.splitlines()
    assert titled[0] == "index, name, memory.total [MiB], power.limit [W], driver_version"
    assert titled[1] == f"0, NVIDIA H100 80GB HBM3, 81559 MiB, 700.00 W, {OLD}" and len(titled) == 9
    wrong = sh(gpu_fleet, "nvidia-smi --query-gpu=cuda_version --format=csv")
    assert (wrong.exit, wrong.stdout.strip()) == (2, 'Field "cuda_version" is not a valid field to query.')
    assert sh(gpu_fleet, "nvidia-smi --made-up").exit == 64


def test_5_the_fabric_is_complete_only_under_a_manager_of_the_drivers_version(gpu_fleet: Fleet) -> None:
    ask = "nvidia-smi --query-gpu=fabric.state,fabric.status --format=csv,noheader -i 0"
    assert sh(gpu_fleet, ask).stdout.strip() == "In Progress, N/A"
    apt(gpu_fleet, "install -y nvidia-fabricmanager-580").check()
    sh(gpu_fleet, "systemctl enable --now nvidia-fabricmanager", sudo=True).check()
    assert sh(gpu_fleet, f"for i in 1 2 3 4 5; do {ask} | grep Completed && break; sleep 0.2; done").stdout.strip() == (
        "Completed, Success"
    )
    report = sh(gpu_fleet, "nvidia-smi -q -i 0").stdout
    assert "        State                             : Completed\n" in report


def test_6_containers_see_the_cards_once_the_runtime_is_configured(gpu_fleet: Fleet) -> None:
    apt(gpu_fleet, "install -y docker-ce docker-compose-plugin nvidia-container-toolkit").check()
    run = "docker run --rm --gpus all some/image nvidia-smi -L"
    refused = sh(gpu_fleet, f"for i in 1 2 3 4 5; do docker info >/dev/null && break; sleep 0.2; done; {run}")
    assert refused.exit == 125 and "could not select device driver" in refused.stderr
    configure = "nvidia-ctk runtime configure --runtime=docker && systemctl restart docker"
    sh(gpu_fleet, configure, sudo=True).check()
    seen = sh(gpu_fleet, f"for i in 1 2 3 4 5; do docker info >/dev/null && break; sleep 0.2; done; {run}", sudo=True)
    assert seen.stdout.count("H100") == 8
    start = "docker run -d --name long --gpus all some/image sleep inf && docker exec long nvidia-smi -L"
    assert sh(gpu_fleet, start, sudo=True).check().stdout.count("H100") == 8
    after = sh(gpu_fleet, "sleep 0.1; systemctl daemon-reload; docker exec long nvidia-smi -L", sudo=True)
    assert after.exit == 255 and after.stdout == "Failed to initialize NVML: Unknown Error\n"


def test_7_a_hold_keeps_the_version_and_an_upgrade_without_one_mismatches_until_the_reboot(gpu_fleet: Fleet) -> None:
    sh(gpu_fleet, "rm /etc/apt/preferences.d/nvidia; apt-mark hold '*580*'", sudo=True).check()
    apt(gpu_fleet, "dist-upgrade -y").check()
    assert sh(gpu_fleet, "nvidia-smi -L").exit == 0
    sh(gpu_fleet, "apt-mark unhold '*580*'", sudo=True).check()
    apt(gpu_fleet, "dist-upgrade -y").check()
    broken = sh(gpu_fleet, "nvidia-smi")
    assert broken.exit == 18
    assert (
        broken.stdout == "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.173\n"
    )
    gpu_fleet[0].reboot()
    version = sh(gpu_fleet, "nvidia-smi --query-gpu=driver_version --format=csv,noheader -i 0").stdout.strip()
    assert version == NEW
    assert sh(gpu_fleet, "systemctl is-active nvidia-fabricmanager").stdout.strip() == "active"


def test_8_a_kernel_without_a_module_takes_the_driver_away_at_the_next_boot(gpu_fleet: Fleet) -> None:
    apt(gpu_fleet, f"install -y linux-image-{NEXT_KERNEL}").check()
    assert sh(gpu_fleet, f"modinfo -k {KERNEL} nvidia").exit == 0
    assert sh(gpu_fleet, f"modinfo -k {NEXT_KERNEL} nvidia").exit != 0
    assert sh(gpu_fleet, "test -e /run/reboot-required").exit == 0
    gpu_fleet[0].reboot()
    assert sh(gpu_fleet, "uname -r").stdout.strip() == NEXT_KERNEL
    assert sh(gpu_fleet, "nvidia-smi").exit == 9
    apt(gpu_fleet, f"install -y linux-headers-{NEXT_KERNEL}").check()
    gpu_fleet[0].reboot()
    assert sh(gpu_fleet, "nvidia-smi").exit == 0


def test_9_secure_boot_refuses_the_dkms_module_and_nouveau_must_leave_the_initramfs(gpu_fleet: Fleet) -> None:
    machine = gpu_fleet[0]
    with machine.fault("secure-boot"):
        assert sh(gpu_fleet, "mokutil --sb-state").stdout.strip() == "SecureBoot enabled"
        machine.reboot()
        assert sh(gpu_fleet, "nvidia-smi").exit == 9
        assert "Key was rejected by service" in sh(gpu_fleet, "modprobe nvidia", sudo=True).stderr
    with machine.fault("nouveau"):
        machine.reboot()
        assert "nouveau" in sh(gpu_fleet, "lsmod").stdout and sh(gpu_fleet, "nvidia-smi").exit == 9
        write = "echo 'blacklist nouveau' >/etc/modprobe.d/nouveau.conf"
        sh(gpu_fleet, write, sudo=True).check()
        machine.reboot()
        assert "nouveau" in sh(gpu_fleet, "lsmod").stdout, "the file alone does not reach the initramfs"
        sh(gpu_fleet, "update-initramfs -u -k all", sudo=True).check()
        machine.reboot()
        assert "nouveau" not in sh(gpu_fleet, "lsmod").stdout and sh(gpu_fleet, "nvidia-smi").exit == 0


def test_dcgm_diagnostic_is_json_and_can_fail(gpu_fleet: Fleet) -> None:
    apt(gpu_fleet, "install -y datacenter-gpu-manager-4-cuda13").check()
    ran = sh(gpu_fleet, "dcgmi diag -r 1 -j")
    assert ran.exit == 0 and "DCGM Diagnostic" in json.loads(ran.stdout)
    with gpu_fleet[0].fault("dcgm-failure"):
        assert sh(gpu_fleet, "dcgmi diag -r 1 -j").exit == 1


def test_one_branch_replaces_the_other_and_signed_modules_pass_secure_boot() -> None:
    with Fleet(1, os="ubuntu-22.04", gpu="a100-80gb", gpus=2) as fleet, fleet[0].fault("secure-boot"):
        apt(fleet, "update").check()
        apt(fleet, f"install -y nvidia-driver-570-server linux-headers-{KERNEL}").check()
        fleet[0].reboot()
        assert sh(fleet, "nvidia-smi").exit == 9
        names = f"nvidia-headless-580-server linux-modules-nvidia-580-server-{KERNEL}"
        apt(fleet, f"install -y {names}").check()
        assert sh(fleet, "dpkg-query -W -f '${Package}\n' '*570*'").stdout.split() == []
        fleet[0].reboot()
        assert sh(fleet, "nvidia-smi -L").stdout.count("A100-SXM4-80GB") == 2
        said = sh(fleet, "cat /proc/driver/nvidia/version").stdout
        assert NEW in said and "Open" not in said
