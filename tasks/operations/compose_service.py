"""A service of the host's Compose project: it runs exactly as planned, or it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname

from tasks.compose.drift import differences
from tasks.compose.file import with_service
from tasks.compose.kept import as_text, from_text
from tasks.compose.names import Project
from tasks.compose.service import GRACE_S
from tasks.facts.base import look
from tasks.facts.container_spec import Container, ContainerSpec
from tasks.facts.docker_access import DockerAccessFact
from tasks.facts.listener import ListenerFact
from tasks.facts.text_file import TextFile
from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.compose_container import live_container, save_log, up
from tasks.operations.files import File, Folder
from tasks.operations.image import ImagePresent
from tasks.operations.service import PortTaken

ANSWERS_S = 20
UP_S = 300.0  # Docker's own work; the engine's start is waited for elsewhere


@dataclass(frozen=True)
class ServiceRunning:
    """`service` runs as `spec` says, checked field by field on the container that lives.

    `answers` is a command of the host that exits with 0 once the service answers; the start waits for it.
    With `kept` (a file on the host) a container that runs is held against the plan it was started by, and a release
    that the inventory no longer declares (`declared` False) starts by that plan again.  `files` are brought before.
    """

    project: Project
    service: str
    spec: ContainerSpec
    port: int
    log_file: str
    files: tuple[File, ...] = ()
    kept: str = ""
    declared: bool = True
    answers: str = ""

    @property
    def name(self) -> str:
        """For a person."""
        return f"container {self.service}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Image, files, then `up`; nothing where the live container is what was planned."""
        root = look(host, DockerAccessFact()).needs_root
        spec, text = self._planned(host, root)
        yield from ImagePresent(spec.image).plan(host)
        yield from self._files(host, spec, text)
        live = live_container(host, self.project, self.service, spec, root)
        if (why := self._why(spec, live)) is None:
            return
        if live is None or not live.state.there:
            self._port_is_free(host)
        yield Step(f"start {self.service}: {why}", self._up(live), timeout=UP_S, sudo=root)

    def _planned(self, host: Host, root: bool) -> tuple[ContainerSpec, str]:
        """The plan that counts, and its text for `kept`."""
        text = look(host, TextFile(self.kept)) if self.kept else None
        if text is not None:
            before = from_text(text, f"{host.name}: {self.kept}")
            live = live_container(host, self.project, self.service, before, root)
            runs = live is not None and live.state.there and live.spec.release == self.spec.release
            if runs or not self.declared:
                return before, text
        return self.spec, as_text(self.spec)

    def _files(self, host: Host, spec: ContainerSpec, text: str) -> Iterator[Step]:
        plan = (File(self.kept, text, what="the container's plan"),) if self.kept else ()
        files = (*self.files, *plan)
        for folder in sorted({self.project.folder, *(dirname(file.path) for file in files)}):
            yield from Folder(folder).plan(host)
        for file in files:
            yield from file.plan(host)
        current = look(host, TextFile(self.project.file))
        wanted = with_service(current, self.project, self.service, spec)
        yield from File(self.project.file, wanted, what="Compose file").plan(host)

    def _why(self, spec: ContainerSpec, live: Container | None) -> str | None:
        if live is None:
            return "it is not there"
        found = differences(spec, live)
        if found:
            return "; ".join(map(str, found))[:800]
        return None if live.state.there else f"it is {live.state.status}, exit status {live.state.exit}"

    def _port_is_free(self, host: Host) -> None:
        listener = look(host, ListenerFact(self.port))
        if listener.busy:
            holder = f"process {listener.holder}" if listener.holder else "a process of another user"
            raise PortTaken(
                f"port {self.port} is taken, and not by our {self.service}",
                where=f"{host.name}: {holder}",
                fix="stop it or choose another port in the inventory; nothing of it was touched",
            )

    def _up(self, live: Container | None) -> str:
        saved = f"{save_log(live, self.log_file)}; " if live else ""
        waits = f" && {{ {_until(self.answers, self.project.container(self.service))}; }}" if self.answers else ""
        return f"{saved}{up(self.project, self.service)} --force-recreate{waits}"


@dataclass(frozen=True)
class ServiceGone:
    """No container of `service` is there, and the project's file doesn't name it; its log is kept in `log_file`."""

    project: Project
    service: str
    log_file: str

    @property
    def name(self) -> str:
        """For a person."""
        return f"container {self.service} gone"

    def plan(self, host: Host) -> Iterator[Step]:
        """Stop and remove it by its id, then the service's lines."""
        root = look(host, DockerAccessFact()).needs_root
        live = live_container(host, self.project, self.service, None, root)
        if live is not None:
            command = f"{save_log(live, self.log_file)}; docker stop -t {GRACE_S} {live.id} >/dev/null"
            yield Step(
                f"stop {self.service} ({live.id[:12]})",
                f"{command}; {save_log(live, self.log_file)}; docker rm --force --volumes {live.id} >/dev/null",
                timeout=GRACE_S + 60,
                sudo=root,
            )
        current = look(host, TextFile(self.project.file))
        if current is not None:
            wanted = with_service(current, self.project, self.service, None)
            yield from File(self.project.file, wanted, what="Compose file").plan(host)


def _until(answers: str, container: str) -> str:
    """Shell that waits for the service; else its last words, and a failure."""
    return (
        f"for i in $(seq {ANSWERS_S * 5}); do {{ {answers}; }} && exit 0; sleep 0.2; done; "
        f"echo 'no answer within {ANSWERS_S} s' >&2; docker logs --tail 5 {container} >&2; exit 1"
    )
