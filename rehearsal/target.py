"""The SSH server that stands for the host: real protocol, real keys, real processes of the current user.

Only `exec` requests and forwarding to 127.0.0.1 are served: no terminal, no SFTP, no passwords.
When the client vanishes, the running command's process group gets SIGHUP; what called setsid lives on.
Run it with `python -m rehearsal.target --port 22022 --user rehearsal --folder .rehearsal/ssh`.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import signal
from pathlib import Path

import asyncssh

from rehearsal.command import Command
from rehearsal.keys import AUTHORIZED_KEYS, HOST_KEY, ensure_key

Process = asyncssh.SSHServerProcess[bytes]

CHUNK = 64 * 1024


class Door(asyncssh.SSHServer):
    """Who may come in, and where they may be forwarded to."""

    def __init__(self, user: str, authorized_keys: Path, inside: set[asyncssh.SSHServerConnection]) -> None:
        self._user, self._authorized_keys, self._inside = user, authorized_keys, inside

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember the connection, so that it can be closed when the server goes down."""
        self._conn = conn
        self._inside.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._inside.discard(self._conn)

    def public_key_auth_supported(self) -> bool:
        """Keys are the only way in."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether `key` stands in the authorized_keys file, which is read anew for every login."""
        known = asyncssh.read_public_key_list(self._authorized_keys)
        return username == self._user and any(hmac.compare_digest(k.public_data, key.public_data) for k in known)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        """Forward to the host's own loopback alone."""
        if dest_host == "127.0.0.1":
            return True
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, f"no forwarding to {dest_host}")


async def _feed(process: Process, command: Command) -> None:
    """Client's stdin to the command's, and the signals that the client asks for."""
    while True:
        try:
            data = await process.stdin.read(CHUNK)
            if not data:
                break
            command.stdin.write(data)
            await command.stdin.drain()
        except asyncssh.SignalReceived as asked:
            command.tell(getattr(signal, f"SIG{asked.signal}", signal.SIGTERM))
        except (asyncssh.BreakReceived, asyncssh.TerminalSizeChanged):
            continue
        except (OSError, asyncssh.Error):
            break
    command.stdin.close()


async def _drain(source: asyncio.StreamReader, sink: asyncssh.SSHWriter[bytes]) -> None:
    while data := await source.read(CHUNK):
        sink.write(data)
        await sink.drain()


async def _finish(process: Process, command: Command) -> int:
    """Wait for the command's end and its last output: what holds a pipe open holds the channel open."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_drain(command.stdout, process.stdout))
        group.create_task(_drain(command.stderr, process.stderr))
    return await command.wait()


async def _serve(process: Process) -> None:
    """Run one command and report how it ended; when the client is gone first, hang up on it."""
    if process.command is None or process.subsystem is not None:
        process.stderr.write(b"this host runs commands only\n")
        process.exit(1)
        return
    command = Command(process.command)
    await command.connect()
    feed = asyncio.create_task(_feed(process, command))
    gone = asyncio.create_task(process.wait_closed())
    finish = asyncio.create_task(_finish(process, command))
    try:
        await asyncio.wait({finish, gone}, return_when=asyncio.FIRST_COMPLETED)
        if finish.done() and finish.exception() is None:
            _report(process, finish.result())
    finally:
        command.tell(signal.SIGHUP)
        command.release()
        for task in (feed, gone, finish):
            task.cancel()
        await asyncio.gather(feed, gone, finish, return_exceptions=True)


def _report(process: Process, code: int) -> None:
    if code < 0:
        process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
    else:
        process.exit(code)


async def serve(port: int, user: str, folder: Path) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; keys lie in `folder`."""
    inside: set[asyncssh.SSHServerConnection] = set()
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=lambda: Door(user, folder / AUTHORIZED_KEYS, inside),
        server_host_keys=[ensure_key(folder / HOST_KEY)],
        process_factory=_serve,
        encoding=None,
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        allow_pty=False,
        allow_scp=False,
        agent_forwarding=False,
        x11_forwarding=False,
    )
    print(f"ready: ssh {user}@127.0.0.1:{acceptor.get_port()}", flush=True)
    await stop.wait()
    acceptor.close()
    for connection in tuple(inside):
        connection.close()
    await asyncio.sleep(0.2)  # long enough for every session to hang up on its command


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="rehearsal.target", description=__doc__)
    parser.add_argument("--port", type=int, default=22022)
    parser.add_argument("--user", default="rehearsal")
    parser.add_argument("--folder", type=Path, default=Path(".rehearsal/ssh"))
    asked = parser.parse_args()
    asyncio.run(serve(asked.port, asked.user, asked.folder.resolve()))


if __name__ == "__main__":
    main()
