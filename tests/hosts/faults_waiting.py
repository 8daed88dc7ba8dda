"""Waiting on a test host's console until a fault has taken hold."""

from __future__ import annotations

import time

from tests.hosts.machine import Machine


def until(machine: Machine, condition: str, seconds: float = 10) -> None:
    """Wait for a shell condition on the console; raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if machine.run_in_container(f"{condition} && echo yes || echo no") == "yes":
            return
        time.sleep(0.05)
    raise AssertionError(f"{machine.name}: not within {seconds} s: {condition}")


def restart_sshd(machine: Machine) -> None:
    """A new sshd with the configuration as it is now; sessions that are open stay."""
    machine.run_in_container("systemctl restart ssh.service")
    until(machine, "ss -Hltn 'sport = :22' | grep -q .")
