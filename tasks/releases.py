"""What is served: a release, and which release stands in which slot of a host."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import asdict, dataclass
from typing import Any

from inventories.errors import BadInput
from inventories.figures import model
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.engines.base import PORT, engine
from tasks.facts.base import NotUnderstood, look
from tasks.facts.text_file import TextFile
from tasks.hosts import Host, write_file


@dataclass(frozen=True, slots=True)
class Release:
    """Everything that decides what a server answers, and how to start it again without the inventory.

    `id` is a digest of engine, model commit and flags; the port is not part of it.
    """

    id: str
    engine: str
    repo: str
    revision: str
    model_dir: str
    program: str
    arguments: tuple[str, ...]  # with the engine's PORT where the slot's port goes
    env: dict[str, str]

    def argv(self, port: int) -> tuple[str, ...]:
        """The command line for one slot."""
        return (self.program, *(str(port) if word == PORT else word for word in self.arguments))


@dataclass(frozen=True, slots=True)
class Slot:
    """A release at a port of the host's loopback."""

    release: str
    port: int


@dataclass(frozen=True, slots=True)
class Slots:
    """What a host serves: to the world (`live`), under proof (`candidate`), and before (`previous`)."""

    live: Slot | None = None
    candidate: Slot | None = None
    previous: Slot | None = None

    def serving(self, release: str) -> Slot | None:
        """The slot, live first, that holds `release`."""
        return next((s for s in (self.live, self.candidate) if s is not None and s.release == release), None)


def revision(inventory: Inventory) -> str:
    """The pinned commit; refuses an inventory without one."""
    if inventory.model.revision is None:
        raise BadInput(
            "the model's revision is not pinned: what a branch holds can change under a running deployment",
            where=f"inventory {inventory.name}: model.revision",
            fix="write the 40 hex digits of the commit that you mean to run",
        )
    return inventory.model.revision


def wanted(inventory: Inventory, host: HostSpec) -> Release:
    """The release that the inventory declares."""
    commit = revision(inventory)
    folder = inventory.model_dir(inventory.model.catalog, commit, host)
    kind = engine(inventory.engine.kind)
    launch = kind.launch(inventory, host, folder)
    body: list[object] = [
        kind.describe(inventory),
        model(inventory.model.catalog).repo,
        commit,
        launch.arguments,
        sorted(launch.env.items()),
    ]
    if inventory.serving.container is not None:  # memory, mounts and user decide what answers too
        body.append(inventory.serving.container.model_dump(mode="json"))
    return Release(
        id=hashlib.sha256(json.dumps(body).encode()).hexdigest()[:12],
        engine=kind.describe(inventory),
        repo=model(inventory.model.catalog).repo,
        revision=commit,
        model_dir=folder,
        program=launch.program,
        arguments=launch.arguments,
        env=dict(launch.env),
    )


def _slots_file(root: str) -> str:
    return f"{root}/state/slots.json"


def _slot(value: dict[str, Any] | None) -> Slot | None:
    return Slot(str(value["release"]), int(value["port"])) if value else None


def read_slots(host: Host, root: str) -> Slots:
    """What the host says of itself; nothing was served where there is no such file."""
    text = look(host, TextFile(_slots_file(root)))
    if text is None:
        return Slots()
    try:
        value = json.loads(text)
        return Slots(_slot(value["live"]), _slot(value["candidate"]), _slot(value["previous"]))
    except (ValueError, TypeError, KeyError):
        raise NotUnderstood(TextFile(_slots_file(root)), text) from None


def write_slots(host: Host, root: str, slots: Slots) -> Slots:
    """Replace the file in one step: the gateway follows `live` from the next request on."""
    host.run(f"mkdir -p {shlex.quote(root + '/state')}").check()
    write_file(host, _slots_file(root), json.dumps(asdict(slots), indent=1) + "\n")
    return slots


def keep(host: Host, root: str, release: Release) -> None:
    """Note a release on the host, so that it can be served again later."""
    host.run(f"mkdir -p {shlex.quote(f'{root}/releases/{release.id}')}").check()
    write_file(host, f"{root}/releases/{release.id}/release.json", json.dumps(asdict(release), indent=1) + "\n")


def kept(host: Host, root: str, release_id: str) -> Release:
    """A release that was noted before."""
    text = look(host, TextFile(f"{root}/releases/{release_id}/release.json"))
    if text is None:
        raise BadInput(
            f"release {release_id} is not known on this host",
            where=f"{host.name}: {root}/releases",
            fix="deploy it again from its inventory",
        )
    try:
        value = json.loads(text)
        return Release(**{**value, "arguments": tuple(value["arguments"])})
    except (ValueError, TypeError, KeyError):
        raise NotUnderstood(TextFile(f"{root}/releases/{release_id}/release.json"), text) from None
