"""Scores our memory model beside AIConfigurator and hf-mem, on the same public vLLM logs, in one run.

    .venv/bin/python bench/memory_model.py [--rows CSV --configs DIR] [--no-peers] [--markdown FILE] [--json FILE]

Scored are the rows on NVIDIA cards that came up and whose config.json is there, one for each group and version; runs
that failed for lack of memory are asked too.  Each peer has an environment of its own below .bench/ (880 MB, installed
from its lock the first time).  Exit status: 0 when we meet our targets, 1 when we miss one, 2 for bad input.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assumptions.formulas.shapes import Range, UnsupportedConfig
from bench import calibration, measured_rows, peer_runs, score_page, score_tables
from bench.scoring import Answer, Score, missed, score
from flows.fit_batch import batch
from inventories.errors import BadInput

Told = dict[str, Mapping[str, Answer]]


def ours(rows: tuple[measured_rows.Row, ...], table: Path, configs: Path) -> dict[str, Answer]:
    """What `beachhead fit --batch` says about each of the rows, by row id."""
    asked, answers = {row.id for row in rows}, {}
    for said in batch(table, configs):
        if said["id"] not in asked:
            continue
        kv, why = said.get("kv_gib_per_gpu"), said.get("skipped") or "; ".join(said.get("reasons", [])[:1])
        answers[said["id"]] = Answer(
            verdict=said.get("verdict", ""),
            weights_gib=said.get("weights_gib_per_gpu"),
            kv_gib=Range(kv["low"], kv["mid"], kv["high"]) if kv else None,
            bytes_per_token=said.get("kv_bytes_per_token_per_rank"),
            budget_gib=said.get("budget_gib"),
            why_none="" if kv else why,
        )
    return answers


def peers(rows: tuple[measured_rows.Row, ...], configs: Path) -> tuple[Told, dict[str, str]]:
    """What each peer says, and why a peer could not be had."""
    told: Told = {}
    absent = {}
    for peer in peer_runs.PEERS:
        try:
            told[peer.name] = peer_runs.answers(peer, rows, configs)
        except peer_runs.PeerFailed as why:
            absent[peer.name] = f"not had: {why}"
    return told, absent


def main(given: list[str] | None = None) -> int:
    """Ask, score, show; the exit status."""
    options = _options(given)
    try:
        rows = measured_rows.read(options.rows, options.configs)
        told: Told = {score_tables.OURS: ours(rows, options.rows, options.configs)}
        runs = calibration.runs(measured_rows.scored(rows), told[score_tables.OURS], options.configs)
        out = {key: calibration.left_out(runs, of) for key, of in calibration.KEYS.items()}
    except (BadInput, UnsupportedConfig, OSError, ValueError) as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 2
    others, absent = ({}, {}) if options.no_peers else peers(rows, options.configs)
    told |= others
    scores: dict[str, Score | str] = {name: score(rows, answers) for name, answers in told.items()}
    tables = (score_tables.summary(scores | absent), score_tables.left_out(out), score_tables.every_row(rows, told))
    for table in tables:
        score_tables.show(table)
    return _finish(options, scores, tables, told, rows)


def _finish(
    options: argparse.Namespace,
    scores: dict[str, Score | str],
    tables: tuple[score_tables.Table, ...],
    told: Told,
    rows: tuple[measured_rows.Row, ...],
) -> int:
    if options.markdown:
        options.markdown.write_text(score_page.page(tables, told, measured_rows.scored(rows)), encoding="utf-8")
    if options.json:
        options.json.write_text(
            json.dumps({name: asdict(each) for name, each in scores.items() if isinstance(each, Score)})
        )
    mine = scores[score_tables.OURS]
    misses = missed(mine) if isinstance(mine, Score) else ["no score of our own"]
    for target in misses:
        print(f"MISSED: {target}")
    for name, answers in told.items():
        why = sorted({answer.why_none for answer in answers.values() if answer.why_none})
        print(f"{name}, no answer: {'; '.join(why) or 'none'}")
    return 1 if misses else 0


def _options(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Scores our memory model beside its peers on the same public vLLM logs."
    )
    parser.add_argument("--rows", type=Path, default=measured_rows.TABLE, help="the table of measured rows")
    parser.add_argument("--configs", type=Path, default=measured_rows.CONFIGS, help="the folder of its configs")
    parser.add_argument("--no-peers", action="store_true", help="score ourselves alone")
    parser.add_argument("--markdown", type=Path, help="write the page for the documentation")
    parser.add_argument("--json", type=Path, help="write the scores")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
