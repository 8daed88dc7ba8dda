"""Starts SGLang's server with its API key taken from the environment.

On its command line every user of the host could read the key, and SGLang logs all its arguments: a log record that
holds the key is changed before anything writes it.  It ends with KeyError where there is no key.
"""

import logging
import os
import runpy
import sys
from typing import Any

key = os.environ.pop("SGLANG_API_KEY")
make = logging.getLogRecordFactory()


def without_key(*arguments: Any, **named: Any) -> logging.LogRecord:
    """The record as made, its text without the key."""
    record = make(*arguments, **named)
    try:
        record.msg, record.args = record.getMessage().replace(key, "***"), ()
    except (TypeError, ValueError):
        record.msg, record.args = "a log record that could not be formatted", ()
    return record


logging.setLogRecordFactory(without_key)
sys.argv = ["sglang", *sys.argv[1:], "--api-key", key]
runpy.run_module("sglang.launch_server", run_name="__main__", alter_sys=True)
