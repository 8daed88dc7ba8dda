"""What one recovery drill did and saw: plain values, for the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Course:
    """How a fault went.

    `took`: the fault was seen to take hold; None where that could not be found out.  `back_s`: seconds to the first
    real completion, from the fault, or from its end where it ends by itself; None: none came within `waited_s`.
    `helped`: who brought the service back, where it did not come back by itself.  `left`: what of the fault may still
    be there.
    """

    did: str
    took: bool | None
    back_s: float | None
    waited_s: float
    helped: str = ""
    left: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Service over the whole drill: completions asked and answered, and seconds without one (an upper bound)."""

    asked: int
    answered: int
    without_s: float


@dataclass(frozen=True, slots=True)
class Drilled:
    """One drill.  `why_not`: it was not played, and nothing was hurt; then only the first four fields say something.

    `unusable`: why the completion after it is none.  `same_words`: as before at temperature 0; None where the words
    before differed among themselves.  `lost`: what was there before and isn't.  `meanwhile`: why it shows nothing.
    """

    drill: str
    at: datetime
    run: str
    release: str
    why_not: str = ""
    course: Course | None = None
    seen: Seen | None = None
    release_after: str = ""
    unusable: str = ""
    same_words: bool | None = None
    lost: tuple[str, ...] = ()
    meanwhile: str = ""
