"""This machine as a host: the same contract as SshHost, through a child process."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from tasks.framing import KILL_AFTER_S, Clock, Stream, Streams
from tasks.shell import ShellHost, Stop

_CHUNK = 65536


class LocalHost(ShellHost):
    """The machine that Beachhead itself runs on."""

    def __init__(self, name: str = "localhost", *, sudo_password: str | None = None) -> None:
        super().__init__(name, sudo_password)

    @contextmanager
    def forward(self, port: int) -> Iterator[int]:
        """The same port: the host's loopback is ours."""
        yield port

    def close(self) -> None:
        """Nothing is held."""

    def _exchange(self, line: str, stdin: bytes, streams: Streams, clock: Clock) -> Stop:
        pipe = subprocess.PIPE
        clock.restart()  # before the child's own begins
        child = subprocess.Popen(["/bin/sh", "-c", line], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        stop = Stop.LOST
        try:
            stop = _pump(child, stdin, streams, clock)
            return stop
        finally:
            _let_go(child, stop)


def _pump(child: subprocess.Popen[bytes], stdin: bytes, streams: Streams, clock: Clock) -> Stop:
    """Write and read whatever is ready until the streams end, close, grow too long or the time is up."""
    if not (child.stdin and child.stdout and child.stderr):
        raise ValueError("the child needs three pipes")
    with selectors.DefaultSelector() as ready:
        for pipe, stream in ((child.stdout, streams.stdout), (child.stderr, streams.stderr)):
            os.set_blocking(pipe.fileno(), False)
            ready.register(pipe, selectors.EVENT_READ, stream)
        os.set_blocking(child.stdin.fileno(), False)
        ready.register(child.stdin, selectors.EVENT_WRITE)
        unsent = memoryview(stdin)
        while not streams.ended:
            if streams.too_long:
                return Stop.FLOODED
            if clock.left <= 0:
                return Stop.LATE
            for key, _ in ready.select(clock.left):
                if isinstance(key.data, Stream):
                    _read(ready, key, key.data)
                else:
                    unsent = _write(ready, child.stdin, unsent)
            if not any(isinstance(key.data, Stream) for key in ready.get_map().values()):
                return Stop.ENDED if streams.ended else Stop.CLOSED
    return Stop.ENDED


def _read(ready: selectors.BaseSelector, key: selectors.SelectorKey, stream: Stream) -> None:
    data = os.read(key.fd, _CHUNK)
    stream.add(data)
    if not data:
        ready.unregister(key.fileobj)


def _write(ready: selectors.BaseSelector, pipe: IO[bytes], unsent: memoryview) -> memoryview:
    """Send some; close the pipe when all is sent or nobody reads it."""
    try:
        unsent = unsent[os.write(pipe.fileno(), unsent[:_CHUNK]) :] if unsent else unsent
    except BlockingIOError:
        return unsent
    except BrokenPipeError:
        unsent = unsent[:0]
    if not unsent:
        ready.unregister(pipe)
        pipe.close()
    return unsent


def _let_go(child: subprocess.Popen[bytes], stop: Stop) -> None:
    """Close our ends, and unless the command ended kill its whole process group."""
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe:
            with suppress(OSError):
                pipe.close()
    if stop is not Stop.ENDED:
        with suppress(ProcessLookupError, PermissionError):  # under sudo it's root's: the host's timeout ends it
            os.killpg(child.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        child.wait(KILL_AFTER_S)
