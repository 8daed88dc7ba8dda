"""`make rehearse`: puts the scenery up, runs `provision rehearsal` on it, and says what that shows."""

from __future__ import annotations

import os
from pathlib import Path

import click

from flows import command_output as out
from flows import environment, server
from rehearsal.scenery import Scenery

PREFECT_PORT = 22042
NAME = "rehearsal"


def folder() -> Path:
    """All that a rehearsal leaves, but for its evidence."""
    return Path(__file__).parents[1] / ".rehearsal"


def settings() -> None:
    """The environment of a rehearsal: its own keys, its own Prefect server, the wheels that pip knows of."""
    environment.prepare()
    environment.for_the_engine()
    os.environ["BEACHHEAD_HOME"] = str(folder() / "home")
    os.environ["PREFECT_HOME"] = str(folder() / "prefect")


def rehearse(context: int | None, *, scenery_only: bool, down: bool, as_json: bool) -> int:
    """Exit status of the provision run; 0 after --scenery and --down."""
    scene = Scenery(folder())
    if down:
        for line in (*scene.down(), server.stop(folder() / "prefect")):
            if line:
                click.echo(line)
        return 0
    settings()
    for line in scene.up():
        click.echo(line, err=True)
    click.echo("Prefect server: starting or already up", err=True)
    os.environ["PREFECT_API_URL"] = api = server.start(folder() / "prefect", PREFECT_PORT)
    click.echo(f"Prefect server answers: {api.removesuffix('/api')}", err=True)
    if scenery_only:
        return 0
    from flows.in_process import run_flow

    status = out.ended(run_flow("provision", inventory=NAME, yes=True, context=context), as_json=as_json)
    if not as_json:
        click.echo(f"run history: {api.removesuffix('/api')}/runs   serving at: https://127.0.0.1:22100/v1")
        kept = folder() / "home" / NAME
        click.echo(f"for its clients: the key in {kept / 'api_key'}, the CA's certificate in {kept / 'ca' / 'ca.pem'}")
        click.echo("This was a rehearsal: the report's first page says what it proves and what it does not.")
    return status
