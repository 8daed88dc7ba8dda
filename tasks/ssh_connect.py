"""How an SSH connection is made: every hop pinned, and every refusal named."""

from __future__ import annotations

import logging
import math
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from fabric import Config, Connection
from paramiko import (
    AuthenticationException,
    BadHostKeyException,
    MissingHostKeyPolicy,
    PKey,
    SSHClient,
    Transport,
)

from tasks.hosts import AuthenticationRefused, HostError, HostKeyChanged, UnknownHostKey, Unreachable

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # its errors reach the operator as ours


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a host is and what we show it; `address` may be an alias of ~/.ssh/config with a jump host."""

    name: str
    address: str
    port: int
    user: str
    identity_file: Path | None
    known_hosts: Path
    connect_timeout: float
    keepalive_s: int

    def __str__(self) -> str:
        return f"{self.name}: {self.user}@{self.address} port {self.port}"


class Refuse(MissingHostKeyPolicy):
    """No key is ever added: an unpinned one ends the connection before our user or key is shown."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Raise with the fingerprint to verify and the line to add."""
        raise UnknownHostKey(
            f"the host's {key.get_name()} key {key.fingerprint} is not pinned in {self._reach.known_hosts}",
            where=f"{self._reach} ({hostname})",
            fix="compare the fingerprint with `ssh-keygen -lf` on the host's own console; only if it is the same "
            f"add this line to {self._reach.known_hosts}:\n{hostname} {key.get_name()} {key.get_base64()}",
        )


def connect(reach: Reach) -> Any:
    """An authenticated fabric.Connection whose every hop is pinned; raises what tasks.hosts names."""
    _require_files(reach)
    try:
        connection = _configured(reach)
    except ValueError as bad:
        raise unreachable(reach, f"the address can't be used: {bad}") from None
    try:
        connection.open()
    except BaseException as failed:
        met = connection.client.get_transport()
        greeted = met is not None and met.initial_kex_done and met.is_active()
        disconnect(connection)
        if isinstance(failed, HostError) or not isinstance(failed, Exception):
            raise
        _name(reach, failed, greeted=greeted)
    _tune(connection.transport, reach.keepalive_s)
    return connection


def _configured(reach: Reach) -> Any:
    config = Config(lazy=True)  # ~/.ssh/config and /etc/ssh/ssh_config only, no fabric.yaml
    config.load_ssh_config()
    keys: dict[str, Any] = {"look_for_keys": reach.identity_file is None}
    if reach.identity_file is not None:
        keys["key_filename"] = [str(reach.identity_file)]
    connection = Connection(reach.address, user=reach.user, port=reach.port, config=config, connect_kwargs=keys)
    for hop in _hops(connection):
        hop.client.set_missing_host_key_policy(Refuse(reach))
        hop.client.load_system_host_keys(str(reach.known_hosts))  # read only, and the only file
        hop.connect_timeout = max(1, math.ceil(reach.connect_timeout))
        for wait in ("banner_timeout", "auth_timeout", "channel_timeout"):
            hop.connect_kwargs[wait] = reach.connect_timeout
    return connection


def _hops(connection: Any) -> Iterator[Any]:
    """The connection, then the jump hosts it goes through."""
    while isinstance(connection, Connection):
        yield connection
        connection = connection.gateway


def disconnect(connection: Any) -> None:
    """Let a connection and its jump hosts go."""
    for hop in _hops(connection):
        hop.client.close()


def _tune(transport: Transport, keepalive_s: int) -> None:
    """Send small packets at once, and let the kernel end a connection whose keepalives stay unanswered (Linux)."""
    transport.set_keepalive(keepalive_s)
    if isinstance(transport.sock, socket.socket):
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 3000 * keepalive_s)


def _require_files(reach: Reach) -> None:
    if not reach.known_hosts.is_file():
        raise UnknownHostKey(
            f"the file of pinned host keys does not exist: {reach.known_hosts}",
            where=str(reach),
            fix=f"make it with `ssh-keyscan -p {reach.port} {reach.address}` and verify each fingerprint on the host",
        )
    if reach.identity_file is not None and not reach.identity_file.is_file():
        raise AuthenticationRefused(
            f"the private key does not exist: {reach.identity_file}",
            where=str(reach),
            fix="correct ssh.identity_file in the inventory",
        )


def _name(reach: Reach, failed: Exception, *, greeted: bool) -> NoReturn:
    """Raise `failed` as the HostError that it is; once `greeted`, only the login was left to fail."""
    if isinstance(failed, BadHostKeyException):
        raise HostKeyChanged(
            f"the host shows {_print_of(failed.key)}, but {_print_of(failed.expected_key)} is pinned",
            where=f"{reach} (in {reach.known_hosts})",
            fix="find out why before anything else; only if the host was reinstalled, compare the new fingerprint with "
            f"`ssh-keygen -lf` on its console and replace its line in {reach.known_hosts}",
        ) from None
    if greeted or isinstance(failed, AuthenticationException):
        raise AuthenticationRefused(
            f"the host did not accept the user or the key: {failed}",
            where=str(reach),
            fix="check ssh.user and ssh.identity_file, and that the public key is in the host's authorized_keys",
        ) from None
    raise unreachable(reach, f"no SSH connection: {failed or type(failed).__name__}") from None


def unreachable(reach: Reach, what: str) -> Unreachable:
    """The error for a host that was not reached."""
    return Unreachable(
        what, where=str(reach), fix="check address, port and firewall, and that sshd runs; `ssh -v` shows where it ends"
    )


def _print_of(key: PKey) -> str:
    return f"{key.get_name()} {key.fingerprint}"
