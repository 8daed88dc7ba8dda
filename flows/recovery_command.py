"""The face of `beachhead recovery-drill`."""

from __future__ import annotations

import json
import sys

import click

from flows import command_output as out
from inventories.errors import Problem


@click.command("recovery-drill")
@click.argument("inventory")
@click.option("--drill", "drills", multiple=True, metavar="NAME[,NAME]", help="Which fault to play; none without.")
@click.option("--yes-this-stops-service", "agreed", is_flag=True, help="Whoever is served now may not be for a while.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def recovery_drill(inventory: str, drills: tuple[str, ...], agreed: bool, as_json: bool) -> None:
    """Play a fault on the serving host, and time how long nobody is served: it stops the service.

    Drills: kill, freeze, reboot, disk_full, network_cut, bad_release.  Only what the inventory's `recovery.drills`
    allows.  Each has an undo that lies on the host before anything is hurt.  Exit status: 0 every drill went as its
    objective says, 1 one did not or shows nothing, 2 a fault or bad input.

    \b
    Examples:
      beachhead recovery-drill our-cluster --drill kill                        says what it would do
      beachhead recovery-drill our-cluster --drill kill,freeze --yes-this-stops-service
    """
    from assumptions._core import Outcome
    from assumptions._plain import plain
    from flows.recovery import named, play

    out.narrate()
    done = play(inventory, named(drills), agreed=agreed)
    report = str(done.run.folder / "report.html")
    if as_json:
        said = {"drills": plain(done.drills), "parts": plain(done.parts), "report": report}
        click.echo(json.dumps(done.run.site.redactor.tree(said), ensure_ascii=False, indent=1))
    else:
        for part in done.parts:
            click.echo(f"{part.outcome!s:14} {part.name}: {part.because}")
        click.echo(f"report: {report}")
    if isinstance(done.run.problem, Problem):
        out.problem(done.run.problem)
        sys.exit(2)
    good = (Outcome.PASS, Outcome.NOT_APPLICABLE)
    sys.exit(0 if done.parts and all(part.outcome in good for part in done.parts) else 1)
