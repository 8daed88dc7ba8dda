"""What the operations on a Compose service share: its live container, and the command lines around it."""

from __future__ import annotations

from shlex import quote

from inventories.errors import Problem
from tasks.compose.names import Project
from tasks.compose.service import GRACE_S
from tasks.facts.base import look
from tasks.facts.container import ContainerFact
from tasks.facts.container_spec import Container, ContainerSpec
from tasks.hosts import Host


class NameTaken(Problem):
    """A container of somebody else has our container's name."""


def live_container(
    host: Host, project: Project, service: str, spec: ContainerSpec | None, root: bool
) -> Container | None:
    """Our container; raises NameTaken where its name belongs to another project."""
    shown = tuple(sorted(name for name, value in (spec.env if spec else {}).items() if value is not None))
    found = look(host, ContainerFact(project.container(service), shown, root))
    if found is not None and (found.project, found.service) != (project.name, service):
        raise NameTaken(
            f"a container called {project.container(service)} is there, and it isn't of our Compose project",
            where=f"{host.name}: container {found.id[:12]}, project {found.project or 'none'}",
            fix="rename or remove it; nothing of it was touched",
        )
    return found


def up(project: Project, service: str) -> str:
    """The command line that starts one service and leaves the others alone."""
    return (
        f"docker compose --project-name {project.name} --file {quote(project.file)} up --detach --no-deps --no-build "
        f"--pull never --timeout {GRACE_S} {service}"
    )


def save_log(live: Container, path: str) -> str:
    """Shell that keeps what the container said, since Docker forgets it with the container."""
    return f"mkdir -p $(dirname {quote(path)}); docker logs {live.id} > {quote(path)} 2>&1 || true"
