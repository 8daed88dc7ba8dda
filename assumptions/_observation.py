"""What a judge saw, on the record: enough for the same judge to say the same again, on any machine, at any time."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

from assumptions._core import Finding
from assumptions._plain import plain
from assumptions._typed import typed
from tasks import chain
from tasks.redaction import Redactor

if TYPE_CHECKING:
    from assumptions._registry import Claim
    from inventories.schema import Inventory


class NotAgain(ValueError):
    """This observation can't be put on the record, or not be read back; the message says why."""


def recorded(seen: object, redactor: Redactor) -> Any:
    """The observation as JSON can say it, without secrets.  NotAgain where it can't be said."""
    try:
        return json.loads(chain.spelled(redactor.tree(_sayable(plain(seen)))))
    except (TypeError, ValueError, RecursionError) as error:
        raise NotAgain(f"its observation can't be written down: {_short(error)}") from error


def read_back(claim: Claim, value: Any) -> Any:
    """The observation with its types.  NotAgain where `value` is none of this claim's."""
    try:
        return typed(_kind(claim.observe), value)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotAgain(f"its observation can't be read back: {_short(error)}") from error


def judged(claim: Claim, seen: Any, inventory: Inventory) -> Finding:
    """The finding; the claim's tables belong to it, because one that can't be made is an error too."""
    finding = claim.judge(seen, inventory)
    claim.tables(seen)
    return finding


def clean(finding: Finding, redactor: Redactor) -> Finding:
    """The finding with every text in it as it goes on the record."""
    told = typed(Finding, redactor.tree(_sayable(plain(finding))))
    assert isinstance(told, Finding)  # noqa: S101 - for the type checker
    return told


@cache
def _kind(observe: Any) -> Any:
    """What observe() says that it gives."""
    try:
        return get_type_hints(observe)["return"]
    except (KeyError, NameError):
        raise NotAgain("its observe() names no type that can be read") from None


def _sayable(value: Any) -> Any:
    """Bytes that were no UTF-8 stand in a text as lone surrogates; on the record they are escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_sayable(key): _sayable(item) for key, item in value.items()}
    return [_sayable(item) for item in value] if isinstance(value, list) else value


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
