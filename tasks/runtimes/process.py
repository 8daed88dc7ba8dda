"""The engine as a process of its own on the host, in its own environment."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.base import look
from tasks.facts.engine_log import EngineLogFact
from tasks.facts.process import ProcessFact
from tasks.gateway.face import GatewayFace
from tasks.operations.base import Operation
from tasks.operations.service import Service, Stopped
from tasks.operations.watch_config import log_end
from tasks.releases import Release, Slot
from tasks.runtimes.base import EngineState, EngineWords, Runtime
from tasks.site import Site


def pid_file(root: str, slot: Slot) -> str:
    """Where the pid of a slot's engine lies."""
    return f"{root}/run/engine-{slot.port}-{slot.release}.pid"


def log_file(root: str, slot: Slot) -> str:
    """The engine's log of its newest start in that slot."""
    return f"{root}/releases/{slot.release}/server-{slot.port}.log"


def service(root: str, release: Release, slot: Slot) -> Service:
    """The process of a release in a slot."""
    return Service(
        title=f"engine {release.id}",
        argv=release.argv(slot.port),
        port=slot.port,
        pid_file=pid_file(root, slot),
        log_file=log_file(root, slot),
        env=release.env,
        env_file=f"{root}/secrets/engine.env",
    )


class ProcessRuntime:
    """Processes with pid files."""

    def check(self, inventory: Inventory) -> None:
        """Every inventory can be served so."""

    def install(self, inventory: Inventory, host: HostSpec) -> Iterator[Operation]:
        """The gateway's nginx."""
        yield from GatewayFace().install()

    def running(self, site: Site, release: Release, slot: Slot) -> Operation:
        """Its process runs."""
        return service(site.head.root, release, slot)

    def stopped(self, site: Site, slot: Slot) -> Operation:
        """Its process doesn't."""
        return Stopped(f"engine {slot.release}", pid_file(site.head.root, slot))

    def state(self, site: Site, slot: Slot) -> EngineState:
        """By the pid file."""
        return EngineState(look(site.host(site.head.name), ProcessFact(pid_file(site.head.root, slot))).running)

    def log(self, site: Site, slot: Slot) -> str:
        """The log file."""
        return look(site.host(site.head.name), EngineLogFact(log_file(site.head.root, slot))).text

    def last_line(self, site: Site, slot: Slot) -> str:
        """The end of the log file; nothing where there is none yet."""
        file = shlex.quote(log_file(site.head.root, slot))
        return site.host(site.head.name).run(f"tail -n 1 {file} 2>/dev/null || true").check().stdout.strip()

    def gateway(self, site: Site, upstream: Slot | None) -> Iterator[Operation]:
        """nginx as a process of the host."""
        yield from GatewayFace().operations(site, upstream.port if upstream else None)

    def words(self, site: Site, release: Release, slot: Slot) -> EngineWords:
        """Start it as `running` does; kill its whole process group."""
        file = shlex.quote(pid_file(site.head.root, slot))
        alive = ProcessFact(pid_file(site.head.root, slot)).command
        return EngineWords(
            start=service(site.head.root, release, slot).start_command(),
            kill=f"read -r pid _ < {file} && kill -KILL -- -$pid; rm -f {file}",
            alive=f"{alive} | grep -q ^running",
            log=log_end(log_file(site.head.root, slot)),
            grows=log_file(site.head.root, slot),
        )


RUNTIME: Runtime = ProcessRuntime()
