"""What SshHost and LocalHost share: framing, deadlines and sudo, over one way to exchange bytes with a shell.

The host needs bash, GNU timeout (coreutils), and a login shell that understands POSIX quoting.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from enum import Enum, auto
from shlex import quote

from tasks.framing import STREAM_LIMIT_BYTES, TIMED_OUT, Clock, Stream, Streams, Unframed, frame, new_nonce, unframe
from tasks.hosts import DeadlineExceeded, HostError, Ran, SudoRefused, Unreachable, now

GRACE_S = 10.0  # how much longer than the host's own timeout we wait for its word
_RATE = 0.999  # a host's clock may run faster than ours, by no more than this


class Root(Enum):
    """How a command gets to run as root: the words before `bash -c`."""

    ALREADY = ""
    NO_PASSWORD = "sudo -n -- "
    PASSWORD = "sudo -S -k -p '' -- "


class Stop(Enum):
    """Why an exchange stopped."""

    ENDED = auto()  # both closing marks were seen
    CLOSED = auto()  # the shell closed its streams
    LOST = auto()  # the connection went away
    LATE = auto()
    FLOODED = auto()


class ShellHost(ABC):
    """A Host whose subclass only carries bytes to a shell and back."""

    def __init__(self, name: str, sudo_password: str | None) -> None:
        self.name = name
        self._password = sudo_password
        self._root: Root | SudoRefused | None = None
        self._root_lock = threading.Lock()

    @abstractmethod
    def _exchange(self, line: str, stdin: bytes, streams: Streams, clock: Clock) -> Stop:
        """Run `line` in a POSIX shell, fill `streams` until they end, and let the command go."""

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        """Run one bash command line; see tasks.hosts.Host."""
        root = self._how_to_be_root() if sudo else Root.ALREADY
        return self._framed(command, timeout, (stdin or "").encode(), root)

    def _framed(self, command: str, timeout: float, stdin: bytes, root: Root) -> Ran:
        nonce, at = new_nonce(), now()
        with_password = root is Root.PASSWORD
        line = f"exec {root.value}bash -c {quote(frame(command, timeout, nonce, skip_input=with_password))}"
        if with_password:
            stdin = f"{self._password}\n{nonce}\n".encode() + stdin
        streams, clock = Streams(nonce), Clock(timeout + GRACE_S)
        stop = self._exchange(line, stdin, streams, clock)
        seconds, where = clock.elapsed, f"{self.name}: {command[:300]}"
        if not streams.ended:
            self._explain(stop, streams, nonce, timeout, where, root)
        stdout, status = unframe(streams.stdout.text, nonce)
        stderr, _ = unframe(streams.stderr.text, nonce)
        if status in TIMED_OUT and seconds >= timeout * _RATE:
            raise _late(f"the command did not end within {timeout:g} s and was stopped", where, stderr or stdout)
        return Ran(self.name, command, status, stdout, stderr, at, seconds)

    def _explain(self, stop: Stop, streams: Streams, nonce: str, timeout: float, where: str, root: Root) -> None:
        """Raise what it means that a command's closing marks did not come."""
        if stop is Stop.FLOODED:
            limit = STREAM_LIMIT_BYTES // 2**20
            raise HostError(
                f"the command wrote more than {limit} MiB on one stream and was cut off",
                where=where,
                fix="send its output to a file on the host, or filter it there",
            )
        began = _began(streams.stdout, nonce) or _began(streams.stderr, nonce)
        if stop is Stop.LATE:
            what = f"no word of the command's end within {timeout:g} s and {GRACE_S:g} s more"
            raise _late(what, where, streams.stderr.text or streams.stdout.text)
        if began or stop is Stop.LOST:
            raise Unreachable(
                "the connection went before the command's end was seen; whether it finished is not known",
                where=where,
                fix="see that the host is up (did it reboot?), then run the flow again: finished steps are skipped",
            )
        self._never_began(self._redacted(streams.stderr.text + streams.stdout.text), where, root)

    def _never_began(self, said: str, where: str, root: Root) -> None:
        if root is not Root.ALREADY:
            self._root = None if isinstance(self._root, Root) else self._root
            raise SudoRefused(f"sudo refused: {said}", where=where, fix="see the user's rights with `sudo -l`")
        raise HostError(
            f"the host's shell did not start the command: {said}",
            where=where,
            fix="the host needs bash and GNU coreutils, and the user a login shell that understands POSIX quoting",
        )

    def _redacted(self, text: str) -> str:
        text = text.strip()[-800:] or "it said nothing"
        return text.replace(self._password, "[password]") if self._password else text

    def _how_to_be_root(self) -> Root:
        """Ask once; a refused password is not tried a second time, since that may lock the account."""
        with self._root_lock:
            if self._root is None:
                self._root = self._ask_for_root()
            if isinstance(self._root, SudoRefused):
                raise SudoRefused(self._root.what, where=self._root.where, fix=self._root.fix)
            return self._root

    def _ask_for_root(self) -> Root | SudoRefused:
        if self._framed("id -u", 30, b"", Root.ALREADY).check().stdout.strip() == "0":
            return Root.ALREADY
        refused = self._sudo_says(Root.NO_PASSWORD.value, b"")
        if refused is None:
            return Root.NO_PASSWORD
        if self._password is None:
            raise SudoRefused(
                f"this step needs root, and sudo asks for a password that was not given: {refused}",
                where=self.name,
                fix="give the user NOPASSWD in sudoers, or name in ssh.sudo_password_env a variable that holds it",
            )
        refused = self._sudo_says(Root.PASSWORD.value, f"{self._password}\n".encode())
        if refused is None:
            return Root.PASSWORD
        return SudoRefused(
            f"sudo did not accept the password: {refused}",
            where=self.name,
            fix="correct the variable that ssh.sudo_password_env names; the password was tried once and won't be again",
        )

    def _sudo_says(self, prefix: str, stdin: bytes) -> str | None:
        """None when sudo lets us run bash as root, else its own words."""
        nonce = new_nonce()
        streams, clock = Streams(nonce), Clock(30 + GRACE_S)
        # -k: rights that rest on a remembered password are gone a few minutes later
        prefix = prefix.replace("sudo -n ", "sudo -n -k ")
        stop = self._exchange(f"exec {prefix}bash -c {quote(frame(':', 30, nonce))}", stdin, streams, clock)
        if streams.ended:
            return None
        if stop is not Stop.CLOSED:
            self._explain(stop, streams, nonce, 30, f"{self.name}: sudo", Root.ALREADY)
        return self._redacted(streams.stderr.text + streams.stdout.text)


def _began(stream: Stream, nonce: str) -> bool:
    try:
        unframe(stream.text, nonce)
    except Unframed as missing:
        return missing.began
    return True


def _late(what: str, where: str, said: str) -> DeadlineExceeded:
    tail = said.strip()[-400:]
    return DeadlineExceeded(
        f"{what}; its last output: {tail}" if tail else f"{what}; it wrote nothing",
        where=where,
        fix="see what it waits for on the host, or give it more time",
    )
