"""Real nginx before a real vLLM on the CPU: what clients use works, and what vLLM leaves open is shut."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.gateway import figures
from tests.gateway.matrix import PLAIN, Trial, let_in, run
from tests.gateway.scene import ENGINE_KEY, OWN_KEY, Gateway, gateway
from tests.gateway.tricks import Asked
from tests.gateway.vllm import Vllm, vllm

pytestmark = pytest.mark.e2e
CHAT = {"model": "tiny-k2", "messages": [{"role": "user", "content": "Say one sentence."}], "max_tokens": 8}


@pytest.fixture(scope="module")
def server() -> Iterator[Vllm]:
    with vllm(ENGINE_KEY) as made:
        yield made


@pytest.fixture(scope="module")
def at(server: Vllm) -> Iterator[Gateway]:
    with gateway(server.port) as made:
        yield made


def call(at: Gateway, path: str, body: dict[str, Any] | None = None, key: str = OWN_KEY) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"https://127.0.0.1:{at.port}{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, context=at.trust, timeout=120) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_the_engine_itself_leaves_routes_open(server: Vllm) -> None:
    """Without this the rest would show nothing: at its own port full inference needs no key."""
    data = json.dumps(CHAT).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/invocations", data=data, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.status == 200 and json.loads(answer.read())["choices"]


def test_what_clients_use_works_through_the_gateway(at: Gateway) -> None:
    assert call(at, "/health") == (200, "")
    assert json.loads(call(at, "/v1/models")[1])["data"][0]["id"] == "tiny-k2"
    status, said = call(at, "/v1/chat/completions", CHAT)
    assert status == 200 and json.loads(said)["usage"]["completion_tokens"] == 8


def test_the_engines_own_key_opens_nothing_at_the_gateway(at: Gateway) -> None:
    assert call(at, "/v1/models", key=ENGINE_KEY)[0] == 401


def test_every_route_is_shut_without_a_key_and_unlisted_ones_with_one(at: Gateway, server: Vllm) -> None:
    document = json.loads(server.get("/openapi.json"))["paths"]
    assert set(document) == set(json.loads(figures.RECORDED.read_text())["paths"]), "record it anew"
    keyed = (f"Authorization: Bearer {OWN_KEY}",)
    plain = PLAIN["as it is"]
    every = [(method, path) for path, methods in figures.routes().items() for method in methods]
    shut = run((Trial("no key", f"{m} {p}", plain(Asked(m, p))) for m, p in every), at)
    assert not let_in(shut)
    listed = {f"{method} {path}" for path, methods in at.plan.routes for method in methods}
    others = run(
        (Trial("key", f"{m} {p}", plain(Asked(m, p, keyed))) for m, p in every if f"{m} {p}" not in listed), at
    )
    assert {status for outcome in others for status in outcome.statuses} == {404}


def test_64_streams_of_real_tokens_survive_a_reload(at: Gateway) -> None:
    body = CHAT | {"stream": True, "max_tokens": 384, "ignore_eos": True}
    with ThreadPoolExecutor(64) as pool:
        got = [pool.submit(call, at, "/v1/chat/completions", body) for _ in range(64)]
        at.admit("late", "key-of-late")
        assert not all(each.done() for each in got), "the streams ended before the reload: nothing was shown"
        done = [each.result() for each in got]
    assert all(status == 200 and said.rstrip().endswith("data: [DONE]") for status, said in done)
    assert call(at, "/v1/models", key="key-of-late")[0] == 200
