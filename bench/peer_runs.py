"""The peers: each in an environment and a process of its own, asked the same rows over JSON."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assumptions.formulas.eras import default_utilization
from assumptions.formulas.shapes import Range
from bench.measured_rows import Row
from bench.scoring import Answer
from flows.fit import named_card
from flows.fit_cells import quantisation

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".bench"
INSTALLS, ANSWERS = 900, 300  # seconds


@dataclass(frozen=True, slots=True)
class Peer:
    """Another planner: its name with version, its lock file, its script, and what it can't be told."""

    name: str
    lock: str
    script: str
    untold: str


PEERS = (
    Peer(
        "AIConfigurator 0.12.0",
        "aiconfigurator.lock",
        "aiconfigurator_peer.py",
        "an old vLLM version (it holds data for its newest ones), decode context parallelism, a vision tower's place",
    ),
    Peer(
        "hf-mem 0.5.6",
        "hf-mem.lock",
        "hf_mem_peer.py",
        "the GPU, its memory, utilisation, parallelism; its weights need the hub, which is not asked",
    ),
)


class PeerFailed(Exception):
    """A peer could not be had; the text says why."""


def answers(peer: Peer, rows: tuple[Row, ...], configs: Path) -> dict[str, Answer]:
    """What the peer says about each row; raises PeerFailed."""
    python = _environment(peer)
    asked = json.dumps([question(row, configs) for row in rows])
    said = _run([str(python), str(HERE / "peers" / peer.script)], ANSWERS, asked)
    try:
        told: dict[str, dict[str, Any]] = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError):
        raise PeerFailed(f"its answer is no JSON: {said[-200:]!r}") from None
    return {row.id: _answer(told.get(row.id, {"why_none": "no answer"})) for row in rows}


def question(row: Row, configs: Path) -> dict[str, Any]:
    """One row as every peer is asked it: with vLLM's own defaults filled in where the log says nothing."""
    config: Mapping[str, Any] = json.loads((configs / row.text("config")).read_text(encoding="utf-8"))
    known, version = named_card(row.text("gpu")), row.text("vllm_version")
    memory = row.number("total_gpu_gib") or (known.memory_gib.value if known and known.memory_gib else 0.0)
    small = memory < 70
    return {
        "id": row.id,
        "config": str((configs / row.text("config")).resolve()),
        "gpu": row.text("gpu"),
        "memory_gib": memory,
        **{key: row.whole(key, 1) for key in ("tp", "pp", "dp", "dcp")},
        "ep": row.text("ep").lower() in ("1", "true", "yes"),
        "utilization": row.number("gpu_mem_util") or default_utilization(version),
        "weight_quant": quantisation(row.columns, config),
        "kv_dtype": row.text("kv_dtype") or "auto",
        "context_tokens": row.whole("max_model_len", 2048),
        "max_num_seqs": row.whole("max_num_seqs", 256 if small else 1024),
        "max_num_batched_tokens": row.whole("max_num_batched_tokens", 2048 if small else 8192),
    }


def _environment(peer: Peer) -> Path:
    """The peer's own Python, installed from its lock the first time."""
    lock = HERE / "peers" / peer.lock
    mark = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = CACHE / f"{lock.stem}-{mark}"
    python, ready = home / "bin" / "python", home / "ready"
    if not ready.exists():
        print(f"installing {peer.name} into {home} (once)", file=sys.stderr)
        _run([sys.executable, "-m", "venv", "--clear", str(home)], INSTALLS)
        _run([str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(lock)], INSTALLS)
        ready.touch()
    return python


def _run(command: list[str], seconds: float, given: str = "") -> str:
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise PeerFailed(f"{Path(command[0]).name} took more than {seconds:.0f} s") from None
    except OSError as fault:
        raise PeerFailed(str(fault)) from None
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        raise PeerFailed(f"exit {done.returncode}: {(last or ['no message'])[-1][:160]}")
    return done.stdout


def _answer(told: Mapping[str, Any]) -> Answer:
    left = told.get("kv_gib")
    return Answer(
        verdict=told.get("verdict", ""),
        weights_gib=told.get("weights_gib"),
        kv_gib=None if left is None else Range(left, left, left),
        bytes_per_token=told.get("bytes_per_token"),
        why_none=told.get("why_none", ""),
    )
