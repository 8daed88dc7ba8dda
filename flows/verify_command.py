"""`beachhead verify`: is a seal what was sealed, by whom, and does its verdict follow?"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from assumptions._report_text import clean
from assumptions._seal_check import Checked, check
from assumptions._seal_sign import signers
from inventories.errors import BadInput

SHOWN = 30  # faults in the terminal; --json has them all


@click.command()
@click.argument("file")
@click.option("--signer", metavar="KEY", help="Whose signature counts: a public key, its file, or allowed_signers.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def verify(file: str, signer: str | None, as_json: bool) -> None:
    """Check a seal: every byte, the signature, and every verdict judged again from the raw record.

    Needs no GPU, host or network.  Exit status: 0 verified, 1 not, 2 no seal, or nothing to check it with.

    \b
    Example: beachhead verify 20261122T154846Z-d6b2.seal.zip --signer keys/me.pub
    """
    try:
        data = Path(file).expanduser().read_bytes()
    except OSError as error:
        what = f"the seal can't be read: {error.strerror or error}"
        raise BadInput(what, where=file, fix="name a file that `beachhead seal` wrote") from None
    found = check(data, file, signers(signer))
    old = found.expired(datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(_told(found, old), ensure_ascii=False, indent=1))
    else:
        _print(found, old)
    sys.exit(0 if found.verified else 1)


def word(found: Checked) -> str:
    """VERIFIED, INTACT (signed by nobody whom the verifier named), or NOT VERIFIED."""
    return "VERIFIED" if found.verified else "INTACT, SIGNER NOT KNOWN" if found.intact else "NOT VERIFIED"


def _told(found: Checked, old: tuple[str, ...]) -> dict[str, Any]:
    signature, run = found.signature, found.run
    return {
        "result": word(found),
        "verified": found.verified,
        "decision": run.ending.verdict.decision if run.ending else None,
        "run": run.header.run if run.header else None,
        "inventory": run.header.inventory if run.header else None,
        "product": run.header.product if run.header else None,
        "judged_again": run.again,
        "records": len(run.records),
        "key": signature.key if signature else None,
        "signer": signature.signer if signature else None,
        "expired": list(old),
        "faults": [{"where": each.where, "what": each.what} for each in found.faults],
    }


def _print(found: Checked, old: tuple[str, ...]) -> None:
    header, ending, signature = found.run.header, found.run.ending, found.signature
    click.secho(word(found), fg="green" if found.verified else "yellow" if found.intact else "red", bold=True)
    for fault in found.faults[:SHOWN]:
        click.echo(clean(f"  {fault.where}: {fault.what}"))
    if len(found.faults) > SHOWN:
        click.echo(f"  and {len(found.faults) - SHOWN} more: --json has them all")
    if signature is not None and signature.holds:
        click.echo(clean(f"signed with {signature.key}" + (f" by {signature.signer}" if signature.signer else "")))
        if not signature.signer:
            click.echo(f"{signature.why}: get it from the signer and give it with --signer")
    if not found.intact or header is None or ending is None:
        return
    click.echo(clean(f"{ending.verdict.decision}  {ending.verdict.because}"))
    click.echo(clean(f"{header.inventory}, run {header.run}, ended {ending.ended_at:%Y-%m-%d}, {header.product}"))
    held = sum(record.observation is None for record in found.run.records)
    rest = f"; {held} could not be looked at, and are UNKNOWN" if held else ""
    click.echo(f"{found.run.again} of {len(found.run.records)} judgements made again, and the verdict from them{rest}")
    for line in ending.verdict.waived:
        click.secho(clean(f"WAIVED {line}"), fg="red")
    if old:
        click.secho(f"no longer fresh: {', '.join(old)}", fg="red")
