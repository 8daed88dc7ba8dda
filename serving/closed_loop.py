"""A closed loop against a served model: each worker sends its next request when its last one is answered.

Beside the requests it tells what the client itself did, so that a figure of a client that was short of CPU, or that
woke late, can be thrown away.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass

from serving.client import Client

PROMPT = "Explain AI"  # K2 Thinking guide §4.4
TICK_S = 0.01  # how often the client's own clock should wake


@dataclass(frozen=True, slots=True)
class Sample:
    """One streamed request; seconds since the loop began.

    `first_s` is its first word, of thinking or of the answer.  `status` is None where no whole answer came, and `said`
    tells what came instead.
    """

    asked: int
    began_s: float
    first_s: float | None
    ended_s: float
    prompt_tokens: int | None
    tokens: int | None
    status: int | None
    said: str = ""

    @property
    def total_s(self) -> float:
        """From sending it to the end of its answer."""
        return self.ended_s - self.began_s

    @property
    def whole(self) -> bool:
        """As many tokens came as were asked for."""
        return self.status == 200 and self.tokens == self.asked and self.first_s is not None


@dataclass(frozen=True, slots=True)
class Loop:
    """The requests of one loop, in the order in which they were sent, and seconds from its start to the last answer."""

    workers: int
    wall_s: float
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """This process while it measured: CPU seconds of all its threads, and how late a 10 ms clock woke."""

    wall_s: float
    cpu_s: float
    ticks: int
    late_p99_s: float
    late_most_s: float

    @property
    def cores(self) -> float:
        """CPU seconds a second; Python's threads share one."""
        return self.cpu_s / self.wall_s if self.wall_s > 0 else math.inf


def closed_loop(client: Client, tokens: Sequence[int], *, workers: int, seconds: float, timeout: float = 120.0) -> Loop:
    """One request for each of `tokens` (how many it asks for), `workers` at once; none begins after `seconds`."""
    began, lock, left = time.monotonic(), threading.Lock(), iter(tokens)

    def work() -> list[Sample]:
        found = []
        while time.monotonic() - began < seconds:
            with lock:
                asked = next(left, None)
            if asked is None:
                break
            found.append(request(client, asked, began, timeout))
        return found

    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(copy_context().run, work) for _ in range(workers)]
        samples = sorted((each for job in jobs for each in job.result()), key=lambda each: each.began_s)
    return Loop(workers, max((each.ended_s for each in samples), default=0.0), tuple(samples))


def request(client: Client, asked: int, since: float, timeout: float = 120.0) -> Sample:
    """One request for exactly so many tokens; an error is a Sample too.  `since` is the loop's start (monotonic)."""
    import httpx2
    import openai

    began, seen = time.monotonic(), _Seen()
    try:
        client.expecting(200, f"{asked} tokens against the clock")
        pieces = client.openai.chat.completions.create(
            model=client.model,
            messages=[{"role": "user", "content": PROMPT}],
            max_tokens=asked,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
            timeout=timeout,
            extra_body={"ignore_eos": True},
        )
        for piece in pieces:
            seen.take(piece)
        status: int | None = 200
    except openai.APIStatusError as error:
        status, seen.said = error.status_code, str(error.message)[:200]
    except (openai.OpenAIError, httpx2.HTTPError, ValueError, TypeError, AttributeError) as error:
        status, seen.said = None, f"{type(error).__name__}: {str(error)[:200]}"
    ended, first = time.monotonic() - since, None if seen.first is None else seen.first - since
    return Sample(asked, began - since, first, ended, seen.prompt_tokens, seen.tokens, status, seen.said)


class _Seen:
    """What the pieces of a stream have told so far."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.prompt_tokens: int | None = None
        self.tokens: int | None = None
        self.said = ""

    def take(self, piece: object) -> None:
        if usage := getattr(piece, "usage", None):
            self.prompt_tokens, self.tokens = usage.prompt_tokens, usage.completion_tokens
        if self.first is None and any(_words(choice.delta) for choice in getattr(piece, "choices", None) or ()):
            self.first = time.monotonic()


def _words(delta: object) -> bool:
    return any(getattr(delta, name, None) for name in ("reasoning", "reasoning_content", "content"))


@contextmanager
def own_load() -> Iterator[Callable[[], Load]]:
    """Watches this process while the context lasts; what it gives tells the Load, once the context has ended."""
    late: list[float] = []
    done, wall, cpu = threading.Event(), time.monotonic(), time.process_time()
    clock = threading.Thread(target=_tick, args=(late, done), name="own-load", daemon=True)
    clock.start()
    ended: list[float] = []
    try:
        yield lambda: _load(late, ended[0], ended[1])
    finally:
        ended += [time.monotonic() - wall, time.process_time() - cpu]
        done.set()
        clock.join()


def _tick(late: list[float], done: threading.Event) -> None:
    while not done.is_set():
        due = time.monotonic() + TICK_S
        time.sleep(TICK_S)
        late.append(max(0.0, time.monotonic() - due))


def _load(late: Sequence[float], wall_s: float, cpu_s: float) -> Load:
    ordered = sorted(late)
    p99 = ordered[math.ceil(0.99 * len(ordered)) - 1] if ordered else math.inf
    return Load(wall_s, cpu_s, len(ordered), p99, ordered[-1] if ordered else math.inf)
