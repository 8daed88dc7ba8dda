"""tool-calls-300: every walk must reach 200 right calls; the world never answers a wrong one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions._quality_chain import Chain, key, walk
from assumptions.tool_calls_300 import FLOOR, STEPS, Walked, judge
from inventories.load import load
from serving.client import Client
from tasks.site import unrecorded
from tests.recorded import recordings

INVENTORY = load("h200x8")
WHOLE = Chain(STEPS, STEPS, STEPS + 1, "word", 200, "", key(0, STEPS))
LOST = Chain(STEPS, 41, 42, "it stopped calling", 200, "", "Shall I go on?")


def walked(*walks: Chain, room: int = STEPS) -> Walked:
    return Walked(room, walks)


RECORDED_CASES = {
    "tool-calls-300": {
        "pass": lambda: (walked(WHOLE, WHOLE, replace(LOST, right=214, turns=215)), "h200x8"),
        "fail": lambda: (walked(LOST, replace(LOST, right=120), replace(LOST, right=3)), "h200x8"),
        "unknown": lambda: (walked(WHOLE, LOST, WHOLE), "h200x8"),
    },
}

CASES: dict[str, tuple[Walked, Outcome]] = {
    "all to the end": (walked(WHOLE, WHOLE, WHOLE), Outcome.PASS),
    "just enough": (walked(*[replace(LOST, right=FLOOR)] * 3), Outcome.PASS),
    "just not enough": (walked(*[replace(LOST, right=FLOOR - 1)] * 3), Outcome.FAIL),
    "one lost": (walked(WHOLE, WHOLE, LOST), Outcome.UNKNOWN),
    "all lost": (walked(LOST, LOST, LOST), Outcome.FAIL),
    "no room": (walked(WHOLE, WHOLE, WHOLE, room=199), Outcome.UNKNOWN),
    "an answer was lost": (walked(WHOLE, WHOLE, replace(LOST, status=0, ended="no answer")), Outcome.UNKNOWN),
    "arguments no JSON": (walked(WHOLE, WHOLE, replace(LOST, broken="arguments are no JSON")), Outcome.FAIL),
    "refused": (walked(WHOLE, WHOLE, replace(LOST, status=400, broken="refused")), Outcome.FAIL),
    "server error": (walked(WHOLE, replace(LOST, status=500, broken="refused"), WHOLE), Outcome.UNKNOWN),
}


@pytest.mark.parametrize("case", CASES)
def test_all_walks_or_none_decide(case: str) -> None:
    seen, outcome = CASES[case]
    assert judge(seen, INVENTORY).outcome is outcome


def test_the_least_walk_is_the_figure() -> None:
    finding = judge(walked(WHOLE, replace(LOST, right=240)), INVENTORY)
    assert (finding.value, finding.limit, finding.samples) == (240.0, 200.0, 2)


def test_a_rehearsal_shows_the_turns_alone() -> None:
    rehearsal = recordings.rehearsal()
    turns = Chain(4, 0, 4, "as many turns as were asked for", 200, "")
    assert judge(walked(turns, room=81), rehearsal).outcome is Outcome.UNKNOWN
    assert judge(walked(replace(turns, broken="arguments are no JSON"), room=81), rehearsal).outcome is Outcome.FAIL


@dataclass
class Follower:
    """An engine that follows the chain by what the last tool said, and does one thing wrong at a turn of its own."""

    fault: str = ""
    at: int = 3
    sent: int = 0

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        told = body["messages"][-1]["content"]
        turn = (len(body["messages"]) - 1) // 2
        wanted = told.partition("next: ")[2] or key(body["seed"], 0)
        if told.startswith("word: "):
            word = told.removeprefix("word: ")
            return {"role": "assistant", "content": "no idea" if self.fault == "word" else word}
        if turn == self.at and self.fault == "stops":
            return {"role": "assistant", "content": "Shall I go on?"}
        arguments = json.dumps({"key": "k0" if turn == self.at and self.fault == "key" else wanted})
        if turn == self.at and self.fault == "json":
            arguments = arguments[:-2]
        call = {"id": f"functions.follow:{turn}", "type": "function"}
        call |= {"function": {"name": "follow", "arguments": arguments}}  # type: ignore[dict-item]
        return {"role": "assistant", "content": None, "reasoning": "On I go.", "tool_calls": [call]}


@contextmanager
def served(follower: Follower) -> Iterator[Client]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            ids = [m["tool_calls"][0]["id"] for m in body["messages"] if m.get("tool_calls")]
            answered = [m["tool_call_id"] for m in body["messages"] if m["role"] == "tool"]
            assert ids == answered and all(m["reasoning"] for m in body["messages"] if m.get("tool_calls"))
            message = follower.reply(body)
            finish = "tool_calls" if message.get("tool_calls") else "stop"
            content = json.dumps({"choices": [{"message": message, "finish_reason": finish}]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with Client(f"http://127.0.0.1:{server.server_port}/v1", model="m", api_key=None, record=unrecorded) as client:
            yield client
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("fault", "right", "ended"),
    [
        ("", 12, "word"),
        ("word", 12, "no word in its answer"),
        ("stops", 3, "it stopped calling"),
        ("key", 3, "called with 'k0', not "),
        ("json", 3, "arguments are no JSON"),
    ],
)
def test_the_world_counts_right_calls_in_a_row(fault: str, right: int, ended: str) -> None:
    with served(Follower(fault)) as client:
        found = walk(client, 7, 12, forced=False, most_tokens=64, budget=8)
    assert (found.right, found.steps) == (right, 12)
    assert found.ended.startswith(ended)
    assert bool(found.broken) is (fault == "json")


def test_no_key_can_be_guessed_from_another() -> None:
    keys = [key(0, step) for step in range(STEPS + 1)] + [key(1, step) for step in range(STEPS + 1)]
    assert len(set(keys)) == len(keys)
