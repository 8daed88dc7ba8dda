"""The inventory file of a fleet: what the product reads to reach test hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from tests.hosts.machine import Machine
from tests.hosts.spec import USER

PASSWORD_VARIABLE = "TEST_HOSTS_SUDO_PASSWORD"


def inventory_text(name: str, machines: Sequence[Machine], **other: Any) -> str:
    """YAML of a rehearsal inventory with every machine; `other` replaces top-level keys."""
    cards = max((machine.spec.gpus for machine in machines), default=0)
    data: dict[str, Any] = {
        "name": name,
        "title": f"{len(machines)} test hosts in containers",
        "kind": "rehearsal",
        "proves": ["What was run over SSH was run by real sshd, sudo, systemd, apt and dpkg."],
        "does_not_prove": ["Anything about a GPU, a driver or a kernel: they are scripted here."],
        "hosts": [_host(machine) for machine in machines],
        "model": {"catalog": "kimi-k2-thinking"},
        "engine": {
            "kind": "vllm",
            "version": "0.33.0",
            "tensor_parallel": cards or 1,
            "options": {"device": "cuda"},
        },
        "serving": {"context_tokens": 32768},
    }
    if not cards:
        data["model"] = {"catalog": "tiny-k2"}
        data["engine"] = {"kind": "vllm", "version": "0.32.0", "options": {"device": "cpu", "kv_cache_gib": 1}}
    return yaml.safe_dump(data | other, sort_keys=False)


def _host(machine: Machine) -> dict[str, Any]:
    ssh: dict[str, Any] = {
        "address": machine.address,
        "user": USER,
        "identity_file": str(machine.client_key),
        "known_hosts": str(machine.known_hosts),
    }
    if machine.spec.sudo == "password":
        ssh["sudo_password_env"] = PASSWORD_VARIABLE
    found: dict[str, Any] = {"name": machine.name, "ssh": ssh, "ram_gib": 4, "cpu_cores": 2}
    if machine.spec.gpu:
        found |= {"gpu": machine.spec.gpu, "gpus": machine.spec.gpus}
    if machine.spec.disk:
        found["root"] = machine.spec.disk.path
    return found
