"""Runs a Prefect flow from a terminal, in this process, against the configured server or a temporary one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from flows import command_output as out
from flows.environment import prepare
from flows.run import folders
from inventories.errors import BadInput
from inventories.load import load


def run_flow(name: str, *, inventory: str, **parameters: Any) -> Path:
    """The run's folder; bad input is found before Prefect is even imported."""
    load(inventory)
    watched = bool(os.environ.get("PREFECT_API_URL"))
    if parameters.get("yes") is False and not watched and not sys.stdin.isatty():
        raise BadInput(
            f"{name} asks a person before it promotes, and there is nobody to ask",
            where="no terminal, and PREFECT_API_URL is not set",
            fix="give --yes, run it in a terminal, or let a Prefect server show the form (`beachhead serve`)",
        )
    prepare()
    out.narrate()
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # we tell it shorter
    from flows.approval import terminal
    from flows.provision import provision
    from flows.stages import deploy, fetch, promote, rollback
    from flows.stages import prepare as prepare_hosts

    flows = {f.name: f for f in (provision, prepare_hosts, fetch, deploy, promote, rollback)}
    if sys.stdin.isatty() and not watched:
        terminal.set(_ask)
    given = {key: value for key, value in parameters.items() if value is not None}
    state = flows[name](inventory, **given, return_state=True)
    if state.is_failed() and state.name == "Failed":  # none of ours: something that nobody foresaw
        state.result()
    return folders[-1]


def _ask(question: str) -> str | None:
    """A name, or nothing for no."""
    try:
        return input(question).strip() or None
    except EOFError:
        return None
