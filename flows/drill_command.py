"""`beachhead drill`: proof that a check can fail."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from inventories.errors import BadInput

if TYPE_CHECKING:
    from flows.drill_pairs import Ground
    from inventories.schema import Inventory

LIARS = "tests.liars.grounds"
WAIT_S = 900.0  # for another run of the inventory to end


@click.command()
@click.argument("inventory")
@click.option("--only", multiple=True, metavar="CLAIM", help="Drill this claim alone; may be given more than once.")
@click.option("--fault", multiple=True, metavar="NAME", help="Play this fault alone; may be given more than once.")
@click.option("--healthy", type=click.IntRange(1, 1000), metavar="N", help="Healthy rounds [20; with --quick 1].")
@click.option("--quick", is_flag=True, help="Only recorded and scripted faults: no host and no server is asked.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; progress stays on stderr.")
def drill(
    inventory: str, only: tuple[str, ...], fault: tuple[str, ...], healthy: int | None, quick: bool, as_json: bool
) -> None:
    """Play each claim against liars, and against what is served as it is: does it fail when it should, and only then?

    Exit status: 0 at least 95 % of the faults seen and no false alarm, 1 less, 2 a fault or bad input.

    \b
    Examples:
      beachhead drill rehearsal
      beachhead drill rehearsal --quick
      beachhead drill rehearsal --only thinking-budget --fault budget-ignored --healthy 2
    """
    from flows.command_output import narrate
    from flows.drill import Chosen, Results, play
    from flows.drill_record import keep, told
    from flows.drill_score import score
    from flows.run import evidence_root, new_run_id
    from flows.selection import known
    from inventories.load import load
    from tasks.narration import say

    known(only)
    declared, liars, run_id = load(inventory), _liars(), new_run_id()
    folder = evidence_root() / declared.name / run_id
    narrate()
    every: list[Ground] = liars.grounds(declared, folder, _held(declared, run_id))
    chosen = Chosen(only, fault, healthy or (1 if quick else 20))
    grounds = [ground for ground in every if not (quick and ground.served)]
    results = Results()
    try:
        if any(ground.served and chosen.pairs(ground) for ground in grounds):
            liars.ready(declared, folder)
        play(grounds, every, chosen, say, results)
    except KeyboardInterrupt:
        keep(results, told(results, declared.name, run_id), folder)
        raise
    finally:
        for ground in every:
            ground.close()
    drilled = told(results, declared.name, run_id)
    newest = keep(results, drilled, folder)
    if as_json:
        click.echo(json.dumps(drilled, ensure_ascii=False, indent=1, default=str))
    else:
        from flows.drill_print import lines

        click.echo("\n".join([*lines(drilled), f"evidence  {folder / newest.name}", f"figures   {newest}"]))
    sys.exit(0 if score(results.played, results.calm).good else 1)


def _liars() -> ModuleType:
    """The liars, which live with the tests (docs/decisions/0021-liars-live-with-the-tests.md)."""
    root = Path(__file__).parents[1]
    if not (root / "tests" / "liars" / "grounds.py").is_file():
        raise BadInput(
            "the liars are not installed: they live with the tests, in a checkout",
            where=str(root / "tests" / "liars"),
            fix="run `beachhead drill` from a checkout of the repository (pip install -e .)",
        )
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return importlib.import_module(LIARS)


def _held(inventory: Inventory, run_id: str) -> Callable[[], Any]:
    """The inventory's lock for one judgement: others may run in between."""
    from flows.run_lock import AlreadyRunning, lock

    @contextmanager
    def hold() -> Iterator[None]:
        give_up = time.monotonic() + WAIT_S
        while True:
            try:
                handle = lock(inventory, run_id)
                break
            except AlreadyRunning:
                if time.monotonic() > give_up:
                    raise
                time.sleep(1)
        try:
            yield
        finally:
            handle.close()

    return hold
