"""Result files of lm-evaluation-harness (0.4) and of Inspect (logs as JSON), read for their scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from assumptions._quality import Beside
from inventories.errors import BadInput

# of lm-evaluation-harness: the first of these that a task has
_METRICS = ("exact_match,flexible-extract", "exact_match,strict-match", "exact_match", "pass@1", "acc")


@dataclass(frozen=True, slots=True)
class Result:
    """One task of one run: its score as a share, of how many answers, whether all questions were asked."""

    suite: str
    task: str
    metric: str
    share: float
    answers: int
    whole: bool
    model: str
    address: str
    taken_at: datetime
    path: str
    sha256: str


def results(file: Beside) -> tuple[Result, ...]:
    """Every task of the file.  BadInput where it is of neither kind."""
    try:
        body = json.loads(file.content)
        found = tuple(_inspect(file, body) if "eval" in body else _harness(file, body))
    except (ValueError, LookupError, TypeError, AttributeError):
        found = ()
    if not found:
        kind = (
            "an .eval archive: `inspect log convert --to json`" if file.content[:2] == b"PK" else "no such result file"
        )
        fix = "name the results_*.json of lm-eval --output_path, or a log of inspect eval --log-format json"
        raise BadInput(f"it holds no scores that can be read ({kind})", where=file.path, fix=fix)
    return found


def _harness(file: Beside, body: Mapping[str, Any]) -> Iterator[Result]:
    config = body.get("config") or {}
    arguments = config.get("model_args") or {}
    if isinstance(arguments, str):
        arguments = dict(pair.partition("=")[::2] for pair in arguments.split(","))
    for task, told in body["results"].items():
        metric = next((name for name in _names(told) if isinstance(told.get(name), (int, float))), None)
        count = body["n-samples"].get(task)
        if metric is None or not count:
            continue  # a group of tasks has no answers of its own
        yield Result(
            suite=f"lm-eval {body.get('lm_eval_version', '')}".strip(),
            task=task,
            metric=metric,
            share=float(told[metric]),
            answers=int(count["effective"]),
            whole=count["effective"] >= count["original"] and config.get("limit") is None,
            model=str(body.get("model_name") or arguments.get("model")),
            address=str(arguments.get("base_url", "")),
            taken_at=datetime.fromtimestamp(float(body["date"]), UTC),
            path=file.path,
            sha256=file.sha256,
        )


def _names(told: Mapping[str, Any]) -> Iterator[str]:
    for wanted in _METRICS:
        yield from (name for name in told if name == wanted or name.startswith(f"{wanted},"))


def _inspect(file: Beside, body: Mapping[str, Any]) -> Iterator[Result]:
    about, told = body["eval"], body["results"]
    config = about.get("config") or {}
    best = told["scores"][0]
    metric = next((name for name in ("accuracy", "mean") if name in best["metrics"]), "")
    if not metric:
        return
    done = int(told["completed_samples"])
    partial = config.get("limit") is not None or config.get("sample_id") is not None
    yield Result(
        suite=f"Inspect {(about.get('packages') or {}).get('inspect_ai', '')}".strip(),
        task=str(about["task"]),
        metric=f"{best['name']} {metric}",
        share=float(best["metrics"][metric]["value"]),
        answers=done,
        whole=body.get("status") == "success" and done == int(told["total_samples"]) and not partial,
        model=str(about["model"]).rpartition("/")[2],
        address=str(about.get("model_base_url") or ""),
        taken_at=datetime.fromisoformat(about["created"]).astimezone(UTC),
        path=file.path,
        sha256=file.sha256,
    )
