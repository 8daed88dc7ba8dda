"""A machine over SSH: pinned host key, one connection, one channel a command, and no guessed exit status."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paramiko import Channel, SSHException, Transport

from tasks.framing import Clock, Streams
from tasks.hosts import DeadlineExceeded
from tasks.shell import ShellHost, Stop
from tasks.ssh_connect import Reach
from tasks.ssh_forward import forwarding
from tasks.ssh_link import Link

MAX_SESSIONS = 8  # OpenSSH's sshd allows 10 on one connection (sshd_config, MaxSessions)
_CHUNK = 32768
_POLL_S = 0.05


class SshHost(ShellHost):
    """A machine that is reached over SSH.  Several threads may run commands at once."""

    def __init__(
        self,
        name: str,
        *,
        address: str,
        port: int,
        user: str,
        identity_file: Path | None,
        known_hosts: Path,
        sudo_password: str | None = None,
        connect_timeout: float = 15,
        keepalive_s: int = 15,
    ) -> None:
        super().__init__(name, sudo_password)
        reach = Reach(name, address, port, user, identity_file, known_hosts, connect_timeout, keepalive_s)
        self._reach = reach
        self._link = Link(reach)
        self._sessions = threading.BoundedSemaphore(MAX_SESSIONS)

    def close(self) -> None:
        """Let the connection go; the next command opens a new one."""
        self._link.close()

    @contextmanager
    def forward(self, port: int) -> Iterator[int]:
        """A free local port that leads to `port` on the host's loopback; connects first, so that it fails here."""
        timeout = self._reach.connect_timeout

        def open_channel() -> Channel:
            there = ("127.0.0.1", port)
            return self._link.channel(
                lambda t: t.open_channel("direct-tcpip", there, ("127.0.0.1", 0), None, None, timeout)
            )

        self._link.open()
        with forwarding(open_channel) as local:
            yield local

    def _exchange(self, line: str, stdin: bytes, streams: Streams, clock: Clock) -> Stop:
        if not self._sessions.acquire(timeout=clock.left):
            raise DeadlineExceeded(
                f"{MAX_SESSIONS} commands were running on this connection all the time; this one was not started",
                where=str(self._reach),
                fix="run fewer commands at once on one host, or give them more time",
            )
        try:
            channel = self._link.channel(lambda t: t.open_session(timeout=self._reach.connect_timeout))
            clock.restart()
            try:
                return _converse(channel, line, stdin, streams, clock)
            finally:
                _close(channel)
        finally:
            self._sessions.release()


def _converse(channel: Channel, line: str, stdin: bytes, streams: Streams, clock: Clock) -> Stop:
    """Send from one thread and drain both streams from this one, so that neither can block the other."""
    channel.settimeout(_POLL_S)
    threading.Thread(target=_send, args=(channel, line, stdin), daemon=True).start()
    while True:
        over = channel.closed or channel.eof_received
        _drain(channel, streams)
        if streams.ended:
            return Stop.ENDED
        if streams.too_long:
            return Stop.FLOODED
        if over:
            return Stop.CLOSED if _alive(channel.get_transport()) else Stop.LOST
        if clock.left <= 0:
            return Stop.LATE


def _drain(channel: Channel, streams: Streams) -> None:
    """Take what is there; wait a moment for more on stdout, where the last mark comes."""
    while channel.recv_stderr_ready() and not streams.too_long:
        streams.stderr.add(channel.recv_stderr(_CHUNK))
    try:
        streams.stdout.add(channel.recv(_CHUNK))
    except TimeoutError:
        return
    while channel.recv_ready() and not streams.too_long:
        streams.stdout.add(channel.recv(_CHUNK))
    while channel.recv_stderr_ready() and not streams.too_long:
        streams.stderr.add(channel.recv_stderr(_CHUNK))


def _send(channel: Channel, line: str, stdin: bytes) -> None:
    """Start the command, write its input whole, half-close; the reader closes the channel at the deadline."""
    try:
        channel.exec_command(line)
        sent = 0
        while sent < len(stdin) and not channel.closed:
            try:
                sent += channel.send(stdin[sent : sent + _CHUNK])
            except TimeoutError:
                continue
        channel.shutdown_write()
    except (SSHException, EOFError, OSError):
        _close(channel)  # the reader says what that means


def _close(channel: Channel) -> None:
    """Saying goodbye fails where the connection is already gone."""
    with suppress(SSHException, EOFError, OSError):
        channel.close()


def _alive(transport: Transport) -> bool:
    """Whether the connection outlived the channel; a dying one needs a moment to say so."""
    transport.join(0.2)
    return bool(transport.is_active())
