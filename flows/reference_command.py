"""The face of `beachhead reference`."""

from __future__ import annotations

import json

import click

from assumptions._quality_reference import KINDS


@click.group("reference")
def reference() -> None:
    """What another engine says of the same text: `int4-lossless` compares with it."""


@reference.command("record")
@click.argument("inventory")
@click.option("--endpoint", required=True, metavar="URL", help="The reference engine: http(s)://HOST[:PORT]/v1.")
@click.option("--key-env", metavar="NAME", help="Environment variable that holds its API key.")
@click.option("--repeat", default=3, show_default=True, type=click.IntRange(1, 100), help="The spread is the floor.")
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default="other",
    show_default=True,
    help="; ".join(f"{name}: {said}" for name, said in KINDS.items()) + ".",
)
@click.option("--model", metavar="NAME", help="Its model's name, where it serves several.")
@click.option("--ca", metavar="FILE", help="Certificate that an https endpoint is trusted by.")
@click.option("--out", metavar="FILE", help="Else the inventory's quality.reference, or references/<model>.json.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def record(
    inventory: str,
    endpoint: str,
    key_env: str | None,
    repeat: int,
    kind: str,
    model: str | None,
    ca: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Score the product's passages there, several times, and keep every token's log-probabilities in one file.

    The key is read from the environment and written down nowhere. Exit status: 0 written, 2 a fault or bad input.

    \b
    Example: beachhead reference record h200x8 --endpoint http://10.0.0.7:8000/v1 --key-env REFERENCE_KEY --kind bf16
    """
    from flows.reference import Asked, record

    asked = Asked(endpoint, key_env, repeat, kind, model, ca, out)
    path, found = record(inventory, asked, lambda said: click.echo(said, err=True))
    tokens = sum(len(runs[0]) for runs in found.runs.values())
    if as_json:
        told = {"file": str(path), "passages": len(found.runs), "tokens": tokens, "repeats": found.about.repeats}
        click.echo(json.dumps({**told, "model": found.about.endpoint_model, "engine": found.about.engine}))
    else:
        click.echo(f"{path}: {len(found.runs)} passages, {tokens} tokens, {found.about.repeats} times")
