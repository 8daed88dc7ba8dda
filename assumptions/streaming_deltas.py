"""Claim: a streamed answer is the same answer, comes as it is made, and ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from assumptions._api import PROMPT, ask, content, finish, first_unusable, request, thinking, thoughts
from assumptions._api_stream import DONE, Streamed, stream, unstreamed
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

STALL_S = 60.0  # nginx, proxy_read_timeout: the default of what stands between most servers and their clients
LINES = 32  # tokens of thinking at least, so that there are lines enough to see their arrival
APART_S = 0.001  # lines nearer than that came in one piece
BRIEF_S = 1.0  # a stream that took less may have come in one piece because nobody had the time to hand it on
PIECES, SHARE = 3, 0.1  # so many arrivals at least, and for a tenth of the lines
SOURCE = (
    "nginx, proxy_read_timeout 60 s between two reads; OpenAI API reference, streaming: [DONE] ends it; arrivals for a "
    "tenth of the lines assumed: a proxy's buffer of 8 KiB holds some 30 of them; "
    "that less than 1 s of stream tells nothing is assumed too: on two busy cores 43 lines came at once after 0.18 s"
)


@dataclass(frozen=True, slots=True)
class Deltas:
    """The same question whole, as a stream, and whole again; `waited` is how long the client waits for a line."""

    before: Reply
    streamed: Streamed
    after: Reply
    waited: float


def observe(site: Site, stage: Stage) -> Deltas:
    """Three times the same at temperature 0."""
    body = request(site.inventory, PROMPT, thinking_token_budget=max(LINES, thoughts(site.inventory)))
    with served(site, stage) as at:
        before = ask(at.client, "whole, before the stream", body)
        streamed = stream(at.client, "streamed", body)
        return Deltas(before, streamed, ask(at.client, "whole, after the stream", body), at.client.timeout)


def arrivals(times: tuple[float, ...]) -> int:
    """In how many pieces the lines came."""
    return sum(later - earlier > APART_S for earlier, later in pairwise(times)) + bool(times)


def least(lines: int) -> int:
    """In how many pieces so many lines must come."""
    return max(PIECES, round(lines * SHARE))


def _ends(seen: Deltas) -> Part:
    """[DONE] at the end; where the client gave up sooner than the limit, nobody knows."""
    if seen.streamed.broke:
        impatient = "Timeout" in seen.streamed.broke and seen.waited < STALL_S
        said = f"broke off after {len(seen.streamed.times)} lines: {seen.streamed.broke}"
        return check("ends", None if impatient else False, said, expected=DONE)
    done, ends = seen.streamed.done, seen.streamed.finishes
    said = f"{'ends with' if done else 'ends without'} {DONE}, finish {', '.join(ends) or 'not told'}"
    return check("ends", done and len(ends) == 1, said, expected=f"one finish, then {DONE}", measured=len(ends))


def _spread(seen: Streamed) -> Part:
    """Few pieces of a short stream show nothing: a client or a server that was not given its turn looks the same."""
    pieces, lines = arrivals(seen.times), len(seen.times)
    said = f"{lines} lines in {pieces} pieces over {seen.seconds:.2f} s"
    wanted = f">= {least(lines)} pieces"
    if lines < 2 * PIECES:
        return check("spread", None, f"{said}: too few to tell", expected=wanted, measured=pieces)
    holds = pieces >= least(lines)
    if not holds and seen.seconds < BRIEF_S:
        return check("spread", None, f"{said}: too short to tell", expected=wanted, measured=pieces)
    return check("spread", holds, said, expected=wanted, measured=pieces)


def _stall(seen: Streamed) -> Part:
    """The longest wait between two lines, the last one's for the end included."""
    longest = max((later - earlier for earlier, later in pairwise((*seen.times, seen.seconds))), default=0.0)
    said = f"{longest:.3f} s at most between two lines"
    return check("stall", longest <= STALL_S, said, expected=f"<= {STALL_S:g} s", measured=f"{longest:.3f}")


def _same(seen: Deltas) -> Part:
    """The text of the stream; where two whole answers differ already, a difference tells nothing."""
    whole = [("whole", seen.before), ("whole again", seen.after)]
    if (part := first_unusable(whole)) is not None:
        return part
    texts = [(thinking(reply), content(reply)) for _, reply in whole]
    own = (seen.streamed.thinking, seen.streamed.content)
    ended = seen.streamed.finishes[-1:] == (finish(seen.before),)
    if own in texts and ended:
        return check("text", True, f"{len(own[0])} + {len(own[1])} characters, as unstreamed", expected="the same text")
    steady = texts[0] == texts[1]
    said = f"{len(own[0])} + {len(own[1])} characters, unstreamed {len(texts[0][0])} + {len(texts[0][1])}"
    unsteady = "" if steady else "; two unstreamed answers differ as well"
    return check("text", False if steady else None, said + unsteady, expected="the same text")


def _parts(seen: Deltas) -> Iterator[Part]:
    if (part := unstreamed("stream", seen.streamed, half=True)) is not None:
        yield part
        return
    yield _ends(seen)
    yield _spread(seen.streamed)
    yield _stall(seen.streamed)
    if not seen.streamed.broke:
        yield _same(seen)


def judge(seen: Deltas, inventory: Inventory) -> Finding:
    """Ends with [DONE], comes in pieces, never silent for long, and says what the whole answer says."""
    return finding(
        _parts(seen),
        good=f"{len(seen.streamed.times)} lines in {arrivals(seen.streamed.times)} pieces, the same text, then {DONE}",
        expected=f"the same text in pieces, no silence above {STALL_S:g} s, then {DONE}",
        source=SOURCE,
        value=float(arrivals(seen.streamed.times)),
        unit="pieces",
        limit=float(least(len(seen.streamed.times))),
    )


ASSUMPTION = Assumption(
    id="streaming-deltas",
    guide="K2 Thinking guide §5.1",
    states="A streamed answer says the same, comes as it is made, and ends as clients expect.",
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.ADVISORY,
    remedy="Switch buffering off wherever the answer passes (nginx: proxy_buffering off), give reads more time than "
    "the longest silence, and look at the stream in the raw record.",
    version=2,
    observe=observe,
    judge=judge,
)
