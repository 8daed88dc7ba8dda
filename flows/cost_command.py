"""The face of `beachhead cost`."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inventories.errors import BadInput

if TYPE_CHECKING:
    from flows.cost import CostSheet
    from flows.cost_load import Asked

AMOUNT = click.FloatRange(min=0, min_open=True)


@click.command("cost")
@click.argument("inventory")
@click.option("--usd-per-month", type=AMOUNT, help="Today's API bill, instead of the declared load.")
@click.option("--tokens-per-month", type=AMOUNT, help="All tokens of a month, split by the declared mix.")
@click.option("--tokens-per-second", metavar="IN,CACHED,OUT", help="What you measured on the machine at the SLO.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Also write the monthly cash flow there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
def cost(
    inventory: str,
    usd_per_month: float | None,
    tokens_per_month: float | None,
    tokens_per_second: str | None,
    csv_file: Path | None,
    as_json: bool,
) -> None:
    """Is it worth the money?  API, rent and own over the horizon; no host is contacted.

    No break-even is given before the model fits and a throughput was measured.  Exit status: 0 computed, 2 bad input.

    \b
    Examples:
      beachhead cost a100x8
      beachhead cost h200x8 --usd-per-month 20000 --tokens-per-second 8000,,700
    """
    from flows.cost import sheet
    from flows.cost_view import draw
    from flows.run import evidence_root
    from inventories.load import load

    declared = load(inventory)
    found = sheet(declared, _asked(usd_per_month, tokens_per_month, tokens_per_second))
    if csv_file is not None:
        _write(found, csv_file)
    pictures = draw(found, evidence_root() / declared.name / "cost")
    if as_json:
        told = found.to_json() | {"pictures": [str(path) for path in pictures]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    from flows.cost_print import show

    show(found)
    for path in pictures:
        click.echo(f"picture: {path}")


def _asked(usd: float | None, tokens: float | None, rates: str | None) -> Asked:
    from flows.cost_capacity import Rates
    from flows.cost_load import Asked

    if usd is not None and tokens is not None:
        both = "--usd-per-month and --tokens-per-month exclude each other"
        raise BadInput(both, where="beachhead cost", fix="give one")
    return Asked(usd, tokens, None if rates is None else Rates.read(rates))


def _write(found: CostSheet, file: Path) -> None:
    rows = found.rows()
    try:
        with file.open("w", newline="", encoding="utf-8") as lines:
            table = csv.DictWriter(lines, fieldnames=list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    except OSError as error:
        raise BadInput(f"can't write it: {error.strerror}", where=str(file), fix="name a file in a folder") from None
