"""A site: an inventory, connections to its hosts, and the trail of everything that was asked of them."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from inventories.errors import BadInput
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from serving.client import Client
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.machine import Machine, MachineFact
from tasks.hosts import Host, now
from tasks.local import LocalHost
from tasks.operations.base import Change
from tasks.redaction import Redactor
from tasks.releases import Slot, read_slots
from tasks.trail import RecordedHost, Trail


class NoSuchHost(BadInput):
    """The inventory plans a machine that can't be reached yet."""


def unrecorded(*_: object, **__: object) -> str:
    """A recorder for what is no evidence."""
    return ""


def home() -> Path:
    """Where this machine keeps keys and locks: $BEACHHEAD_HOME, else ~/.local/state/beachhead."""
    return Path(os.environ.get("BEACHHEAD_HOME") or Path.home() / ".local/state/beachhead")


class Site:
    """One run's view of an inventory.  Connections open on first use; everything asked is on `trail`."""

    def __init__(self, inventory: Inventory, folder: Path, *, run_id: str = "") -> None:
        self.inventory = inventory
        self.folder = folder
        self.run_id = run_id or folder.name
        self.redactor = Redactor()
        self.trail = Trail(folder / "raw", self.redactor)
        self.changes: list[Change] = []
        self.undisturbed = threading.Lock()  # held by a measurement that other requests to the live engine would void
        self._hosts: dict[str, Host] = {}
        self._identity: tuple[str, str] | None = None

    def host(self, name: str) -> Host:
        """The connection to one host of the inventory."""
        if name not in self._hosts:
            self._hosts[name] = RecordedHost(self._connect(self.spec(name)), self.trail)
        return self._hosts[name]

    def use(self, name: str, host: Host) -> None:
        """Put another implementation in the place of a host."""
        self._hosts[name] = RecordedHost(host, self.trail)

    def _connect(self, spec: HostSpec) -> Host:
        ssh = spec.ssh
        if ssh is None:
            raise NoSuchHost(
                f"host {spec.name} is planned, but has no ssh address yet",
                where=f"inventory {self.inventory.name}: hosts",
                fix="add its `ssh:` block once the machine is there; `beachhead plan` needs none",
            )
        password = os.environ.get(ssh.sudo_password_env) if ssh.sudo_password_env else None
        self.redactor.add(password)
        if ssh.address == "local":
            return LocalHost(spec.name, sudo_password=password)
        from tasks.ssh import SshHost  # here: a plan contacts no host and needn't wait for Paramiko

        return SshHost(
            spec.name,
            address=ssh.address,
            port=ssh.port,
            user=ssh.user,
            identity_file=Path(ssh.identity_file).expanduser() if ssh.identity_file else None,
            known_hosts=Path(ssh.known_hosts).expanduser(),
            sudo_password=password,
        )

    def spec(self, name: str) -> HostSpec:
        """One host as ordered."""
        return next(host for host in self.inventory.hosts if host.name == name)

    def note(self, change: Change) -> None:
        """Keep what an operation did, here and, where it did something, in the host's own journal."""
        self.changes.append(change)
        if change.steps:
            root = self.spec(change.host).root
            did = {"at": now().isoformat(), "run": self.run_id, "did": change.operation, "steps": change.steps}
            folder, line = shlex.quote(root), shlex.quote(json.dumps(did))
            journal = f"mkdir -p {folder} && printf '%s\\n' {line} >> {folder}/journal.jsonl"
            self.host(change.host).run(journal).check()

    def look_around(self, name: str) -> Machine:
        """What the machine is; the first thing that is asked of a host, so that an unreachable one shows at once."""
        return look(self.host(name), MachineFact())

    def identity(self) -> tuple[str, str]:
        """The serving host and its engine as found there, for records; read once a run, raises what the host raises."""
        if self._identity is None:
            machine = self.look_around(self.head.name)
            kind = engine(self.inventory.engine.kind)
            found = look(self.host(self.head.name), kind.installed(self.inventory, self.head))
            amx = ", AMX" if machine.amx else ""
            self._identity = (
                f"{self.head.name} ({machine.os}, kernel {machine.kernel}, {machine.cores} cores{amx})",
                f"{found} ({kind.describe(self.inventory)} declared)",
            )
        return self._identity

    def live(self) -> Slot | None:
        """The slot that the serving host shows to the world now."""
        return read_slots(self.host(self.head.name), self.head.root).live

    @property
    def head(self) -> HostSpec:
        """The host that serves: the first of the inventory."""
        return self.inventory.hosts[0]

    @property
    def specs(self) -> Sequence[HostSpec]:
        """Every host as ordered."""
        return self.inventory.hosts

    def api_key(self) -> str:
        """The key that the deployment itself presents at the gateway.

        $BEACHHEAD_API_KEY, else made once and kept in `home()`, readable by us alone.
        """
        key = os.environ.get("BEACHHEAD_API_KEY") or self._kept_key()
        self.redactor.add(key)
        return key

    def _kept_key(self) -> str:
        file = home() / self.inventory.name / "api_key"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(32))
        return file.read_text(encoding="utf-8").strip()

    def hub_token(self) -> str | None:
        """The hub's token, from the environment variable that the inventory names."""
        name = self.inventory.hub.token_env
        if name is None:
            return None
        token = os.environ.get(name)
        if not token:
            raise BadInput(
                f"the environment variable {name} is not set",
                where=f"inventory {self.inventory.name}: hub.token_env",
                fix=f"export {name}=… in the shell (or the worker) that runs this",
            )
        self.redactor.add(token)
        return token

    @contextmanager
    def client(self, port: int, *, timeout: float = 120.0, recorded: bool = True) -> Iterator[Client]:
        """A client to the server on the serving host's loopback `port`, through the host's connection.

        At the gateway's port it speaks TLS and presents the deployment's key, at an engine's the engine's own.
        """
        from tasks.gateway.secrets import engine_key  # these know a site
        from tasks.gateway.trust import ssl_context

        gateway = port == self.inventory.serving.live_port
        verify = ssl_context(self) if gateway else None
        with (
            self.host(self.head.name).forward(port) as local,
            Client(
                f"{'https' if verify else 'http'}://127.0.0.1:{local}/v1",
                model=self.inventory.model.catalog,
                api_key=self.api_key() if gateway else engine_key(self),
                record=self.trail.record if recorded else unrecorded,
                timeout=timeout,
                verify=verify,
            ) as client,
        ):
            yield client

    def close(self) -> None:
        """Let every connection and the trail go."""
        for host in self._hosts.values():
            host.close()
        self.trail.close()
