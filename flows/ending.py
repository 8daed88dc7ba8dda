"""How a run ends: a release that was not proven is taken back, and the verdict becomes the run's state."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.schemas.objects import State
from prefect.exceptions import FailedRun
from prefect.states import Completed, Failed

from flows import artifacts
from flows.adoption import adopt
from flows.run import GateClosed, NotApproved, Run
from flows.steps import retreat, withdraw
from inventories.errors import Problem

log = logging.getLogger("beachhead")


class VerdictsAreNoCrashes(logging.Filter):
    """Prefect calls a flow that returns Failed an unexpected exception, and logs a traceback of its own code.

    The line "Finished in state NO-GO" stands before it, and says all.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        return not (record.exc_info and isinstance(record.exc_info[1], FailedRun))


VERDICTS_ARE_NO_CRASHES = VerdictsAreNoCrashes()


@contextmanager
def returning(run: Run) -> Iterator[None]:
    """Inside: the flow.  On the way out of a closed gate or a fault nothing is left half promoted."""
    adopt(run)
    try:
        yield
    except (GateClosed, NotApproved, Problem):
        _back(run)
        raise


def _back(run: Run) -> None:
    """Take a candidate away; a promotion of this run that was not proven live is undone."""
    if not run.touched:
        return
    try:
        if run.promoted:
            retreat(run)
        else:
            withdraw(run)
    except Problem as problem:
        log.error("could not take the release back: %s", problem)


def ended(run: Run) -> State[str]:
    """The run's final state, named after the verdict: only GO and HOLDS complete it."""
    artifacts.report(run)
    for name in ("prefect.flow_runs", "prefect.engine"):
        logging.getLogger(name).addFilter(VERDICTS_ARE_NO_CRASHES)
    if run.problem is not None:
        return Failed(name="STOPPED", message=run.site.redactor.text(str(run.problem)), data=str(run.folder))
    verdict = run.verdict
    if verdict is None:
        return Failed(message="the run ended without a verdict")
    said = f"{verdict.decision}: {verdict.because} | report: {artifacts.report_address(run)}"
    if verdict.open:
        return Completed(name=str(verdict.decision), message=said, data=str(run.folder))
    return Failed(name=str(verdict.decision), message=said, data=str(run.folder))
