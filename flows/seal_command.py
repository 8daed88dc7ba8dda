"""`beachhead seal`: one signed file of one run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assumptions._files import write_bytes
from assumptions._seal import sealed
from flows.find_run import run_folder
from inventories.errors import BadInput

DEFAULT_KEY = Path("~/.ssh/id_ed25519")


@click.command()
@click.argument("run")
@click.option("--key", metavar="FILE", help="SSH key to sign with; a .pub file asks the agent. Else ~/.ssh/id_ed25519.")
@click.option("--out", metavar="FILE", help="Where the seal goes; else RUN.seal.zip in the working folder.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def seal(run: str, key: str | None, out: str | None, as_json: bool) -> None:
    """Make one signed file of a run: evidence, raw outputs, inventory, catalog, and an in-toto statement.

    RUN is a run's id or folder, or an inventory's name for its newest run.

    \b
    Example: beachhead seal a100x4 --key ~/.ssh/id_ed25519
    """
    folder = run_folder(run)
    file = Path(out).expanduser() if out else Path(f"{folder.name}.seal.zip")
    data = sealed(folder, _key(key))
    try:
        write_bytes(file, data)
    except OSError as error:
        what = f"the seal can't be written: {error.strerror or error}"
        raise BadInput(what, where=str(file), fix="name another place: --out FILE") from None
    told = {"seal": str(file.absolute()), "run": str(folder), "bytes": len(data)}
    click.echo(json.dumps(told) if as_json else f"sealed {folder.name}: {file} ({len(data):,} bytes)")


def _key(named: str | None) -> Path:
    file = Path(named or DEFAULT_KEY).expanduser()
    if file.is_file():
        return file
    raise BadInput(
        "there is no key to sign with",
        where=str(file),
        fix="name one with --key FILE, or make one: ssh-keygen -t ed25519",
    )
