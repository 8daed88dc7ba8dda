"""A command that was stopped at its deadline is told from one that ends by itself with the same status."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tasks.framing import TIMED_OUT, Clock, Streams
from tasks.hosts import DeadlineExceeded
from tasks.shell import ShellHost, Stop


@dataclass
class Elsewhere(ShellHost):
    """A host whose commands end with `status` after `seconds` of our clock; made up, because no real clock drifts on
    command."""

    seconds: float
    status: int

    def __post_init__(self) -> None:
        super().__init__("elsewhere", None)

    def _exchange(self, line: str, stdin: bytes, streams: Streams, clock: Clock) -> Stop:
        clock.began = time.monotonic() - self.seconds
        nonce = line.partition("\\036")[2][:32]
        for stream in (streams.stdout, streams.stderr):
            stream.add(f"\x1e{nonce}<so far\x1e{nonce}>{self.status}\n".encode())
        return Stop.ENDED

    @contextmanager
    def forward(self, port: int) -> Iterator[int]:
        yield port

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize("status", TIMED_OUT)
@pytest.mark.parametrize("seconds", [7199.6, 7200.1])
def test_a_host_whose_clock_runs_faster_than_ours_has_stopped_it_all_the_same(seconds: float, status: int) -> None:
    with pytest.raises(DeadlineExceeded, match=r"within 7200 s and was stopped.*so far"):
        Elsewhere(seconds, status).run("fetch", timeout=7200)


@pytest.mark.parametrize("status", TIMED_OUT)
def test_one_that_ends_so_by_itself_has_an_exit_status(status: int) -> None:
    assert Elsewhere(7000, status).run("fetch", timeout=7200).exit == status
