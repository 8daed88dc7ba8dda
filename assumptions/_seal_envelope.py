"""A DSSE envelope around an in-toto statement, with one spelling: what was not written so is not read."""

from __future__ import annotations

import base64
import json
from typing import Any

from tasks import chain

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def written(payload: bytes, signature: bytes, key: str) -> bytes:
    """The envelope as it lies in the seal."""
    signatures = [{"keyid": key, "sig": text_of(signature)}]
    return chain.line({"payloadType": PAYLOAD_TYPE, "payload": text_of(payload), "signatures": signatures})


def opened(data: bytes) -> tuple[dict[str, Any], bytes, str]:
    """Statement, signature and key id of an envelope; ValueError with the part that is not as it was written."""
    try:
        held = json.loads(data)
        (signature,) = held["signatures"]
        payload, blob = _bytes(held["payload"]), _bytes(signature["sig"])
        statement = json.loads(payload)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"it can't be read: {type(error).__name__}: {str(error)[:120]}") from None
    if held["payloadType"] != PAYLOAD_TYPE:
        raise ValueError("payloadType: another kind of payload")
    if not isinstance(statement, dict) or chain.spelled(statement) != payload:
        raise ValueError("payload: its spelling was changed")
    if written(payload, blob, str(signature.get("keyid"))) != data:
        raise ValueError("its spelling was changed")
    return statement, blob, str(signature["keyid"])


def pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is really signed."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if text_of(data) != text:
        raise ValueError("base64 that nobody writes")
    return data
