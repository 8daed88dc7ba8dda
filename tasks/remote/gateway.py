"""Runs on the host: the only door to the engine.  Deny by default; what is listed is passed on, unbuffered.

Arguments: listen address, listen port, slots file.  The slots file is read for every request, so promotion and
rollback are one rename.  The engine behind it asks for the API key; routes that it leaves open are not listed here.
"""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
from aiohttp import web

ALLOWED = {
    ("GET", "/health"),
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length"}
SLOTS = Path(sys.argv[3])


def upstream() -> str | None:
    """Address of what is live, None when nothing is."""
    try:
        live = json.loads(SLOTS.read_text())["live"]
    except (OSError, ValueError, KeyError):
        return None
    return f"http://127.0.0.1:{live['port']}" if live else None


def refusal(status: int, message: str) -> web.Response:
    """An error in the shape that OpenAI's clients read."""
    return web.json_response({"error": {"message": message, "type": "gateway", "code": status}}, status=status)


async def handle(request: web.Request) -> web.StreamResponse:
    """Pass one request on."""
    if (request.method, request.path) not in ALLOWED:
        return refusal(404, "this route is not open here")
    address = upstream()
    if address is None:
        return refusal(503, "nothing is live")
    headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
    out = None
    try:
        async with request.app["session"].request(
            request.method, address + request.path, headers=headers, data=await request.read(), allow_redirects=False
        ) as answer:
            out = web.StreamResponse(status=answer.status)
            out.headers.update({k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP})
            await out.prepare(request)
            async for chunk in answer.content.iter_any():
                await out.write(chunk)
            await out.write_eof()
            return out
    except aiohttp.ClientError:
        if out is not None:
            raise  # the answer has begun: the client sees it break off
        return refusal(502, "the live engine does not answer")


async def main() -> None:
    """Serve until told to stop."""
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", handle)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    app["session"] = aiohttp.ClientSession(
        timeout=timeout, auto_decompress=False, connector=aiohttp.TCPConnector(limit=0), read_bufsize=4 << 20
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, sys.argv[1], int(sys.argv[2])).start()
    await asyncio.Event().wait()


asyncio.run(main())
