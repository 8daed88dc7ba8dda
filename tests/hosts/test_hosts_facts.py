"""Every fact of the product that needs no argument answers on a prepared test host."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import tasks.facts
from tasks.facts.base import look
from tasks.hosts import CommandFailed, HostError
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.hosts.packages import KERNEL, NEW

pytestmark = pytest.mark.e2e
EVERYTHING = (
    f"linux-headers-{KERNEL} nvidia-driver-580-server-open nvidia-fabricmanager-580 docker-ce docker-compose-plugin "
    "nvidia-container-toolkit cuda-toolkit-13-0 libcudnn9-cuda-13 libnccl2 datacenter-gpu-manager-4-cuda13"
)


def facts() -> dict[str, Any]:
    """Fact by class name; those that need an argument are left out."""
    found = {}
    for listed in pkgutil.iter_modules(tasks.facts.__path__):
        module = importlib.import_module(f"tasks.facts.{listed.name}")
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and hasattr(kind, "parse") and hasattr(kind, "command"):
                needed = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
                if not needed:
                    found[name] = kind()
    return found


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Fleet(1, os="ubuntu-24.04", gpu="h100-80gb", gpus=8) as fleet:
        fleet[0].run_in_container(
            f"apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy {EVERYTHING} &&"
            "systemctl enable nvidia-fabricmanager && nvidia-ctk runtime configure --runtime=docker"
        )
        fleet[0].reboot()
        yield fleet[0]


def test_every_fact_answers(machine: Machine) -> None:
    host, silent = machine.host(), {}
    for name, fact in facts().items():
        try:
            look(host, fact)
        except HostError as fault:
            silent[name] = str(fault)[:300]
    assert silent == {}


def test_a_fact_about_gpus_is_an_error_on_a_host_without_a_driver() -> None:
    by_name = facts()
    if "GpuFact" not in by_name:
        pytest.skip("tasks/facts has no GpuFact")
    with Fleet(1, gpu="h100-80gb", gpus=1) as fleet, pytest.raises(CommandFailed):
        look(fleet[0].host(), by_name["GpuFact"])


def test_module_and_library_are_read_as_they_are(machine: Machine) -> None:
    assert machine.run_in_container("cat /sys/bus/pci/devices/*/vendor | sort | uniq -c").split() == ["12", "0x10de"]
    driver = machine.run_in_container("readlink /sys/bus/pci/devices/0000:07:00.0/driver")
    assert driver.endswith("/nvidia")
    assert NEW in machine.run_in_container("cat /proc/driver/nvidia/version")
