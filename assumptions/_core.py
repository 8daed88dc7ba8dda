"""The shapes a claim is made of.  A claim looks through facts and judges with a pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from inventories.schema import Inventory
    from tasks.site import Site

Obs = TypeVar("Obs")


class Outcome(StrEnum):
    """What a judge may say.  UNKNOWN means "could not find out" and never rounds up."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Stage(StrEnum):
    """When a claim is judged, in the order of the flow."""

    PLAN = "plan"
    HOST = "host"
    WEIGHTS = "weights"
    STAGING = "staging"
    LIVE = "live"


class Severity(StrEnum):
    """BLOCKING: GO is impossible while it doesn't pass.  ADVISORY: reported, and nothing more."""

    BLOCKING = "blocking"
    ADVISORY = "advisory"


class Provenance(StrEnum):
    """Where a number comes from, best first."""

    MEASURED_HERE = "measured here"
    MEASURED_ELSEWHERE = "measured elsewhere"
    MODELLED = "modelled"
    VENDOR = "vendor's word"


class Sense(StrEnum):
    """On which side of its `limit` a finding's `value` should stand."""

    LEAST = "at least"
    MOST = "at most"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a claim looked at, with its own outcome; the claim's judge weighs them."""

    name: str
    outcome: Outcome
    because: str
    expected: str = ""
    measured: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A judge's answer.  `value` and `unit` are the one figure that stands for the claim, where there is one.

    `limit` is its threshold where that is one number in the same unit, `sense` the side that is wanted: from the three
    follows how far the claim is from turning.
    """

    outcome: Outcome
    because: str
    expected: str
    measured: str
    threshold: str
    threshold_source: str
    provenance: Provenance
    value: float | None = None
    unit: str = ""
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    samples: int | None = None  # how many measurements `value` was made of
    interval: tuple[float, ...] | None = None  # from, to: 95 % around `value` (assumptions/formulas/intervals.py)
    limit: float | None = None
    sense: Sense = Sense.LEAST


@dataclass(frozen=True)
class Assumption(Generic[Obs]):
    """One claim: its sentence, where it stands, what to do when it fails, how to look and how to judge.

    `observe` may touch hosts and endpoints (through facts and the serving client only) and raises what it meets;
    `judge` is pure.  `tables` may turn an observation into named frames' rows for the evidence.  `depends_on` names
    what of the environment voids the answer when it changes, and `days` how long it holds: absent, the stage's own
    (`_fingerprint.py`).
    """

    id: str
    guide: str
    states: str
    stages: tuple[Stage, ...]
    severity: Severity
    remedy: str
    version: int
    observe: Callable[[Site, Stage], Obs]
    judge: Callable[[Obs, Inventory], Finding]
    tables: Callable[[Obs], Mapping[str, list[dict[str, Any]]]] = field(default=lambda _: {})
    depends_on: tuple[str, ...] | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One record of the ledger: a claim judged once at one stage."""

    claim: str
    version: int
    stage: Stage
    severity: Severity
    guide: str
    states: str
    remedy: str
    finding: Finding
    started_at: datetime
    seconds: float
    trail: tuple[str, ...]  # ids of the raw records (commands and requests) behind it
    host: str
    engine: str
    model: str
    product: str
    excused: str = ""  # why an UNKNOWN does not block this inventory; a FAIL is never excused
    simulated: str = ""  # the hosts whose hardware is scripted: nothing here was shown of a real one
    trail_sha256: tuple[str, ...] = ()  # the digests of those raw records, in the same order
    observation: Any = None  # what the judge judged, secrets cut out: enough to judge again
    not_again: str = ""  # why the judge can't be asked again; empty where it can
    fingerprint: Mapping[str, str] = field(default_factory=dict)  # the environment it was judged in, as found
    depends_on: tuple[str, ...] = ()  # what of the fingerprint voids the answer when it changes
    expires_at: datetime | None = None
    carried: str = ""  # the run that judged it, where it was taken over from an earlier one
