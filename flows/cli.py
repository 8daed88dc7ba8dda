"""`beachhead`: the flows, from a terminal."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from flows import command_output as out
from flows.cost_command import cost
from flows.diff_command import diff_command
from flows.drill_command import drill
from flows.export_command import export
from flows.fit_command import fit
from flows.keys_command import keys
from flows.manifests_command import manifests
from flows.plan_view import view
from flows.recovery_command import recovery_drill
from flows.reference_command import reference
from flows.run import Run
from flows.seal_command import seal
from flows.verify_command import verify
from flows.watch_command import watch
from inventories.errors import BadInput, Problem

gc.set_threshold(50_000)  # most commands end at once: collecting as often as a server does took a tenth of a plan
CONTEXT = click.option("--context", type=int, metavar="TOKENS", help="Context instead of the inventory's own.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; progress stays on stderr.")
YES = click.option("--yes", is_flag=True, help="Promote without asking.")


class Terminated(KeyboardInterrupt):
    """SIGTERM, as from systemd, a CI's time limit or `kill`: what was begun on hosts is undone before we end."""


@contextmanager
def asked_to_end() -> Iterator[None]:
    """SIGTERM raises Terminated once; the next one ends the process at once.  Nothing where somebody handles it."""

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise Terminated

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


class Commands(click.Group):
    """A group whose commands print a Problem in three lines and exit with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; no traceback for what a person can mend."""
        try:
            with asked_to_end():
                return super().invoke(ctx)
        except Problem as problem:
            out.problem(problem)
            sys.exit(2)
        except Terminated:
            click.echo("told to end (SIGTERM); the evidence so far is kept", err=True)
            sys.exit(143)
        except KeyboardInterrupt:
            click.echo("interrupted; the evidence so far is kept", err=True)
            sys.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="beachhead")
def main() -> None:
    """Provision GPU hosts, serve a large model, test every assumption, and say GO or NO-GO with evidence.

    Exit status: 0 GO (or nothing stands in the way), 1 NO-GO or UNKNOWN, 2 a fault or bad input.

    \b
    Examples:
      beachhead plan a100x4                      does it fit? no host is contacted
      beachhead provision rehearsal --yes        everything, on this machine
      beachhead validate rehearsal --only thinking-budget --json
    """


def _by_flow(name: str, as_json: bool, inventory: str, **parameters: Any) -> None:
    """Run a Prefect flow in this process and print how it ended."""
    from flows.in_process import run_flow

    sys.exit(out.ended(run_flow(name, inventory=inventory, **parameters), as_json=as_json))


def _without_prefect(as_json: bool, work: Callable[[], Run]) -> None:
    """Run plain code and print how it ended."""
    out.narrate()
    run = work()
    shown = view(run.inventory, run.sheet) if run.sheet and not as_json else None
    sys.exit(out.ended(run.folder, as_json=as_json, plan=shown))


@main.command()
@click.argument("inventory")
@CONTEXT
@click.option("--png", is_flag=True, help="Write the report's pictures as PNG files beside it too.")
@JSON
def plan(inventory: str, context: int | None, png: bool, as_json: bool) -> None:
    """Will it fit, what would make it fit, is it worth the money?  No host is contacted.

    \b
    Example: beachhead plan a100x4
    """
    from flows.plain import plan as work

    _without_prefect(as_json, lambda: work(inventory, context, png=png))


@main.command()
@click.argument("inventory")
@YES
@CONTEXT
@JSON
def provision(inventory: str, yes: bool, context: int | None, as_json: bool) -> None:
    """Bring a deployment from nothing to live; each stage is gated.  A second run changes only what is missing.

    \b
    Example: beachhead provision rehearsal --yes
    """
    _by_flow("provision", as_json, inventory, yes=yes, context=context)


@main.command()
@click.argument("inventory")
@click.option(
    "--dry-run", is_flag=True, help="Show every command that would run on each host, and why; change nothing."
)
@JSON
def prepare(inventory: str, dry_run: bool, as_json: bool) -> None:
    """Install what the hosts need before they can fetch and serve.  There is no undo; --dry-run says what is final.

    \b
    Examples:
      beachhead prepare rehearsal
      beachhead prepare our-cluster --dry-run
    """
    if dry_run:
        sys.exit(out.dry_run(inventory, as_json=as_json))
    _by_flow("prepare", as_json, inventory)


@main.command()
@click.argument("inventory")
@JSON
def fetch(inventory: str, as_json: bool) -> None:
    """Fetch the pinned weights and check every file's digest; files that are right are left alone.

    \b
    Example: beachhead fetch rehearsal
    """
    _by_flow("fetch", as_json, inventory)


