"""Drill: the serving host is restarted in an orderly way."""

from __future__ import annotations

import time

from tasks.facts.base import look
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.facts.watch import ServiceManagerFact
from tasks.operations.driver import RESTART_S
from tasks.operations.watch import unit_name
from tasks.reboots import HostLost, restart
from tasks.recovery.base import Drill
from tasks.recovery.result import Course
from tasks.recovery.scene import Scene
from tasks.recovery.staying import sick, until_back

COMMAND = "PATH=$PATH:/usr/sbin:/sbin; systemctl reboot"


class Reboot:
    """Through the same step that installing a driver uses; there is nothing to undo."""

    does = "restarts the serving host; everything on it ends, and nobody is served until the engine has loaded"

    def why_not(self, scene: Scene) -> str:
        """Where the watchdog would not come back with the host."""
        if why := sick(scene, restarts=False):
            return why
        if not look(scene.host, ServiceManagerFact()).systemd:
            return "systemd did not boot this host: nothing starts the watchdog after a restart"
        (unit,) = look(scene.host, SystemdUnitFact((unit_name(scene.root),)))
        return "" if unit.enabled == "enabled" else "the watchdog's unit is not enabled: it would stay down"

    def play(self, scene: Scene) -> Course:
        """Restart it, wait for the host, then for a completion."""
        since = time.monotonic()
        try:
            boot = restart(scene.host, COMMAND, within_s=RESTART_S, say=scene.say)
        except HostLost as lost:
            return Course("restarted the host", True, None, time.monotonic() - since, "nobody", lost.what)
        did = f"restarted the host; it answered SSH after {time.monotonic() - since:.0f} s with kernel {boot.kernel}"
        return until_back(scene, "reboot", did, True, since, None)


DRILL: Drill = Reboot()
