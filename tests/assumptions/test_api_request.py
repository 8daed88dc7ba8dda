"""What the claims about the served API ask with, and how they read what is no completion."""

from typing import Any

import pytest

from assumptions._api import FEW_THOUGHTS, ROOM, THOUGHTS, content, finish, message, request, spent, thinking, trouble
from inventories.load import load
from inventories.schema import Inventory
from serving.client import Reply
from tests.assumptions.served_api import BROKEN, GONE, HTML, REAL, REHEARSAL, WITH_ERROR, seen


def with_model(inventory: Inventory, **engine: Any) -> Inventory:
    return inventory.model_copy(update={"engine": inventory.engine.model_copy(update=engine)})


def test_little_thinking_and_room_for_the_answer() -> None:
    assert request(REAL, "Hello") == {
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 0,
        "thinking_token_budget": THOUGHTS,
        "max_tokens": THOUGHTS + ROOM,
    }
    assert request(REHEARSAL)["thinking_token_budget"] == FEW_THOUGHTS
    assert "temperature" not in request(REAL, temperature=None)
    assert request(REAL, seed=3, max_tokens=5)["max_tokens"] == 5
    small = REAL.model_copy(update={"serving": REAL.serving.model_copy(update={"context_tokens": 1_000})})
    assert request(small)["max_tokens"] == 500


def test_a_model_that_the_engine_cannot_split_gets_no_budget() -> None:
    gguf = load("mac-studio-m3-ultra")
    plain = with_model(gguf, options={**gguf.engine.options, "reasoning_parser": None})
    told = with_model(gguf, options={**gguf.engine.options, "reasoning_parser": "kimi_k2"})
    assert "thinking_token_budget" in request(told)
    assert ("thinking_token_budget" in request(plain)) == ("thinking_token_budget" in request(gguf))


@pytest.mark.parametrize("reply", [GONE, BROKEN, HTML, WITH_ERROR, Reply(200, {"choices": [{}]}, "", 0.0, "r1")])
def test_nothing_is_read_out_of_what_is_no_completion(reply: Reply) -> None:
    assert (content(reply), thinking(reply), finish(reply), spent(reply)) == ("", "", None, None)
    assert message(reply) == {} and trouble(reply) is not None


@pytest.mark.parametrize("status", [401, 403, 408, 429, 502, 503, 504])
def test_what_is_not_the_models_word(status: int) -> None:
    found = trouble(Reply(status, None, "no", 0.0, "r1"))
    assert found is not None and found[0] is None


def test_a_completion_is_one() -> None:
    assert trouble(seen("usage-counts").whole) is None
