"""One command of an SSH session: a real process in a session of its own, with its three pipes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

PASSED_ON = ("PIP_", "UV_", "SSL_CERT_", "BEACHHEAD_")


def clean_environment() -> dict[str, str]:
    """What a command sees: a login's bare minimum, and the settings that reach package indexes and the hub.

    PATH is the server's own, less the virtual environment that it runs from.
    """
    account = pwd.getpwuid(os.getuid())
    own = str(Path(sys.prefix) / "bin")
    path = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry and entry != own]
    bare = {
        "HOME": os.environ.get("HOME", account.pw_dir),
        "PATH": os.pathsep.join(path),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "USER": account.pw_name,
    }
    kept = {k: v for k, v in os.environ.items() if k.startswith(PASSED_ON) or k == "REQUESTS_CA_BUNDLE"}
    return bare | kept


class Command:
    """A running `/bin/bash -c line`.  asyncio's own subprocess kills what it lets go of; this one does not."""

    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader

    def __init__(self, line: str) -> None:
        environment = clean_environment()
        self._child = subprocess.Popen(
            ["/bin/bash", "-c", line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=environment["HOME"],
            start_new_session=True,
        )
        self._loop = asyncio.get_running_loop()
        self._exit: asyncio.Future[int] = self._loop.create_future()
        self._transports: list[asyncio.BaseTransport] = []
        threading.Thread(target=self._reap, daemon=True).start()

    def _reap(self) -> None:
        code = self._child.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server is going down
            self._loop.call_soon_threadsafe(self._exit.set_result, code)

    async def connect(self) -> None:
        """Open the three streams."""
        self.stdout, self.stderr = await self._reader(self._child.stdout), await self._reader(self._child.stderr)
        transport, protocol = await self._loop.connect_write_pipe(asyncio.streams.FlowControlMixin, self._child.stdin)
        self._transports.append(transport)
        self.stdin = asyncio.StreamWriter(transport, protocol, None, self._loop)

    async def _reader(self, pipe: IO[bytes] | None) -> asyncio.StreamReader:
        reader = asyncio.StreamReader()
        transport, _ = await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        self._transports.append(transport)
        return reader

    async def wait(self) -> int:
        """Exit status, or minus the number of the signal that ended it."""
        return await asyncio.shield(self._exit)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to the command's process group while the command runs."""
        if not self._exit.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)

    def release(self) -> None:
        """Close the pipes, as sshd does at a session's end; running processes are left to notice."""
        for transport in self._transports:
            transport.close()
