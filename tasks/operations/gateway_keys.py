"""The keys file of a gateway: names and digests, never a key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from shlex import quote

from tasks.facts.base import look
from tasks.facts.gateway_keys import GatewayKeysFact
from tasks.gateway.keys import Keys, render, with_deployment
from tasks.hosts import Host
from tasks.operations.base import Step


@dataclass(frozen=True)
class GatewayKeys:
    """The file holds exactly `wanted`; it is replaced only where its SHA-256 is still `before`."""

    path: str
    before: str
    wanted: Keys

    @property
    def name(self) -> str:
        """For a person."""
        return "API keys of the gateway"

    def plan(self, host: Host) -> Iterator[Step]:
        """One write, by rename."""
        if render(look(host, GatewayKeysFact(self.path)).keys) != render(self.wanted):
            yield _write(self.path, self.before, self.wanted, "change who may use the gateway")


@dataclass(frozen=True)
class DeploymentKey:
    """The deployment's own client may use the gateway, with `key` and no other; the other clients stay."""

    path: str
    key: str = field(repr=False)
    today: date

    @property
    def name(self) -> str:
        """For a person."""
        return "API key of the deployment"

    def plan(self, host: Host) -> Iterator[Step]:
        """Add or replace its line."""
        found = look(host, GatewayKeysFact(self.path))
        wanted = with_deployment(found.keys, self.key, self.today)
        if wanted != found.keys:
            yield _write(self.path, found.sha256, wanted, "let the deployment itself through the gateway")


def _write(path: str, before: str, wanted: Keys, why: str) -> Step:
    """Two who change it at once must not undo each other: under a lock, and only what was read is replaced."""
    file, part = quote(path), quote(f"{path}.part")
    same = f'[ "$(cat {file} 2>/dev/null | sha256sum | cut -d" " -f1)" = {before} ]'
    changed = "{ echo 'somebody else changed the keys meanwhile; run again' >&2; exit 75; }"
    return Step(
        why,
        f"umask 077; exec 9>>{quote(f'{path}.lock')} && flock -w 20 9 && {{ {same} || {changed}; }} && "
        f'cat > {part} && [ "$(wc -c < {part})" -eq {len(render(wanted).encode())} ] && mv -fT {part} {file}',
        stdin=render(wanted),
    )
