"""Claim: the guide's load test prints the throughput.  Its own expression against requests over wall time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide import applies, finding, not_applicable
from assumptions._guide_text import EXPECTED_LATENCY_S, EXPECTED_REQUESTS_PER_S, LOAD_TEST
from assumptions._parts import check
from assumptions.formulas.throughput import requests_per_s, wall_time_s
from inventories.schema import Inventory
from tasks.site import Site

TOLERANCE = 0.05
ROUNDS = 10  # assumed: requests per unit of concurrency below which start and end dominate
FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {"len": len, "sum": sum, "max": max}
EXAMPLE_LATENCY_S = 2.0  # the slow end of what the guide expects
RIGHT = "divide by the wall time from the first request to the last answer, and count tokens: usage.completion_tokens"


@dataclass(frozen=True, slots=True)
class LoadTest:
    """The test as written: requests, how many at once, tokens asked for, and the expression that it prints."""

    requests: int
    workers: int
    max_tokens: int
    expression: str


def read(text: str) -> LoadTest:
    """From the code itself; raises ValueError where it is another program."""
    tree = ast.parse(text)
    keywords = {k.arg: k.value for node in ast.walk(tree) if isinstance(node, ast.Call) for k in node.keywords}
    counts = [
        ast.literal_eval(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "range"
    ]
    printed = [
        ast.unparse(part.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and "Throughput" in ast.unparse(node)
        for part in node.values
        if isinstance(part, ast.FormattedValue)
    ]
    if len(counts) != 1 or len(printed) != 1 or not {"max_workers", "max_tokens"} <= keywords.keys():
        raise ValueError("not a load test with a range, a pool and a printed throughput")
    workers, tokens = (int(ast.literal_eval(keywords[name])) for name in ("max_workers", "max_tokens"))
    return LoadTest(int(counts[0]), workers, tokens, printed[0])


def observe(site: Site, stage: Stage) -> LoadTest:
    """The guide's code; no host and no server."""
    return read(LOAD_TEST)


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of sums, quotients and len, sum, max of known names; LookupError for anything else."""
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _value(node.left, names) / _value(node.right, names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        return FUNCTIONS[node.func.id](_value(node.args[0], names))
    raise LookupError(ast.unparse(node))


def printed(seen: LoadTest, latency_s: float) -> float | None:
    """What the test prints when every request takes `latency_s`; None where the expression can't be read.

    `wall` in it is the time from the first request to the last answer.
    """
    latencies = [latency_s] * seen.requests
    names = {"prompts": latencies, "latencies": latencies, "wall": wall_time_s(latencies, seen.workers)}
    try:
        return float(_value(ast.parse(seen.expression, mode="eval").body, names))
    except (LookupError, TypeError, ZeroDivisionError):
        return None


def _parts(seen: LoadTest) -> Iterator[Part]:
    true = requests_per_s([EXAMPLE_LATENCY_S] * seen.requests, seen.workers)
    shown, best = printed(seen, EXAMPLE_LATENCY_S), printed(seen, EXPECTED_LATENCY_S[0])
    if shown is None or best is None:
        yield check("formula", None, f"{seen.expression}: can't be read", expected=f"{true:g} req/s")
        return
    said = (
        f"{seen.requests} requests of {EXAMPLE_LATENCY_S:g} s, {seen.workers} at once: prints {shown:g} req/s, "
        f"the truth is {true:g}"
    )
    right = abs(shown / true - 1) <= TOLERANCE
    yield check(
        "formula",
        right,
        said if right else f"{said}; {RIGHT}",
        expected=f"{true:g} req/s",
        measured=f"{shown:g} req/s",
    )
    said = (
        f"at {EXPECTED_LATENCY_S[0]:g} s a request it prints {best:g} req/s; the guide expects "
        f"{EXPECTED_REQUESTS_PER_S[0]:g} to {EXPECTED_REQUESTS_PER_S[1]:g}, which is {seen.workers} / latency"
    )
    yield check("expected figures", best >= EXPECTED_REQUESTS_PER_S[0], said, measured=f"{best:g} req/s")
    said = f"{seen.requests} requests, {seen.workers} at once, no warm-up: take {ROUNDS} rounds or more"
    enough = seen.requests >= ROUNDS * seen.workers
    yield check("sample", enough, said, expected=f">= {ROUNDS * seen.workers} requests", measured=seen.requests)


def judge(seen: LoadTest, inventory: Inventory) -> Finding:
    """Arithmetic alone: both rates for the same latencies."""
    if not applies(inventory):
        return not_applicable(inventory)
    return finding(
        _parts(seen),
        expected=f"requests / wall time, within {TOLERANCE:.0%}",
        source=f"arithmetic; {ROUNDS} rounds is assumed",
        provenance=Provenance.MODELLED,
    )


ASSUMPTION = Assumption(
    id="guide-throughput-formula",
    guide="K2 Thinking guide §4.4",
    states="The guide's load test prints the throughput of the server.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Divide tokens and requests by the wall time, at several concurrencies, and give percentiles of the time to "
    "the first token and between tokens; `vllm bench serve` does.",
    version=1,
    observe=observe,
    judge=judge,
)
