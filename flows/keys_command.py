"""The face of `beachhead keys`."""

from __future__ import annotations

import json

import click

VERBS = click.Choice(["list", "add", "remove", "rotate"])


@click.command("keys")
@click.argument("inventory")
@click.argument("verb", type=VERBS)
@click.argument("name", required=False)
@click.option("--retire", is_flag=True, help="With rotate: the old key ends, the newest stays.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def keys(inventory: str, verb: str, name: str | None, retire: bool, as_json: bool) -> None:
    """Say who may use the gateway.  A new key is printed once, on stdout, and written down nowhere.

    Streams in flight go on.  Exit status: 0 done, 2 a fault or bad input.

    \b
    Examples:
      beachhead keys h200x8 list
      beachhead keys h200x8 add ann > ann.key
      beachhead keys h200x8 rotate ann > ann.new.key      both keys are valid now
      beachhead keys h200x8 rotate ann --retire           the old one no longer is
      beachhead keys h200x8 remove ann
    """
    from flows.keys import change, listed

    if verb == "list":
        found = listed(inventory, name)
        if as_json:
            click.echo(json.dumps({"keys": [{"name": key.name, "created": key.created} for key in found]}))
            return
        for key in found:
            click.echo(f"{key.name}  {key.created}")
        return
    done = change(inventory, verb, name, retire=retire)
    click.echo(done.said, err=True)
    if as_json:
        click.echo(json.dumps({"name": done.name, "key": done.key}))
    elif done.key:
        click.echo(done.key)
