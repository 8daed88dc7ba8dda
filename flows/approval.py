"""A person's word between proof and promotion: a paused run with a form in Prefect, or a question on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Literal

from prefect import pause_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from pydantic import Field

from flows.run import NotApproved, Run
from tasks.narration import say

WAIT_S = 24 * 3600
terminal: ContextVar[Callable[[str], str | None] | None] = ContextVar("beachhead_terminal", default=None)


class Approval(RunInput):
    """The form: who decides, and what."""

    decision: Literal["promote", "withdraw"] = Field(description="promote the proven release, or take it away")
    approved_by: str = Field(min_length=2, description="your name, for the record")
    note: str = Field("", description="anything that the report should say")


def approve(run: Run, yes: bool) -> None:
    """Return when the release may be promoted; raises NotApproved."""
    with run.timed("approve"):
        if yes:
            run.links["approved"] = "unattended: --yes was given"
            return
        ask = terminal.get()
        who = ask(f"Promote {run.inventory.name} to live? Type your name to approve: ") if ask else _form(run)
        if not who:
            raise NotApproved("nobody approved the promotion")
        run.links["approved"] = f"by {who}"
        say(f"approved by {who}")


def _form(run: Run) -> str:
    text = f"**{run.inventory.title}**: every gate so far is open. Evidence: `{run.folder}`"
    form = Approval.with_initial_data(description=text, decision="promote")
    try:
        answer = pause_flow_run(wait_for_input=form, timeout=WAIT_S, poll_interval=5)
    except FlowPauseTimeout:
        raise NotApproved(f"nobody answered within {WAIT_S // 3600} hours") from None
    if answer is None or answer.decision != "promote":
        raise NotApproved(f"{answer.approved_by if answer else 'somebody'} chose to withdraw")
    return f"{answer.approved_by}{': ' + answer.note if answer.note else ''}"
