"""A local port whose connections go through an SSH connection to the host's own loopback."""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from paramiko import Channel, SSHException

from tasks.hosts import HostError

log = logging.getLogger(__name__)
_CHUNK = 65536
_POLL_S = 0.05
_BROKEN = (OSError, EOFError, SSHException)  # what either end raises once it is gone


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, open_channel: Callable[[], Channel]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.open_channel = open_channel
        self._live: set[Any] = set()
        self._lock = threading.Lock()
        self._over = False

    def hold(self, *ends: socket.socket | Channel) -> None:
        """Keep both ends, so that they close with the context at the latest."""
        with self._lock:
            self._live.update(ends)
            over = self._over
        if over:
            _close(*ends)

    def drop(self, *ends: socket.socket | Channel) -> None:
        with self._lock:
            self._live.difference_update(ends)
        _close(*ends)

    def close_all(self) -> None:
        with self._lock:
            self._over, ends = True, list(self._live)
        _close(*ends)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        local: socket.socket = self.request
        self.server.hold(local)
        try:
            channel = self.server.open_channel()
        except HostError as refused:
            log.warning("a forwarded connection was refused: %s", refused.what)
            self.server.drop(local)
            return
        self.server.hold(channel)
        channel.settimeout(None)
        up = threading.Thread(target=_carry, args=(local, channel), daemon=True)
        up.start()
        _carry(channel, local)
        up.join()
        self.server.drop(local, channel)


def _carry(source: socket.socket | Channel, sink: socket.socket | Channel) -> None:
    """Copy until the source ends, then end the sink's input; a broken end breaks both."""
    try:
        while data := source.recv(_CHUNK):
            sink.sendall(data)
        with suppress(*_BROKEN):
            sink.shutdown(socket.SHUT_WR)
    except _BROKEN:
        _close(source, sink)


def _close(*ends: socket.socket | Channel) -> None:
    for end in ends:
        with suppress(*_BROKEN):
            end.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits in recv
        with suppress(*_BROKEN):
            end.close()


@contextmanager
def forwarding(open_channel: Callable[[], Channel]) -> Iterator[int]:
    """Listen on a free loopback port; each connection gets a channel of its own, and all end with the context."""
    with _Server(open_channel) as server:
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            server.close_all()
            thread.join()
