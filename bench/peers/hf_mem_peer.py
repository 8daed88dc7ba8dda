"""Asks hf-mem the rows on standard input; runs in its own environment, so it imports nothing of ours.

In: a JSON list of questions (see bench/peer_runs.py).  Out, as the last line: an object of id to
bytes_per_token, why_none.
hf-mem knows no GPU, utilisation or parallelism: its figure is one copy of the whole cache.  It is divided here as
vLLM would: by tensor parallelism down to one key/value head, not at all for latent attention.  Its weights come from
file headers on the hub, which nobody is asked for here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hf_mem.safetensors.kv_cache import compute_safetensors_kv_cache_size  # type: ignore[import-not-found]

TOKENS = 1024


def ask(question: dict[str, Any]) -> dict[str, Any]:
    """One answer; `why_none` says what kept it from giving one."""
    if question["dcp"] > 1 or question["pp"] > 1:
        return {"why_none": "knows no context or pipeline parallelism"}
    config = json.loads(Path(question["config"]).read_text(encoding="utf-8"))
    text = config.get("text_config") or config  # as its run.py does for ...ForConditionalGeneration
    dtype = "F8_E4M3" if question["kv_dtype"].startswith("fp8") else "BF16"
    whole = compute_safetensors_kv_cache_size(text, dtype, TOKENS) / TOKENS
    heads = text.get("num_key_value_heads", text["num_attention_heads"])
    copies = 1 if text.get("kv_lora_rank") else min(question["tp"], heads)
    return {"bytes_per_token": whole / copies}


def main() -> None:
    """Answer every question on standard input."""
    answers = {}
    for question in json.load(sys.stdin):
        try:
            answers[question["id"]] = ask(question)
        except Exception as fault:  # one row that breaks it must not cost it the others
            answers[question["id"]] = {"why_none": f"{type(fault).__name__}: {fault}"[:160]}
    print(json.dumps(answers))


main()
