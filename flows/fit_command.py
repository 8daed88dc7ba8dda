"""The face of `beachhead fit`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from inventories.errors import BadInput

PASSED = ("gpus", "tp", "pp", "dp", "ep", "dcp", "utilization", "kv_dtype", "weight_quant")


@click.command("fit")
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="The model's config.json.")
@click.option("--checkpoint-bytes", type=int, help="Size of the weights on disk, when it is known.")
@click.option("--gpu", help="Card, as in inventories/catalog/gpus.yaml.")
@click.option("--gpu-memory-gib", type=float, help="What CUDA reports for one card, instead of the catalog's.")
@click.option("--gpus", type=int, help="Cards in all.")
@click.option("--tp", type=int, default=1, show_default=True)
@click.option("--pp", type=int, default=1, show_default=True)
@click.option("--dp", type=int, default=1, show_default=True)
@click.option("--ep", is_flag=True, help="Experts divided over ranks whole.")
@click.option("--dcp", type=int, default=1, show_default=True, help="Decode context parallel: KV divided by token.")
@click.option("--utilization", type=float, help="Else the default of the vLLM version.")
@click.option("--max-model-len", type=int, help="Context in tokens; else the model's own.")
@click.option("--max-num-batched-tokens", type=int)
@click.option("--max-num-seqs", type=int)
@click.option("--kv-dtype", default="auto", show_default=True)
@click.option("--weight-quant", help="Overrides a config that doesn't declare it, for example fp8-dynamic.")
@click.option("--vllm", default=None, help="Version; else the newest known.")
@click.option("--language-model-only", is_flag=True, help="Leave a vision tower out.")
@click.option("--mm-encoder", type=click.Choice(["data", "weights"]), help="Vision tower whole on each rank or not.")
@click.option("--cpu-offload-gib", type=float, default=0.0, show_default=True)
@click.option("--batch", type=click.Path(path_type=Path), help="A CSV of questions, one object a line.")
@click.option("--configs", type=click.Path(path_type=Path), help="With --batch: the folder of its configs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
def fit(**given: Any) -> None:
    """Will a model fit?  Exit status: 0 fits or tight, 1 does not fit or unsupported, 2 bad input.

    \b
    Examples:
      beachhead fit --config config.json --gpu h200 --gpus 8 --tp 8 --max-model-len 262144 --json
      beachhead fit --batch vllm_measurements.csv --configs configs --json
    """
    from flows import fit as work

    if given["batch"] is not None:
        for row in work.batch(given["batch"], given["configs"] or given["batch"].parent):
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    told = _single(given)
    if given["as_json"]:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        click.secho(str(told["verdict"]), bold=True)
        for reason in told["reasons"]:
            click.echo(f"  {reason}")
    sys.exit(0 if told["verdict"] in ("fits", "tight") else 1)


def _single(given: dict[str, Any]) -> dict[str, Any]:
    from flows import fit as work

    missing = [
        f"--{name}" for name, key in (("config", "config_path"), ("gpu", "gpu"), ("gpus", "gpus")) if not given[key]
    ]
    if missing:
        raise BadInput(f"{', '.join(missing)} must be given", where="beachhead fit", fix="or --batch FILE.csv")
    if given["language_model_only"] and given["mm_encoder"]:
        raise BadInput(
            "--language-model-only and --mm-encoder exclude each other", where="beachhead fit", fix="give one"
        )
    config = work.read_config(given["config_path"])
    tower = given["mm_encoder"] or ("data" if config.get("vision_config") else "none")
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    return work.answer(
        config,
        gpu=given["gpu"],
        memory_gib=given["gpu_memory_gib"],
        stored=given["checkpoint_bytes"],
        **{
            name: given[name]
            for name in ("gpus", "tp", "pp", "dp", "ep", "dcp", "utilization", "kv_dtype", "weight_quant")
        },
        context_tokens=given["max_model_len"] or (text or {}).get("max_position_embeddings") or 2048,
        max_num_batched_tokens=given["max_num_batched_tokens"],
        max_num_seqs=given["max_num_seqs"],
        vllm=given["vllm"] or work.NEWEST,
        mm_encoder="none" if given["language_model_only"] else tower,
        cpu_offload_gib=given["cpu_offload_gib"],
    )
