"""How a command's end is made certain: marks around its output, the last one with the exit status.

The script that `frame` writes prints RS nonce `<` on both streams before the command, and RS nonce `>` status LF on
both after it (RS is the byte 0x1e).  What a login shell, sudo or a process left behind adds lies outside the marks.
"""

from __future__ import annotations

import re
import secrets
import time
from shlex import quote

KILL_AFTER_S = 5  # from the polite signal to the one that can't be refused
STREAM_LIMIT_BYTES = 32 * 1024 * 1024
TIMED_OUT = (124, 137)  # how GNU timeout ends: after SIGTERM, after SIGKILL
_RS = "\x1e"


class Unframed(ValueError):
    """The closing mark is missing; `began` says whether the opening one was there."""

    def __init__(self, *, began: bool) -> None:
        super().__init__("the command's closing mark is missing" if began else "the command's opening mark is missing")
        self.began = began


def new_nonce() -> str:
    """32 random hex digits, for one command."""
    return secrets.token_hex(16)


def frame(command: str, timeout: float, nonce: str, *, skip_input: bool = False) -> str:
    """A bash script that runs `command` for at most `timeout` seconds and marks where its output begins and ends.

    With `skip_input` it first reads its input up to a line that is the nonce, so that the command never sees it.
    """
    if not 0.001 <= timeout <= 10_000_000 or "\0" in command:
        raise ValueError("a command has no NUL in it, and a timeout from 0.001 to 10,000,000 seconds")
    skip = f'until [ "$l" = {nonce} ]; do IFS= read -r l || exit 1; done; ' if skip_input else ""
    end = f"printf '\\036{nonce}>%d\\n' $s"
    return (
        f"{skip}printf '\\036{nonce}<' >&2; printf '\\036{nonce}<'; "
        f"timeout --kill-after={KILL_AFTER_S} {timeout:.3f} bash -c {quote(command)}; s=$?; "
        f"{end} >&2; {end}"
    )


def unframe(stdout: str, nonce: str) -> tuple[str, int]:
    """What the command wrote, to the byte, and its exit status; Unframed when a mark is missing."""
    _, opening, rest = stdout.partition(f"{_RS}{nonce}<")
    if not opening:
        raise Unframed(began=False)
    body, closing, tail = rest.rpartition(f"{_RS}{nonce}>")
    status = re.match(r"([0-9]{1,3})\n", tail)
    if not closing or not status:
        raise Unframed(began=True)
    return body, int(status[1])


class Stream:
    """One stream of a command as it comes in."""

    def __init__(self, nonce: str) -> None:
        self._mark = re.compile(f"{_RS}{nonce}>[0-9]{{1,3}}\n".encode())
        self._seam = len(nonce) + 8  # a mark may come in two pieces
        self._data = bytearray()
        self.ended = False

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        seam = max(0, len(self._data) - self._seam)
        self._data += data
        self.ended = self.ended or self._mark.search(self._data, seam) is not None

    @property
    def too_long(self) -> bool:
        """Whether more came than is kept."""
        return len(self._data) > STREAM_LIMIT_BYTES

    @property
    def text(self) -> str:
        """Everything so far, marks included; what is not UTF-8 becomes U+FFFD."""
        return self._data.decode("utf-8", errors="replace")


class Streams:
    """Both streams of one command, and whether both have ended."""

    def __init__(self, nonce: str) -> None:
        self.stdout, self.stderr = Stream(nonce), Stream(nonce)

    @property
    def ended(self) -> bool:
        """Whether both closing marks were seen."""
        return self.stdout.ended and self.stderr.ended

    @property
    def too_long(self) -> bool:
        """Whether either stream is longer than is kept."""
        return self.stdout.too_long or self.stderr.too_long


class Clock:
    """A deadline, started when a command is sent, so that connecting doesn't count."""

    def __init__(self, seconds: float) -> None:
        self.allowed, self.began = seconds, time.monotonic()

    def restart(self) -> None:
        """Count from now."""
        self.began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds until the time is up; negative after."""
        return self.allowed - self.elapsed
