"""A Prefect server of our own on loopback, for those who have none."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

from inventories.errors import Problem
from rehearsal.processes import Started, holder, read_pid_file, start_time

START_S = 120.0  # its first start makes a database


class ServerProblem(Problem):
    """The Prefect server can't be had."""


def answers(port: int) -> bool:
    """Whether a Prefect API answers on that port of loopback."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    return False


def start(folder: Path, port: int) -> str:
    """Start it unless it answers already; gives its API address.  Database and log lie in `folder`."""
    api = f"http://127.0.0.1:{port}/api"
    if answers(port):
        return api
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=os.environ | {"PREFECT_HOME": str(folder), "PREFECT_API_URL": api, "PREFECT_UI_API_URL": api},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    Started(child.pid, start_time(child.pid) or "ended").write(folder / "server.pid")
    began = time.monotonic()
    while not answers(port):
        if child.poll() is not None or time.monotonic() - began > START_S:
            how = "ended at once" if child.poll() is not None else "does not answer"
            raise ServerProblem(
                f"the Prefect server on port {port} {how}",
                where=str(log),
                fix=f"read its log; port {port} is held by {holder(port)}",
            )
        time.sleep(0.3)
    return api


def stop(folder: Path) -> str:
    """Stop the server that was started with this folder; a line that says so, or nothing."""
    file = folder / "server.pid"
    said = ""
    for process in read_pid_file(file) if file.exists() else ():
        if process.alive:
            process.stop()
            said = f"Prefect server stopped (pid {process.pid})"
    file.unlink(missing_ok=True)
    return said
