"""Asks AIConfigurator the rows on standard input; runs in its own environment, so it imports nothing of ours.

In: a JSON list of questions (see bench/peer_runs.py).  Out, as the last line: an object of id to weights_gib, kv_gib,
bytes_per_token, verdict, why_none.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from aiconfigurator.sdk.memory import estimate_kv_cache  # type: ignore[import-not-found]

GIB = 2**30
SYSTEMS = {
    "A100-": "a100_sxm",
    "H100-": "h100_sxm",
    "H200-": "h200_sxm",
    "B200-": "b200_sxm",
    "B300-": "b300_sxm",
    "L40S-": "l40s",
    "RTX-PRO-6000": "rtx_pro_6000_server",
}
GEMM = {"fp8-dynamic": "fp8"}  # where config.json is the unquantised base's; else it reads config.json itself


def ask(question: dict[str, Any], folder: str) -> dict[str, Any]:
    """One answer; `why_none` says what kept it from giving one."""
    system = next((name for start, name in SYSTEMS.items() if question["gpu"].startswith(start)), None)
    if system is None:
        return {"why_none": f"no data for the card {question['gpu']}"}
    ranks = question["tp"] * question["dp"]
    try:
        found = estimate_kv_cache(
            folder,
            system,
            "vllm",
            "current",
            max_num_tokens=question["max_num_batched_tokens"],
            max_batch_size=question["max_num_seqs"],
            memory_fraction_kind="of_total",
            memory_fraction_value=question["utilization"],
            tp_size=question["tp"],
            pp_size=question["pp"],
            attention_dp_size=question["dp"],
            moe_tp_size=1 if question["ep"] else ranks,
            moe_ep_size=ranks if question["ep"] else 1,
            gemm_quant_mode=GEMM.get(question["weight_quant"] or ""),
            kvcache_quant_mode="fp8" if question["kv_dtype"].startswith("fp8") else "bfloat16",
            gpu_memory_capacity_bytes_override=int(question["memory_gib"] * GIB),
        )
    except ValueError as refusal:
        if "no KV budget" in str(refusal):
            return {"verdict": "does-not-fit", "why_none": "says that no memory is left for KV"}
        return {"why_none": str(refusal).rsplit(": ", 1)[-1][:160]}
    fits = found["total_kv_size_tokens"] * question["dcp"] >= question["context_tokens"]
    return {
        "weights_gib": found["memory_breakdown"]["weights_bytes"] / GIB,
        "kv_gib": found["total_kv_size_bytes"] / GIB,
        "bytes_per_token": found["kv_size_per_token_bytes"] if question["dcp"] == 1 else None,
        "verdict": "fits" if fits else "does-not-fit",
    }


def main() -> None:
    """Answer every question on standard input."""
    answers = {}
    for question in json.load(sys.stdin):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(question["config"], Path(folder) / "config.json")
            try:
                answers[question["id"]] = ask(question, folder)
            except Exception as fault:  # one row that breaks it must not cost it the others
                answers[question["id"]] = {"why_none": f"{type(fault).__name__}: {fault}"[:160]}
    print(json.dumps(answers))


main()
