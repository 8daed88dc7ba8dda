"""A Hugging Face hub on loopback: the part of the protocol that huggingface_hub downloads and verifies with.

No Xet: files come as plain HTTP bodies with Range, which every client of the protocol understands.
Run it with `python -m rehearsal.hub --port 22080`.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from inventories.errors import BadInput, Problem
from rehearsal.checkpoint import Checkpoint, checkpoints
from rehearsal.faults import Faults, stalling
from rehearsal.ranges import Unsatisfiable, byte_range
from rehearsal.repository import File, Repository

__all__ = ["Faults", "make_app", "running"]
TRUE = ("true", "1")


class Refused(Exception):
    """A request that the hub turns down, with the headers huggingface_hub tells errors apart by."""

    def __init__(self, status: int, message: str, code: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {}) | headers


class Hub:
    """The repositories, who may read them, and what goes wrong."""

    def __init__(self, kept: Iterable[Checkpoint], token: str | None, faults: Faults) -> None:
        self.repositories = {checkpoint.repo: Repository.of(checkpoint) for checkpoint in kept}
        self.token, self.faults = token, faults
        self._requests = 0

    async def admit(self, request: Request) -> None:
        """Count the request, and refuse it when it comes too early or without the token."""
        self._requests += 1
        if self._requests <= self.faults.rate_limit_first_n:
            raise Refused(429, "Too many requests", **{"Retry-After": "1"})
        if self.token is None:
            return
        given = request.headers.get("Authorization")
        if given is None:
            raise Refused(401, "Access to this model is restricted. Please log in.", "GatedRepo")
        if given != f"Bearer {self.token}":
            raise Refused(401, "Invalid credentials in Authorization header")

    def repository(self, owner: str, name: str, revision: str = "main") -> Repository:
        """The repository at one revision, or the hub's 404."""
        found = self.repositories.get(f"{owner}/{name}")
        if found is None:
            raise Refused(404, "Repository not found", "RepoNotFound")
        if not found.has(revision):
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found

    def model(self, request: Request, owner: str, name: str, revision: str = "main") -> dict[str, Any]:
        """GET /api/models/{repo} and …/revision/{rev}."""
        blobs = request.query_params.get("blobs", "").lower() in TRUE
        return self.repository(owner, name, revision).description(blobs=blobs, gated=self.token is not None)

    def tree(self, request: Request, owner: str, name: str, rest: str) -> list[dict[str, Any]]:
        """GET /api/models/{repo}/tree/{rev}[/{folder}]."""
        revision, _, folder = rest.partition("/")
        recursive, expand = (request.query_params.get(key, "").lower() in TRUE for key in ("recursive", "expand"))
        listed = self.repository(owner, name, revision).tree(folder=folder, recursive=recursive, expand=expand)
        if folder and not listed:
            raise Refused(404, f"{folder} does not exist on {revision}", "EntryNotFound")
        return listed

    async def paths_info(self, request: Request, owner: str, name: str, revision: str) -> list[dict[str, Any]]:
        """POST /api/models/{repo}/paths-info/{rev}: the named files, unknown ones left out as on the real hub."""
        form = parse_qs((await request.body()).decode())
        expand = form.get("expand", [""])[0].lower() in TRUE
        found = self.repository(owner, name, revision)
        wanted = (found.files.get(path) for path in form.get("paths", []))
        return [file.entry(commit=found.commit, expand=expand) for file in wanted if file]

    async def resolve(self, request: Request, owner: str, name: str, rest: str) -> Response:
        """HEAD and GET /{repo}/resolve/{rev}/{path}."""
        revision, _, path = rest.partition("/")
        found = self.repository(owner, name, revision)
        file = found.files.get(path)
        if file is None or path in self.faults.withhold:
            raise Refused(404, "Entry not found", "EntryNotFound", **{"X-Repo-Commit": found.commit})
        headers = {"ETag": file.etag, "X-Repo-Commit": found.commit, "Accept-Ranges": "bytes"}
        if file.sha256:
            headers |= {"X-Linked-Etag": file.etag, "X-Linked-Size": str(len(file.body))}
        if request.method == "HEAD":
            headers["Content-Length"] = str(len(file.body))
            return Response(headers=headers, media_type="application/octet-stream")
        return self._body(request, file, headers)

    def _body(self, request: Request, file: File, headers: dict[str, str]) -> Response:
        body, status = self.faults.spoil(file), 200
        try:
            span = byte_range(request.headers.get("Range"), len(body))
        except Unsatisfiable:
            raise Refused(416, "Range not satisfiable", **{"Content-Range": f"bytes */{len(body)}"}) from None
        if span:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{len(body)}"
            body, status = body[span.start : span.stop], 206
        if file.path not in self.faults.stall:
            return Response(body, status, headers, media_type="application/octet-stream")
        headers["Content-Length"] = str(len(body))
        return StreamingResponse(stalling(request, body), status, headers, media_type="application/octet-stream")


def make_app(kept: Iterable[Checkpoint], *, token: str | None = None, faults: Faults | None = None) -> FastAPI:
    """The hub as an ASGI application; with `token`, every repository is gated and wants `Bearer <token>`."""
    hub = Hub(kept, token, faults or Faults())
    app = FastAPI(title="rehearsal hub", openapi_url=None, dependencies=[Depends(hub.admit)])

    @app.exception_handler(Refused)
    async def _refuse(_: Request, refused: Refused) -> JSONResponse:
        return JSONResponse({"error": refused.message}, refused.status, refused.headers)

    model = "/api/models/{owner}/{name}"
    app.get(model + "/revision/{revision:path}")(hub.model)
    app.get(model + "/tree/{rest:path}")(hub.tree)
    app.post(model + "/paths-info/{revision:path}")(hub.paths_info)
    app.get(model)(hub.model)
    app.api_route("/{owner}/{name}/resolve/{rest:path}", methods=["GET", "HEAD"])(hub.resolve)
    return app


def _server(app: FastAPI) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(app, log_level="info", timeout_graceful_shutdown=1))


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        raise Problem(
            f"can't listen: {error}", where=f"127.0.0.1:{port}", fix="free the port or take another"
        ) from None


@contextmanager
def running(app: FastAPI, *, port: int = 0) -> Iterator[str]:
    """Serve `app` from a thread on loopback while the context lasts; gives the endpoint's address."""
    listener, server = _listen(port), _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise Problem("the hub did not start in 10 s", where="127.0.0.1", fix="read the log above")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def main() -> None:
    """Serve the rehearsal's checkpoints until told to stop."""
    parser = argparse.ArgumentParser(prog="rehearsal.hub", description=__doc__)
    parser.add_argument("--port", type=int, default=22080)
    parser.add_argument(
        "--token-env", metavar="NAME", help="environment variable with the token that clients must send"
    )
    asked = parser.parse_args()
    token = os.environ.get(asked.token_env) if asked.token_env else None
    if asked.token_env and not token:
        raise BadInput(
            f"{asked.token_env} is not set", where="--token-env", fix=f"export {asked.token_env}, or leave it out"
        )
    app, listener = make_app(checkpoints(), token=token), _listen(asked.port)
    print(f"ready: hub on http://127.0.0.1:{asked.port}", flush=True)
    _server(app).run(sockets=[listener])


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
