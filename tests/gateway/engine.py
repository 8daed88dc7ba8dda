"""A FAKE engine: answers any route as vLLM's open ones do (200, no key asked) and notes every byte that reaches it.

A real engine can't show that *nothing* arrived, nor stream for as long as a test wants.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

LIMIT = 128 << 20


@dataclass
class Arrived:
    """One request as it stood on the wire."""

    line: str
    headers: list[tuple[str, str]]
    size: int

    @property
    def route(self) -> str:
        """Method and path, as in an allow list."""
        method, target, _ = self.line.split(" ", 2)
        return f"{method} {target}"


@dataclass
class Engine:
    """`pieces` chunks of a stream, `every_s` seconds apart; `name` is in each of them.

    Of every stream `allowed` pieces are sent, and the next ones once a test has raised it.
    """

    name: str = "one"
    pieces: int = 5
    every_s: float = 0.01
    allowed: float = inf
    extra_headers: str = ""
    connections: int = 0
    arrived: list[Arrived] = field(default_factory=list)
    port: int = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.split("\r\n")
        headers = [
            (name.strip().lower(), value.strip()) for name, _, value in (each.partition(":") for each in rest if each)
        ]
        found = dict(headers)
        body = await reader.readexactly(int(found.get("content-length", 0)))
        self.arrived.append(Arrived(line, headers, len(body)))
        if b'"stream": true' in body:
            await self._stream(writer)
        else:
            said = json.dumps({"engine": self.name, "bytes": len(body)}).encode()
            top = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{self.extra_headers}"
            writer.write(f"{top}Content-Length: {len(said)}\r\n\r\n".encode() + said)
            await writer.drain()
        return found.get("connection") != "close"

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(self.pieces):
            while number >= self.allowed and not writer.is_closing():
                await asyncio.sleep(0.01)
            piece = f"data: {self.name} {number}\n\n".encode()
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
            await asyncio.sleep(self.every_s)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    @contextmanager
    def running(self) -> Iterator[Engine]:
        """Serve on a free loopback port in a thread of its own while the context lasts."""
        loop, ready = asyncio.new_event_loop(), threading.Event()
        stop = asyncio.Event()

        async def main() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LIMIT, backlog=512)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()
            server.close()

        thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