@main.command()
@click.argument("inventory")
@CONTEXT
@JSON
def deploy(inventory: str, context: int | None, as_json: bool) -> None:
    """Stage the release on the host's loopback and judge it; one that fails is taken away.

    \b
    Example: beachhead deploy rehearsal
    """
    _by_flow("deploy", as_json, inventory, context=context)


@main.command()
@click.argument("inventory")
@click.option("--only", multiple=True, metavar="CLAIM", help="Judge this claim alone; may be given more than once.")
@click.option("--stale", is_flag=True, help="Judge again only what a change or time has voided since the newest run.")
@CONTEXT
@JSON
def validate(inventory: str, only: tuple[str, ...], stale: bool, context: int | None, as_json: bool) -> None:
    """Judge claims against what is deployed now.  Changes nothing.

    \b
    Examples:
      beachhead validate rehearsal
      beachhead validate rehearsal --only thinking-budget --json
      beachhead validate rehearsal --stale       after a change of driver, kernel, engine or model
    """
    if stale:
        from flows.stale import validate_stale

        if only:
            raise BadInput("--stale chooses the claims itself", where="--only", fix="give one of the two")
        _without_prefect(as_json, lambda: validate_stale(inventory, context))
    from flows.plain import validate as work

    _without_prefect(as_json, lambda: work(inventory, only, context))


@main.command()
@click.argument("inventory")
@YES
@CONTEXT
@JSON
def promote(inventory: str, yes: bool, context: int | None, as_json: bool) -> None:
    """Judge the staged release again, open the gateway to it, judge it live.

    \b
    Example: beachhead promote rehearsal --yes
    """
    _by_flow("promote", as_json, inventory, yes=yes, context=context)


@main.command()
@click.argument("inventory")
@JSON
def rollback(inventory: str, as_json: bool) -> None:
    """Serve the release that was live before, proven by a request.

    \b
    Example: beachhead rollback rehearsal
    """
    _by_flow("rollback", as_json, inventory)


@main.command()
@click.argument("inventory")
@click.option("--run", "run_id", metavar="RUN", help="A run's id; without it the newest.")
@click.option("--again", is_flag=True, help="Write the report anew from the run's files: with newer drills, or looks.")
@JSON
def report(inventory: str, run_id: str | None, again: bool, as_json: bool) -> None:
    """Print a run's verdict and where its report lies.

    \b
    Example: beachhead report rehearsal --again
    """
    folder = out.find_run(inventory, run_id)
    if again:
        from flows.report_again import again as write

        write(folder)
    sys.exit(out.ended(folder, as_json=as_json))


@main.command()
@click.option("--port", default=4200, show_default=True, help="Of the Prefect server, when none is configured.")
@click.option("--reports-port", default=4280, show_default=True, help="Where reports can be opened from the UI.")
def serve(port: int, reports_port: int) -> None:
    """Register every flow for every inventory and run what is asked of them, until interrupted.

    \b
    Example:
      beachhead serve                            in one terminal
      prefect deployment run provision/a100x4    in another, with the PREFECT_API_URL that serve prints
    """
    from flows.serve import serve as work

    work(port, reports_port)


@main.command()
@CONTEXT
@click.option("--scenery", is_flag=True, help="Only put hub, SSH target and Prefect server up.")
@click.option("--down", is_flag=True, help="Stop all of it.")
@JSON
def rehearse(context: int | None, scenery: bool, down: bool, as_json: bool) -> None:
    """Run the whole job on this machine: real SSH, a real hub's protocol, real vLLM on the CPU, a tiny model.

    \b
    Examples:
      beachhead rehearse
      beachhead rehearse --context 262144        the guide's own context; minutes of prefill
    """
    from flows.rehearse import rehearse as work

    sys.exit(work(context, scenery_only=scenery, down=down, as_json=as_json))


@main.command()
@JSON
def inventories(as_json: bool) -> None:
    """List the inventories: every YAML file in inventories/, and in $BEACHHEAD_INVENTORIES.

    \b
    Example: beachhead inventories
    """
    out.inventories(as_json)


@main.command()
@JSON
def assumptions(as_json: bool) -> None:
    """List the claims: every file in assumptions/ without an underscore.

    \b
    Example: beachhead assumptions
    """
    out.assumptions(as_json)


main.add_command(cost)
main.add_command(diff_command)
main.add_command(drill)
main.add_command(export)
main.add_command(fit)
main.add_command(keys)
main.add_command(manifests)
main.add_command(reference)
main.add_command(recovery_drill)
main.add_command(watch)
main.add_command(seal)
main.add_command(verify)


if __name__ == "__main__":
    main()
