"""Claim: /health of the served model answers as the guide says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide_text import HEALTH_BODY
from assumptions._parts import because, check, worst
from assumptions._served import ABSENT, served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

ALIVE = 200
SHOWN = 80  # characters of a body that are told


@dataclass(frozen=True, slots=True)
class Health:
    """The answer to GET /health, and whether it came through the gateway."""

    live: bool
    reply: Reply


def observe(site: Site, stage: Stage) -> Health:
    """One GET /health with the key: at the engine's own port when staged, through the gateway when live."""
    with served(site, stage) as at:
        reply = at.client.expecting(ALIVE, "the body of /health").call("GET", "/health", key=True, timeout=30)
    return Health(stage is Stage.LIVE, reply)


def _same(body: str) -> bool:
    """Whether the body says what the guide expects, whatever its spaces."""
    try:
        return bool(json.loads(body) == json.loads(HEALTH_BODY))
    except ValueError:
        return False


def _parts(seen: Health) -> Iterator[Part]:
    status, body = seen.reply.status, seen.reply.text
    absent = status in ABSENT
    said = f"status {status}" + (": nothing answers behind the gateway" if absent else "")
    yield check("status", None if absent else status == ALIVE, said, expected=ALIVE, measured=status)
    shown = repr(body[:SHOWN]) if body else "empty"
    told = f"the body is {shown}" + ("" if _same(body) else "; a probe that reads it would call a healthy server ill")
    yield check("body", None if absent else _same(body), told, expected=HEALTH_BODY, measured=shown)


def judge(seen: Health, inventory: Inventory) -> Finding:
    """Status and body as they came; what asks for this body would not be satisfied by any other."""
    parts = tuple(_parts(seen))
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"/health answers {HEALTH_BODY}"),
        expected=f"{ALIVE} with {HEALTH_BODY}",
        measured=f"{seen.reply.status} with {len(seen.reply.text)} characters",
        threshold=HEALTH_BODY,
        threshold_source="K2 Thinking guide §4.3: `curl …/health`, expected body",
        provenance=Provenance.MEASURED_HERE,
        value=float(seen.reply.status),
        unit="HTTP status",
        parts=parts,
        notes=("That /health answers tells of the server's process alone; a stuck worker still gives 200.",),
    )


ASSUMPTION = Assumption(
    id="health-body",
    guide="K2 Thinking guide §4.3, §6.1",
    states='/health of the served model answers {"status": "ok"}.',
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.ADVISORY,
    remedy="Let probes look at the status of /health alone, never at its body, and ask for one short completion with "
    "a time limit where it must be known that the model answers.",
    version=1,
    observe=observe,
    judge=judge,
)
