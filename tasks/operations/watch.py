"""The watchdog on the host: its code, its config, and what keeps it running."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote

from inventories.errors import BadInput, Problem
from tasks.facts.base import REMOTE, look
from tasks.facts.process import ProcessFact
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.facts.watch import ServiceManager, ServiceManagerFact, WatchFact
from tasks.hosts import Host, SudoRefused
from tasks.operations.base import Step
from tasks.operations.file_content import FileContent
from tasks.operations.files import File, Folder
from tasks.operations.watch_config import Watch

MODULES = ("watch.py", "watch_host.py", "watch_notes.py", "watch_probe.py", "watch_rules.py")
START_S = 30


class NoPython(Problem):
    """The watchdog is Python, and the host has none."""


@dataclass(frozen=True)
class Watched:
    """A watchdog with exactly this config runs on the host, and where systemd and root allow it after a reboot too.

    A changed config or changed code is another watchdog: it takes the place of the one that runs.
    """

    root: str
    config: Watch

    def __post_init__(self) -> None:
        if not re.fullmatch(r"/[A-Za-z0-9._/@+-]*", self.root):
            raise BadInput(f"{self.root!r} is no root", where="root of an operation", fix="letters, digits and ._/@+-")

    @property
    def name(self) -> str:
        """For a person."""
        return f"watchdog of {self.root}"

    @property
    def mark(self) -> str:
        """What code and config it is."""
        texts = [(REMOTE / module).read_text(encoding="utf-8") for module in MODULES]
        return hashlib.sha256("\0".join([*texts, self.config.text(self.root, "")]).encode()).hexdigest()[:12]

    def plan(self, host: Host) -> Iterator[Step]:
        """Files, then the unit or a process of its own."""
        files = list(self._files(host))
        yield from files
        manager = look(host, ServiceManagerFact())
        if not manager.python:
            raise NoPython(
                "the host has no python3 for the watchdog", where=host.name, fix="install it, or set watch.enabled off"
            )
        now = look(host, WatchFact(self.root))
        ours = not files and now.running and now.state is not None and now.state.mark == self.mark
        if manager.systemd and _root_is_to_be_had(host):
            yield from self._unit(host, manager, ours)
        elif not ours:
            log = f"tail -n 5 {self._folder}/watch.log"
            command = f"cd {self._folder} || exit 1; {ended(self.root)}{self._start(manager.python)}; {self._up(log)}"
            yield Step("start the watchdog, without a unit: it does not outlive a reboot", command, timeout=90)

    @property
    def _folder(self) -> str:
        return quote(f"{self.root}/watch")

    def _files(self, host: Host) -> Iterator[Step]:
        code = f"{self.root}/watch/tasks/remote"
        for folder in (f"{self.root}/run", f"{self.root}/state", code):
            yield from Folder(folder).plan(host)
        for empty in (f"{self.root}/watch/tasks/__init__.py", f"{code}/__init__.py"):
            yield from File(empty, "").plan(host)
        for module in MODULES:
            text = (REMOTE / module).read_text(encoding="utf-8")
            yield from File(f"{code}/{module}", text, what="the watchdog").plan(host)
        config = self.config.text(self.root, self.mark)
        yield from File(f"{self.root}/watch/config.json", config, what="the watchdog's config").plan(host)

    def _unit(self, host: Host, manager: ServiceManager, ours: bool) -> Iterator[Step]:
        unit = unit_name(self.root)
        file = FileContent(f"/etc/systemd/system/{unit}", self._unit_text(manager))
        written = list(file.plan(host))
        yield from written
        if written:
            yield Step("tell systemd of the unit", "systemctl daemon-reload", sudo=True)
        (found,) = look(host, SystemdUnitFact((unit,)))
        if written or not (ours and found.is_active and found.enabled == "enabled"):
            command = (
                f"systemctl --quiet enable -- {unit} && systemctl stop -- {unit} || exit 1; {ended(self.root)}"
                f"systemctl start -- {unit} || exit 1; {self._up(f'systemctl --no-pager status -- {unit}')}"
            )
            yield Step(f"start the watchdog {unit}", command, timeout=90, sudo=True)

    def _unit_text(self, manager: ServiceManager) -> str:
        """KillMode and OOMPolicy: an engine that it started outlives it, and is not ended with it."""
        user = "root" if self.config.as_root else manager.user
        return (
            f"[Unit]\nDescription=Beachhead's watchdog of {self.root}\nAfter=network.target docker.service\n"
            f"RequiresMountsFor={self.root}\nStartLimitIntervalSec=0\n\n"
            f"[Service]\nUser={user}\nWorkingDirectory={self.root}/watch\nEnvironment=PYTHONDONTWRITEBYTECODE=1\n"
            f"ExecStart={manager.python} -m tasks.remote.watch {self.root}/watch/config.json\n"
            "Restart=always\nRestartSec=5\nKillMode=process\nOOMPolicy=continue\nTasksMax=infinity\n\n"
            "[Install]\nWantedBy=multi-user.target\n"
        )

    def _start(self, python: str) -> str:
        return (
            f"{{ PYTHONDONTWRITEBYTECODE=1 setsid nohup {quote(python)} -m tasks.remote.watch config.json "
            ">> watch.log 2>&1 < /dev/null & }"
        )

    def _up(self, explain: str) -> str:
        """Wait until it has said its first word, as this very watchdog."""
        mark, state = quote(f'"mark": "{self.mark}"'), quote(f"{self.root}/state/watch.json")
        up = f"{{ grep -qsF {mark} {state} && {alive(self.root)}; }}"
        return f"for i in $(seq {START_S * 5}); do {up} && exit 0; sleep 0.2; done; {explain} >&2; exit 1"


@dataclass(frozen=True)
class Unwatched:
    """No watchdog of `root` runs, now or after a reboot; what it knew stays to be read."""

    root: str

    @property
    def name(self) -> str:
        """For a person."""
        return f"no watchdog of {self.root}"

    def plan(self, host: Host) -> Iterator[Step]:
        """The unit, then whatever process is left."""
        manager, unit = look(host, ServiceManagerFact()), unit_name(self.root)
        if manager.systemd and look(host, SystemdUnitFact((unit,)))[0].exists:
            command = (
                f"systemctl --quiet disable --now -- {unit}; rm -f -- /etc/systemd/system/{unit} && "
                "systemctl daemon-reload"
            )
            yield Step(f"remove the watchdog {unit}", command, sudo=True)
        if look(host, WatchFact(self.root)).enabled:
            yield Step("stop the watchdog", f"{ended(self.root)}rm -f {quote(f'{self.root}/run/watch.pid')}")


def unit_name(root: str) -> str:
    """The systemd unit of the watchdog of `root`."""
    return f"beachhead-watch-{hashlib.sha256(root.encode()).hexdigest()[:8]}.service"


def alive(root: str) -> str:
    """Shell: true while the process that the pid file names is the watchdog."""
    return f"{{ {ProcessFact(f'{root}/run/watch.pid').command} | grep -q ^running; }}"


def ended(root: str) -> str:
    """Shell: end the watchdog that the pid file names, and only it; the engines that it started stay."""
    return (
        f"if {alive(root)}; then kill -TERM $(cut -d' ' -f1 {quote(f'{root}/run/watch.pid')}); "
        f"for i in $(seq 100); do {alive(root)} || break; sleep 0.1; done; fi; "
    )


def _root_is_to_be_had(host: Host) -> bool:
    try:
        return host.run("true", sudo=True).exit == 0
    except SudoRefused:
        return False
