"""The face of `beachhead fit`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from inventories.errors import BadInput

PASSED = (
    *("gpus", "tp", "pp", "dp", "ep", "dcp", "utilization", "max_num_batched_tokens", "max_num_seqs", "kv_dtype"),
    *("weight_quant", "cpu_offload_gib", "hosts", "concurrent_requests", "overhead_gib", "disk_gib_per_s"),
)


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
@click.option("--hosts", type=int, default=1, show_default=True, help="Machines that the cards are spread over.")
@click.option("--concurrent-requests", type=int, default=1, show_default=True, help="Of full context, at once.")
@click.option(
    "--tensors", type=click.Path(path_type=Path), help="Safetensors files, their headers, or a hub's listing."
)
@click.option("--draft-config", type=click.Path(path_type=Path), help="config.json of a draft model (Eagle3).")
@click.option("--overhead-gib", type=float, help="Measured on this set-up, instead of the modelled range.")
@click.option("--disk-gib-per-s", type=float, help="Read speed of the disk with the weights: gives the load time.")
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
    if given["batch"] is not None:
        from flows.fit_batch import batch

        for row in batch(given["batch"], given["configs"] or given["batch"].parent):
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    told = _single(given)
    if given["as_json"]:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        click.secho(str(told["verdict"]), bold=True)
        for reason in told["reasons"]:
            click.echo(f"  {reason}")
        _table(told["budget_table"])
    sys.exit(0 if told["verdict"] in ("fits", "tight") else 1)


def _table(rows: list[dict[str, Any]]) -> None:
    """The budget of one GPU of each stage, in GiB."""
    if rows:
        click.secho(f"\n  {'stage':<6}{'GiB on each GPU':<28}{'low':>9}{'mid':>9}{'high':>9}  basis", bold=True)
    for row in rows:
        low, mid, high = (f"{row[edge]:9.2f}" for edge in ("low", "mid", "high"))
        click.echo(f"  {row['stage']:<6}{row['component']:<28}{low}{mid}{high}  {row['basis']}")


def _single(given: dict[str, Any]) -> dict[str, Any]:
    from flows.fit import NEWEST, answer
    from flows.fit_inputs import read_config, read_tensors

    _refuse(given)
    config = read_config(given["config_path"])
    tower = given["mm_encoder"] or ("data" if config.get("vision_config") else "none")
    draft, tensors = given["draft_config"], given["tensors"]
    return answer(
        config,
        gpu=given["gpu"],
        memory_gib=given["gpu_memory_gib"],
        told_bytes=given["checkpoint_bytes"],
        tensors=None if tensors is None else read_tensors(tensors),
        draft=None if draft is None else read_config(draft),
        context_tokens=_context(config, given["max_model_len"]),
        vllm=given["vllm"] or NEWEST,
        mm_encoder="none" if given["language_model_only"] else tower,
        **{name: given[name] for name in PASSED},
    )


def _refuse(given: dict[str, Any]) -> None:
    """BadInput for what is missing, exclusive or no size."""
    names = (("config", "config_path"), ("gpu", "gpu"), ("gpus", "gpus"))
    missing = [f"--{name}" for name, key in names if given[key] is None]
    if missing:
        raise BadInput(f"{', '.join(missing)} must be given", where="beachhead fit", fix="or --batch FILE.csv")
    for one, other in (("language_model_only", "mm_encoder"), ("tensors", "weight_quant")):
        if given[one] and given[other]:
            pair = " and ".join(f"--{name.replace('_', '-')}" for name in (one, other))
            raise BadInput(f"{pair} exclude each other", where="beachhead fit", fix="give one")
    size = given["checkpoint_bytes"]
    if size is not None and not 0 < size < 10**15:
        raise BadInput(f"{size} bytes is no size of a checkpoint", where="--checkpoint-bytes", fix="give its bytes")


def _context(config: dict[str, Any], wanted: int | None) -> int:
    """The wanted context, else the model's own; a model that names none is refused later, with that reason."""
    if wanted is not None:
        return wanted
    text = config.get("text_config")
    own = (text if isinstance(text, dict) else config).get("max_position_embeddings")
    return own if type(own) is int and 0 < own < 2**31 else 2048
