"""Whether a host reaches an address that the work needs, and which step fails where it doesn't."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum

from tasks.facts.reading import Reading, match, needs, number, understood, whole


class Step(StrEnum):
    """The steps of a request, in order."""

    DNS = "name lookup"
    PROXY = "proxy"
    CONNECT = "connection"
    TLS = "certificate or encryption"
    RESPONSE = "response"


_BY_EXIT = {5: Step.PROXY, 6: Step.DNS, 7: Step.CONNECT, 52: Step.RESPONSE, 55: Step.RESPONSE, 56: Step.RESPONSE} | (
    dict.fromkeys((35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91), Step.TLS) | {97: Step.PROXY}
)
_LATE = 28
_WRITE = "\\ntimes %{http_code} %{time_namelookup} %{time_connect} %{time_appconnect} %{time_total} %{remote_ip}\\n"
_TIMES = r"times ([0-9]{3}) ([0-9.]+) ([0-9.]+) ([0-9.]+) ([0-9.]+) ?(\S*)"
_MESSAGE = re.compile(r"curl: \([0-9]+\) (.+)")


@dataclass(frozen=True, slots=True)
class Egress:
    """`status` is the HTTP status, whatever it says, or the step that failed and curl's message.

    Times are seconds from the start; those of steps that were not reached are 0.  `address` is the proxy's if any.
    """

    status: Reading[int]
    failed: Step | None
    address: str
    lookup_s: float
    connect_s: float
    tls_s: float
    total_s: float


@dataclass(frozen=True)
class EgressFact:
    """The Egress to `url` within `seconds`, through the session's own proxies, by curl.

    Sample: "curl: (6) Could not resolve host: hub.example\\n\\ntimes 000 0.000000 0.000000 0.000000 0.012 \\nexit 6"
    """

    url: str
    seconds: int

    @property
    def command(self) -> str:
        """Ask for one byte; follow nothing."""
        return (
            f"{needs('curl')}; LC_ALL=C curl -sS -g -r 0-0 -o /dev/null --max-time {max(1, self.seconds)} "
            f"-w {shlex.quote(_WRITE)} -- {shlex.quote(self.url)} 2>&1; echo exit $?"
        )

    @understood
    def parse(self, stdout: str) -> Egress:
        """Read the times, the status, and the message where there is one."""
        lines = [line.strip() for line in stdout.splitlines() if line.strip()]
        (times,) = [match(_TIMES, line) for line in lines if line.startswith("times ")]
        exit_ = whole(match(r"exit ([0-9]+)", lines[-1])[1])
        lookup, connect, tls, total = (number(text) for text in times.groups()[1:5])
        if exit_ == 0:
            return Egress(Reading(whole(times[1])), None, times[6], lookup, connect, tls, total)
        message = " ".join(found[1] for line in lines if (found := _MESSAGE.fullmatch(line)))
        step = self._late(lookup, connect, tls) if exit_ == _LATE else _step(exit_, message)
        why: Reading[int] = Reading(None, message or f"curl ended with {exit_}")
        return Egress(why, step, times[6], lookup, connect, tls, total)

    def _late(self, lookup: float, connect: float, tls: float) -> Step:
        if lookup == 0:
            return Step.DNS
        if connect == 0:
            return Step.CONNECT
        return Step.TLS if tls == 0 and self.url.startswith("https:") else Step.RESPONSE


def _step(exit_: int, message: str) -> Step:
    if exit_ == 56 and ("proxy" in message.lower() or "CONNECT" in message):
        return Step.PROXY
    return _BY_EXIT[exit_]
