"""One SSH connection to one host, shared by threads: opened on first use, and once more when it died."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from paramiko import Channel, ChannelException, SSHException, Transport

from tasks.hosts import HostError
from tasks.ssh_connect import Reach, connect, disconnect, unreachable

NOTHING_LISTENS = 2  # SSH_OPEN_CONNECT_FAILED, RFC 4254 §5.1


class Link:
    """The connection, shared by threads: each opens its own channel."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._lock = threading.Lock()
        self._live: Any = None  # fabric.Connection
        self._retired: list[Any] = []

    def channel(self, open_: Callable[[Transport], Channel]) -> Channel:
        """A new channel; where the connection died since the last one, connect once more."""
        try:
            return self._try(open_)
        except (SSHException, EOFError, OSError):
            pass
        try:
            return self._try(open_)
        except (SSHException, EOFError, OSError) as gone:
            raise unreachable(self._reach, f"connected, but no channel could be opened: {gone}") from None

    def open(self) -> Any:
        """The live fabric.Connection; connects where there is none."""
        with self._lock:
            if self._live is not None and not self._live.is_connected:
                disconnect(self._live)
                self._live = None
            if self._live is None:
                self._live = connect(self._reach)
            return self._live

    def close(self) -> None:
        """Let every connection go, jump hosts too."""
        with self._lock:
            for connection in [*self._retired, self._live]:
                disconnect(connection)
            self._retired, self._live = [], None

    def _try(self, open_: Callable[[Transport], Channel]) -> Channel:
        connection = self.open()
        try:
            return open_(connection.transport)
        except ChannelException as refused:
            raise HostError(
                f"the host refused another channel: {refused.text}",
                where=str(self._reach),
                fix="see that the server behind the forwarded port runs"
                if refused.code == NOTHING_LISTENS
                else "raise MaxSessions and allow AllowTcpForwarding in the host's sshd_config",
            ) from None
        except (SSHException, EOFError, OSError):
            self._leave(connection)
            raise

    def _leave(self, connection: Any) -> None:
        with self._lock:
            if self._live is connection:
                self._live = None
                self._retired.append(connection)  # closed later: another thread's command may yet end on it
