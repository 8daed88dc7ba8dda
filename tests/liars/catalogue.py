"""Which lie is to be seen by which claim, and what the right word is.

FAIL where the lie shows something that must not be; UNKNOWN where it leaves nothing to judge by.
"""

from __future__ import annotations

from assumptions._core import Outcome, Stage
from tests.liars import access, counts, errors, requests, streams, text, tools
from tests.liars import host as hosts
from tests.liars.exchange import Lie

FAIL, UNKNOWN = frozenset({Outcome.FAIL}), frozenset({Outcome.UNKNOWN})
NOT_PASS = FAIL | UNKNOWN  # which of the two depends on what broke off first
STAGING, LIVE = Stage.STAGING, Stage.LIVE
Row = tuple[str, Stage, dict[str, frozenset[Outcome]]]


def lies(key: access.Key, model: str, window_tokens: int) -> dict[str, Lie | hosts.HostLie]:
    """Every lie by its name, for a server with this key, model and window."""
    made = (*access.of(key), requests.any_model(model), requests.shortening(window_tokens))
    kept = (*text.LIES, *counts.LIES, *requests.LIES, *tools.LIES, *streams.LIES, *errors.LIES, *access.LIES)
    every: tuple[Lie | hosts.HostLie, ...] = (*made, *kept, *hosts.LIES)
    found = {lie.name: lie for lie in every}
    if len(found) != len(every):
        raise ValueError("two lies have one name")
    return found


