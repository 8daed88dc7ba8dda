"""`beachhead export`: a run in the words of other tools."""

from __future__ import annotations

from pathlib import Path

import click

from assumptions._exports.base import exported, names
from assumptions._files import write_whole
from flows.find_run import run_folder
from inventories.errors import BadInput


@click.command()
@click.argument("run")
@click.option("--as", "form", required=True, metavar="FORMAT", help=f"One of: {', '.join(names())}.")
@click.option("--out", metavar="FILE", help="Where it goes; else to stdout.")
def export(run: str, form: str, out: str | None) -> None:
    """A run as JSON Lines, JUnit XML or CTRF.  A run that has not ended says so.

    \b
    Example: beachhead export rehearsal --as junit --out junit.xml
    """
    text = exported(run_folder(run), form)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        write_whole(Path(out).expanduser(), text)
    except OSError as error:
        what = f"the export can't be written: {error.strerror or error}"
        raise BadInput(what, where=out, fix="name another place: --out FILE") from None
