"""The engine as a service of a Docker Compose project on the host."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from pathlib import Path

from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.compose import probe
from tasks.compose.engine import container_of, engine_spec
from tasks.compose.names import Project, engine_service
from tasks.engine_python import engine_python, wrapper
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.container import ContainerFact
from tasks.facts.container_log import ContainerLogFact
from tasks.facts.docker_access import DockerAccessFact
from tasks.facts.text_file import TextFile
from tasks.operations.base import Operation
from tasks.operations.compose_container import up
from tasks.operations.compose_gateway import gateway_operations
from tasks.operations.compose_service import ServiceGone, ServiceRunning
from tasks.operations.compose_usable import ComposeUsable
from tasks.operations.files import File, Folder
from tasks.operations.image import ImagePresent
from tasks.releases import Release, Slot, wanted
from tasks.runtimes.base import EngineState, EngineWords, Runtime
from tasks.site import Site
from tasks.start_budget import start_budget

# As our user where it may, else as root: the watchdog's account is not known here.
_DOCKER = 'docker() { if [ -w /var/run/docker.sock ]; then command docker "$@"; else sudo -n docker "$@"; fi; }; '


def log_file(root: str, slot: Slot) -> str:
    """Where the words of a container that is gone are kept."""
    return f"{root}/releases/{slot.release}/server-{slot.port}.log"


class ComposeRuntime:
    """One container a slot."""

    def check(self, inventory: Inventory) -> None:
        """An image is named, and no host needs what one container can't give."""
        container_of(inventory)

    def install(self, inventory: Inventory, host: HostSpec) -> Iterator[Operation]:
        """Compose, the folders, both images."""
        yield ComposeUsable(declared=bool(host.stack and host.stack.containers))
        for folder in ("compose", "tools", "releases", "models"):
            yield Folder(f"{host.root}/{folder}")
        text = wrapper(inventory, host, container_of(inventory))
        yield File(engine_python(inventory, host), text, mode="0755", what="the engine's Python")
        yield ImagePresent(container_of(inventory).image)
        if inventory.serving.gateway.image:
            yield ImagePresent(inventory.serving.gateway.image)

    def running(self, site: Site, release: Release, slot: Slot) -> Operation:
        """Its container runs, as it was planned when the release was first started."""
        host, project = site.head, Project(site.head.root)
        kind = engine(site.inventory.engine.kind)
        start_s = ceil(start_budget(site.inventory).seconds)
        return ServiceRunning(
            project=project,
            service=engine_service(slot),
            spec=engine_spec(site.inventory, host, release, slot, start_s=start_s, key_variable=kind.key_variable),
            port=slot.port,
            log_file=log_file(host.root, slot),
            files=(File(project.probe, Path(probe.__file__).read_text(encoding="utf-8"), what="the health probe"),),
            kept=f"{host.root}/releases/{release.id}/container-{slot.port}.json",
            declared=release.id == wanted(site.inventory, host).id,
        )

    def stopped(self, site: Site, slot: Slot) -> Operation:
        """No container is in the slot."""
        return ServiceGone(Project(site.head.root), engine_service(slot), log_file(site.head.root, slot))

    def state(self, site: Site, slot: Slot) -> EngineState:
        """As Docker counts it; a container that waits to be started again does not run."""
        host = site.host(site.head.name)
        name = Project(site.head.root).container(engine_service(slot))
        found = look(host, ContainerFact(name, (), look(host, DockerAccessFact()).needs_root))
        if found is None:
            return EngineState(running=False)
        runs = found.state.status == "running"
        return EngineState(runs, None if runs else found.state.exit, found.state.restarts)

    def log(self, site: Site, slot: Slot) -> str:
        """Docker's, or what was kept of a container that is gone."""
        host = site.host(site.head.name)
        name = Project(site.head.root).container(engine_service(slot))
        said = look(host, ContainerLogFact(name, look(host, DockerAccessFact()).needs_root))
        return said if said is not None else look(host, TextFile(log_file(site.head.root, slot))) or ""

    def last_line(self, site: Site, slot: Slot) -> str:
        """Docker's newest line; nothing without a container."""
        host = site.host(site.head.name)
        name = Project(site.head.root).container(engine_service(slot))
        return (look(host, ContainerLogFact(name, look(host, DockerAccessFact()).needs_root, tail=1)) or "").strip()

    def gateway(self, site: Site, upstream: Slot | None) -> Iterator[Operation]:
        """nginx in a container of the same project."""
        yield from gateway_operations(site, upstream.port if upstream else None)

    def words(self, site: Site, release: Release, slot: Slot) -> EngineWords:
        """Start what the project's file says; a container that is killed stays down until then."""
        project, service = Project(site.head.root), engine_service(slot)
        name = project.container(service)
        alive = f"docker container inspect --format '{{{{.State.Status}}}}' {name}"
        return EngineWords(
            start=f"{_DOCKER}{up(project, service)}",
            kill=f"{_DOCKER}docker kill {name}",
            alive=f"{_DOCKER}{alive} | grep -qx running",
            log=f"{_DOCKER}docker logs --tail 20 {name} 2>&1",
        )


RUNTIME: Runtime = ComposeRuntime()