OPENAI: Row = (
    "openai-api",
    LIVE,
    {
        "empty-content": FAIL,
        "nothing-said": FAIL,
        "no-choices": NOT_PASS,
        "stop-called-length": FAIL,
        "usage-missing": FAIL,
        "completion-zero": FAIL,
        "models-empty": FAIL,
        "other-model": FAIL,
        "any-model-answers": FAIL,
        "tools-ignored": FAIL,
        "tool-arguments-cut": FAIL,
        "tool-argument-added": FAIL,
        "tool-numbers-as-text": FAIL,
        "tool-renamed": FAIL,
        "tool-in-content": FAIL,
        "one-lump": FAIL,
        "stream-without-usage": FAIL,
        "frozen-stream": NOT_PASS,
        "broken-stream": NOT_PASS,
        "error-in-stream": NOT_PASS,
        "error-in-200": NOT_PASS,
        "truncated-json": NOT_PASS,
        "connection-cut": UNKNOWN,
        "hangs-up": UNKNOWN,
        "refusals-as-200": FAIL,
        "refusals-as-500": FAIL,
        "every-third-500": FAIL,
        "nothing-behind": UNKNOWN,
        "health-500": FAIL,
        "key-not-needed": FAIL,
        "any-key": FAIL,
        "invocations-open": FAIL,
        "key-refused": FAIL,
    },
)
BUDGET: Row = (
    "thinking-budget",
    LIVE,
    {
        "budget-ignored": FAIL,
        "budget-times-4": FAIL,
        "budget-anywhere": FAIL,
        "budget-of-words": FAIL,
        "max-tokens-ignored": FAIL,
        "length-called-stop": FAIL,
        "empty-content": FAIL,
        "completion-doubled": FAIL,
        "thinking-uncounted": UNKNOWN,
        "thinking-undercounted": UNKNOWN,
        "thinking-overcounted": FAIL,
        "usage-missing": UNKNOWN,
        "frozen-stream": UNKNOWN,
        "error-in-200": NOT_PASS,
        "truncated-json": NOT_PASS,
        "hangs-up": UNKNOWN,
        "every-third-500": NOT_PASS,
        "nothing-behind": UNKNOWN,
        "refusals-as-200": NOT_PASS,
    },
)
CONTEXT: Row = (
    "context-256k",
    STAGING,
    {
        "context-cut": FAIL,
        "too-long-is-cut": FAIL,
        "prompt-tokens-wrong": FAIL,
        "completion-doubled": FAIL,
        "usage-missing": FAIL,
        "refusals-as-500": FAIL,
        "refusals-as-200": FAIL,
        "refusals-without-body": FAIL,
        "error-in-200": FAIL,
        "every-third-500": FAIL,
    },
)
DOORS: Row = (
    "no-unauthenticated-route",
    LIVE,
    {
        "key-not-needed": FAIL,
        "any-key": FAIL,
        "models-open": FAIL,
        "metrics-open": FAIL,
        "invocations-open": FAIL,
        "docs-open": FAIL,
        "key-refused": UNKNOWN,
        "nothing-behind": NOT_PASS,
        "port-open": FAIL,
        "sockets-unread": UNKNOWN,
    },
)
HEALTH: Row = (
    "health-body",
    STAGING,
    {"health-says-healthy": FAIL, "health-503": UNKNOWN, "health-500": FAIL, "nothing-behind": UNKNOWN},
)
LOGGED: tuple[Row, ...] = (
    ("memory-fit", STAGING, {"log-kv-shrunk": FAIL, "log-kv-tiny": FAIL, "log-kv-gone": UNKNOWN, "log-empty": UNKNOWN}),
    (
        "serving-flags-accepted",
        STAGING,
        {"log-other-window": FAIL, "log-no-parser": FAIL, "log-no-arguments": UNKNOWN, "log-empty": UNKNOWN},
    ),
    (
        "weights-integrity-at-load",
        STAGING,
        {"log-other-weights": FAIL, "file-written-later": FAIL, "file-touched-later": UNKNOWN, "files-gone": FAIL},
    ),
    ("start-within-probe-delay", STAGING, {"metrics-late": FAIL}),
    ("restart-recovery", LIVE, {"watchdog-ended": FAIL, "breaker-open": FAIL}),
)
SAID: tuple[Row, ...] = (
    (
        "thinking-trace-field",
        LIVE,
        {
            "thinking-in-content": FAIL,
            "think-mark-in-content": FAIL,
            "thinking-dropped": FAIL,
            "thinking-renamed": FAIL,
            "error-in-200": FAIL,
            "error-in-stream": FAIL,
            "broken-stream": FAIL,
            "truncated-json": FAIL,
            "frozen-stream": UNKNOWN,
            "nothing-behind": UNKNOWN,
            "hangs-up": UNKNOWN,
        },
    ),
    (
        "json-schema",
        LIVE,
        {
            "schema-ignored": FAIL,
            "thinking-in-content": FAIL,
            "empty-content": FAIL,
            "one-token": FAIL,
            "truncated-json": FAIL,
            "error-in-200": FAIL,
            "every-third-500": FAIL,
            "nothing-behind": UNKNOWN,
        },
    ),
    (
        "logprobs",
        LIVE,
        {
            "logprobs-dropped": FAIL,
            "logprobs-positive": FAIL,
            "logprobs-flat": FAIL,
            "top-logprobs-cut": FAIL,
            "half-quantised": FAIL,
            "completion-doubled": FAIL,
            "usage-missing": UNKNOWN,
            "error-in-200": FAIL,
            "nothing-behind": UNKNOWN,
        },
    ),
    (
        "stop-sequences",
        STAGING,
        {
            "stop-ignored": FAIL,
            "half-streamed": FAIL,
            "stop-called-length": UNKNOWN,
            "nothing-said": UNKNOWN,
            "error-in-200": FAIL,
            "error-in-stream": FAIL,
        },
    ),
    (
        "seeds",
        STAGING,
        {"seed-ignored": FAIL, "sampled-hot": FAIL, "one-seed": UNKNOWN, "nothing-said": UNKNOWN, "error-in-200": FAIL},
    ),
    (
        "usage-counts",
        STAGING,
        {
            "usage-missing": FAIL,
            "prompt-tokens-wrong": FAIL,
            "completion-doubled": FAIL,
            "completion-zero": FAIL,
            "total-wrong": FAIL,
            "tokenizer-off": FAIL,
            "thinking-overcounted": FAIL,
            "thinking-uncounted": UNKNOWN,
            "stream-without-usage": FAIL,
            "half-streamed": FAIL,
            "logprobs-dropped": UNKNOWN,
        },
    ),
    (
        "error-format",
        LIVE,
        {
            "refusals-as-200": FAIL,
            "refusals-as-500": FAIL,
            "refusals-without-body": FAIL,
            "refusals-in-html": FAIL,
            "any-model-answers": FAIL,
            "too-long-is-cut": FAIL,
            "key-not-needed": FAIL,
            "nothing-behind": UNKNOWN,
        },
    ),
    (
        "streaming-deltas",
        LIVE,
        {
            "no-done": FAIL,
            "at-once": FAIL,
            "one-lump": NOT_PASS,
            "half-streamed": FAIL,
            "broken-stream": FAIL,
            "error-in-stream": FAIL,
            "frozen-stream": UNKNOWN,
            "nothing-behind": UNKNOWN,
        },
    ),
    ("thinking-budget-range", STAGING, {"large-budget-refused": FAIL, "error-in-200": FAIL}),
    ("context-recall", LIVE, {"context-cut": FAIL, "prompt-tokens-wrong": FAIL, "one-token": FAIL}),
)
CALLS: tuple[Row, ...] = (
    (
        "tool-calling",
        STAGING,
        {
            "tools-ignored": FAIL,
            "tool-arguments-cut": FAIL,
            "tool-argument-added": FAIL,
            "tool-numbers-as-text": FAIL,
            "tool-renamed": FAIL,
            "tool-in-content": FAIL,
            "error-in-200": FAIL,
            "error-in-stream": FAIL,
        },
    ),
    (
        "forced-tools",
        STAGING,
        {
            "tools-ignored": FAIL,
            "tool-choice-ignored": FAIL,
            "tool-choice-lost": FAIL,
            "tool-arguments-cut": FAIL,
            "tool-renamed": FAIL,
            "tool-in-content": FAIL,
            "refusals-as-200": FAIL,
            "error-in-200": FAIL,
        },
    ),
    ("parallel-tool-calls", STAGING, {"parallel-ignored": FAIL, "tool-renamed": FAIL, "error-in-200": FAIL}),
)
AROUND: tuple[Row, ...] = (
    ("metric-names", STAGING, {"metrics-renamed": FAIL, "metrics-gone": UNKNOWN}),
    ("network-isolation", LIVE, {"port-open": FAIL, "sockets-unread": UNKNOWN}),
    ("continuous-batching", STAGING, {"every-third-500": UNKNOWN, "usage-missing": UNKNOWN, "error-in-200": UNKNOWN}),
    ("weights-intact", Stage.WEIGHTS, {"hub-other-digests": FAIL, "hub-unread": UNKNOWN}),
    ("vendor-checksums", Stage.WEIGHTS, {"hub-without-digests": FAIL, "hub-unread": UNKNOWN}),
)
ROWS: tuple[Row, ...] = (OPENAI, BUDGET, CONTEXT, DOORS, HEALTH, *LOGGED, *SAID, *CALLS, *AROUND)
# Claims that are false of every vLLM: without a fault means here that what they ask for is there.
RIGHT = {
    "health-body": errors.HEALTH_OK,
    "metric-names": access.GUIDES_NAMES,
    "thinking-budget-range": access.GUIDES_DEFAULT,
}


def cases() -> list[tuple[str, Stage, str, frozenset[Outcome]]]:
    """One a pair."""
    return [(name, stage, fault, seen) for name, stage, faults in ROWS for fault, seen in faults.items()]


UNPLAYED = {  # lies that no claim can see on a checkpoint that knows nothing: they are played on a real model alone
    "context-cut-hidden": "the counts agree; only what is recalled tells, and a rehearsal's model recalls nothing",
    "one-call-alone": "whether a second call was wanted only a model tells that makes several by itself",
}
