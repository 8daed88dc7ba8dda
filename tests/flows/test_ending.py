"""What a worker's terminal is spared, and what it isn't."""

from __future__ import annotations

import logging

import pytest
from prefect.exceptions import FailedRun

from flows.ending import VERDICTS_ARE_NO_CRASHES


@pytest.mark.parametrize(("error", "shown"), [(FailedRun("NO-GO"), False), (ValueError("a crash"), True), (None, True)])
def test_a_verdict_is_not_shown_as_a_crash_and_a_crash_is(error: Exception | None, shown: bool) -> None:
    raised = (type(error), error, None) if error else None
    record = logging.LogRecord("prefect.engine", logging.ERROR, "", 0, "exited with unexpected exception", (), raised)
    assert VERDICTS_ARE_NO_CRASHES.filter(record) is shown
