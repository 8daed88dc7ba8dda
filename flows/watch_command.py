"""`beachhead watch`: what the watchdog on the serving host knows and did; `--reset` closes its breaker."""

from __future__ import annotations

import json
import shlex
import sys
import time
from dataclasses import asdict
from typing import Any

import click

from flows.run import evidence_root, new_run_id
from inventories.errors import Problem
from inventories.load import load
from tasks.facts.base import look
from tasks.facts.watch import WatchEvent, WatchFact, Watching
from tasks.hosts import Host
from tasks.site import Site

TAKEN_UP_S = 15


class NobodyWatches(Problem):
    """There is no watchdog to ask."""


@click.command()
@click.argument("inventory")
@click.option("--reset", is_flag=True, help="Close the breaker: the engine may be started again.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def watch(inventory: str, reset: bool, as_json: bool) -> None:
    """Does the watchdog run, is its breaker closed, what did it do?  Exit status 1 unless both are so.

    \b
    Examples:
      beachhead watch rehearsal
      beachhead watch rehearsal --reset
    """
    declared = load(inventory)
    if declared.serving.runtime == "kubernetes":
        raise NobodyWatches(
            "a cluster watches its pods by itself, with the liveness probe of the manifests",
            where=f"inventory {declared.name}: serving.runtime",
            fix="see `kubectl get pods` and `kubectl describe pod` in the inventory's namespace",
        )
    run_id = new_run_id()
    site = Site(declared, evidence_root() / declared.name / run_id, run_id=run_id)
    try:
        host, root = site.host(site.head.name), site.head.root
        if reset:
            _reset(host, root)
        found = look(host, WatchFact(root))
    finally:
        site.close()
    told = json.dumps(asdict(found), default=str, indent=1) if as_json else "\n".join(_lines(site.head.name, found))
    click.echo(told)
    sys.exit(0 if found.running and found.state and not found.state.breaker else 1)


def _reset(host: Host, root: str) -> None:
    """Ask, and wait a moment for the watchdog to take it up."""
    if not look(host, WatchFact(root)).running:
        raise NobodyWatches(
            "no watchdog runs there, so there is nothing to reset",
            where=f"{host.name}: {root}/state/watch.json",
            fix="`beachhead deploy` and `promote` start it, unless serving.watch.enabled is off",
        )
    asked = shlex.quote(f"{root}/state/watch-reset")
    host.run(f"touch {asked} && for i in $(seq {TAKEN_UP_S * 5}); do [ -e {asked} ] || break; sleep 0.2; done").check()
    time.sleep(1)  # its next words are about the state after the reset
    if host.run(f"test -e {asked}").exit == 0:
        click.echo(f"{host.name}: asked; the watchdog takes it up when its present look ends", err=True)


def _lines(host: str, found: Watching) -> list[str]:
    """For a person."""
    state = found.state
    if not found.enabled:
        return [f"{host}: no watchdog", *_events(found)]
    running = "runs" if found.running else "does not run, though it was started"
    if state is None:
        return [f"{host}: the watchdog {running}, and has not said a word yet"]
    live = f"release {state.live.release} at port {state.live.port}" if state.live else "nothing is live"
    lines = [
        f"{host}: the watchdog {running}; its last word {state.at:%Y-%m-%d %H:%M:%S} UTC",
        f"live      {live}, {state.phase}" + (f" ({state.note})" if state.note else ""),
        f"answered  {f'{state.last_ok:%Y-%m-%d %H:%M:%S} UTC' if state.last_ok else 'not since the host booted'}",
        f"restarts  {state.restarts_in_window} within the window",
        f"breaker   {f'OPEN: {state.breaker}' if state.breaker else 'closed'}",
    ]
    if found.torn:
        lines.append(f"{found.torn} lines of its events can't be read")
    return [*lines, *_events(found)]


def _events(found: Watching) -> list[str]:
    return ["events", *map(_event, found.events[-20:])] if found.events else []


def _event(event: WatchEvent) -> str:
    words: list[Any] = [f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.event}", event.release, event.why]
    words += [f"{event.seconds:g} s" if event.seconds is not None else "", event.health and f"/health {event.health}"]
    stopped = [each for each in event.processes if each.split()[1:2] in (["T"], ["D"], ["Z"])]
    return "  ".join(word for word in [*words, *stopped] if word)
