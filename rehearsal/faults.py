"""What the loopback hub can do wrong on request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio
from fastapi import Request

from rehearsal.repository import File


@dataclass(frozen=True, slots=True)
class Faults:
    """What the hub does wrong, by file path; nothing unless a test asks.

    `corrupt` flips one byte, `truncate` keeps the first half, `stall` sends the first half and then nothing,
    `withhold` lists the file and has none; the first `rate_limit_first_n` requests get 429.
    """

    rate_limit_first_n: int = 0
    corrupt: frozenset[str] = frozenset()
    truncate: frozenset[str] = frozenset()
    stall: frozenset[str] = frozenset()
    withhold: frozenset[str] = frozenset()

    def spoil(self, file: File) -> bytes:
        """The bytes that are sent in place of the file's own."""
        body = file.body
        if file.path in self.corrupt:
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 0x01]) + body[middle + 1 :]
        return body[: len(body) // 2] if file.path in self.truncate else body


async def stalling(request: Request, body: bytes) -> AsyncIterator[bytes]:
    """The first half of `body`, then silence until the client goes."""
    yield body[: len(body) // 2]
    while not await request.is_disconnected():
        await anyio.sleep(0.2)
