"""The gateway as a service of the host's Compose project: its files, its container, its configuration loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from shlex import quote

from inventories.errors import BadInput
from tasks.compose.gateway import gateway_spec
from tasks.compose.names import GATEWAY, Project
from tasks.facts.base import look
from tasks.facts.container_user import FolderOwnerFact
from tasks.facts.docker_access import DockerAccessFact
from tasks.facts.gateway_state import ask_loaded
from tasks.gateway.face import GatewayFace
from tasks.gateway.plan import PERL_MODULE, gateway_folder, gateway_plan
from tasks.operations.base import Operation
from tasks.operations.compose_service import ServiceRunning
from tasks.operations.gateway_running import EarlierGatewaysStopped, GatewayRunning, GatewayStopped
from tasks.operations.gateway_words import NginxWords, in_container
from tasks.site import Site

LOW_PORTS = 1024  # below it only root listens, and a container on the host's network can't change that


def gateway_operations(site: Site, upstream: int | None) -> Iterator[Operation]:
    """The gateway shows the engine on loopback port `upstream`, or says that nothing is live."""
    host, root, serving = site.host(site.head.name), site.head.root, site.inventory.serving
    project, folder = Project(root), gateway_folder(site.head)
    if serving.gateway.image is None:
        raise BadInput(
            "the gateway is a container too, and no image is named for it",
            where=f"inventory {site.inventory.name}: serving.gateway.image",
            fix="name nginx with its perl module by digest: name@sha256:…",
        )
    words = gateway_words(project, folder, needs_root=look(host, DockerAccessFact()).needs_root)
    yield EarlierGatewaysStopped(root)
    yield GatewayStopped(folder)  # one that runs as a process, from before the runtime was compose
    yield from GatewayFace().files(site, upstream, words)
    user = "" if serving.live_port < LOW_PORTS else look(host, FolderOwnerFact(folder))
    yield ServiceRunning(
        project=project,
        service=GATEWAY,
        spec=gateway_spec(serving.gateway.image, folder, user=user),
        port=serving.live_port,
        log_file=f"{folder}/container.log",
        answers=f'[ -n "$({ask_loaded(folder)})" ]',
    )
    yield GatewayRunning(gateway_plan(site.inventory, site.head, upstream), words)


def gateway_words(project: Project, folder: str, *, needs_root: bool) -> NginxWords:
    """nginx in its container.  It is told to reload from inside: Docker takes `docker kill` with any signal for a stop
    that a person asked for, and would start the container no more by itself.
    """
    docker, container = "sudo -n docker" if needs_root else "docker", project.container(GATEWAY)
    words = in_container(docker, container, folder, PERL_MODULE)
    inside = f"{docker} exec {quote(container)} nginx -p {quote(folder + '/')}"
    return replace(words, reload=f"{inside} -c conf/nginx.conf -s reload")
