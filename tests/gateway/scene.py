"""A gateway on this machine: real nginx through the product's own operations, ports and folder of its own."""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from tasks.facts.base import look
from tasks.facts.gateway_keys import GatewayKeysFact
from tasks.facts.gateway_state import GatewayState, GatewayStateFact
from tasks.facts.nginx import NginxFact
from tasks.gateway.authority import Authority, Certificate
from tasks.gateway.keys import Keys, added
from tasks.gateway.plan import GatewayPlan
from tasks.hosts import now
from tasks.local import LocalHost
from tasks.operations.base import Operation, converge
from tasks.operations.files import Folder
from tasks.operations.gateway_configured import GatewayConfigured
from tasks.operations.gateway_keys import DeploymentKey, GatewayKeys
from tasks.operations.gateway_running import GatewayRunning, GatewayStopped
from tasks.operations.gateway_words import NginxWords, as_process
from tests.ports import free_port

OWN_KEY = "own-key-of-the-deployment"
ENGINE_KEY = "engine-key-that-no-client-has"
ROUTES = (
    ("/health", ("GET",)),
    ("/v1/chat/completions", ("POST",)),
    ("/v1/completions", ("POST",)),
    ("/v1/models", ("GET",)),
)


def require_nginx() -> None:
    """Skip where nginx or its Perl module is missing; in CI that is a failure."""
    if look(LocalHost(), NginxFact()).usable:
        return
    missing = "apt-get install nginx libnginx-mod-http-perl"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@dataclass
class Gateway:
    """One gateway in `root`; change `plan` and call `up` to switch it."""

    root: Path
    plan: GatewayPlan
    certificate: Certificate | None
    ca: Path
    host: LocalHost = field(default_factory=lambda: LocalHost("box"))

    @property
    def port(self) -> int:
        return int(self.plan.listens[0].rpartition(":")[2])

    @property
    def words(self) -> NginxWords:
        found = look(self.host, NginxFact())
        return as_process(found.program, self.plan.folder, found.perl_module)

    def operations(self) -> list[Operation]:
        folder = self.plan.folder
        return [
            *(Folder(path, "0755") for path in (folder, f"{folder}/run", f"{folder}/tmp")),
            DeploymentKey(self.plan.keys_file, OWN_KEY, date(2026, 11, 22)),
            GatewayConfigured(self.plan, ENGINE_KEY, self.certificate, self.words),
            GatewayRunning(self.plan, self.words),
        ]

    def up(self) -> list[str]:
        """Bring it about; says what was done."""
        return [step for operation in self.operations() for step in converge(self.host, operation).steps]

    def down(self) -> None:
        converge(self.host, GatewayStopped(self.plan.folder))

    @property
    def state(self) -> GatewayState:
        return look(self.host, GatewayStateFact(self.plan.folder))

    def keys(self) -> Keys:
        return look(self.host, GatewayKeysFact(self.plan.keys_file)).keys

    def set_keys(self, keys: Keys) -> None:
        """As `beachhead keys` does it: the file, then a reload."""
        before = look(self.host, GatewayKeysFact(self.plan.keys_file)).sha256
        converge(self.host, GatewayKeys(self.plan.keys_file, before, keys))
        converge(self.host, GatewayRunning(self.plan, self.words))

    def admit(self, name: str, key: str) -> None:
        self.set_keys(added(self.keys(), name, key, date(2026, 11, 22)))

    @property
    def trust(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=str(self.ca)) if self.certificate else None

    def log(self) -> str:
        return (Path(self.plan.folder) / "access.log").read_text()


@contextmanager
def gateway(upstream: int | None, *, tls: bool = True, **limits: int) -> Iterator[Gateway]:
    """A gateway that runs while the context lasts."""
    require_nginx()
    root = Path(tempfile.mkdtemp(prefix="gateway-"))
    root.chmod(0o755)
    authority = Authority(root / "ca", "test")
    certificate = authority.server(("localhost", "127.0.0.1"), now()) if tls else None
    given = {"requests_per_minute": 600_000, "concurrent_requests": 1000, "body_mib": 64, "stream_s": 60} | limits
    plan = GatewayPlan(f"{root}/gateway", (f"127.0.0.1:{free_port()}",), ROUTES, tls, upstream, **given)
    made = Gateway(root, plan, certificate, authority.certificate_file)
    try:
        made.up()
        yield made
    finally:
        made.down()
        shutil.rmtree(root)
