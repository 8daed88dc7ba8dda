"""`beachhead fit` as scripts use it: its object's keys, its exit statuses, one clear error for bad input."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flows.cli import main
from inventories.figures import FOLDER

CONFIGS = FOLDER / "configs"
DATA = Path(__file__).parents[1] / "assumptions/formulas/data"
KEYS = {
    *("verdict", "weights_gib_per_gpu", "kv_gib_per_gpu", "kv_bytes_per_token_per_rank", "kv_tokens"),
    *("max_context_tokens", "overhead_gib", "budget_gib", "host_ram_gib", "disk_gib", "reasons", "sources"),
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["fit", *arguments])


def ask(config: str, gpu: str, gpus: str, *more: str) -> Result:
    return run("--config", str(CONFIGS / config), "--gpu", gpu, "--gpus", gpus, "--tp", gpus, *more, "--json")


def test_eight_h200_hold_the_text_model() -> None:
    done = ask("kimi-k2.5.json", "h200", "8", "--max-model-len", "262144", "--language-model-only")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["verdict"]) == (0, "fits")
    assert set(told) == KEYS
    assert round(told["weights_gib_per_gpu"], 2) == 70.95
    assert told["kv_bytes_per_token_per_rank"] == 70_272
    assert told["kv_tokens"]["low"] <= told["kv_tokens"]["mid"] <= told["kv_tokens"]["high"]


def test_the_guides_four_a100_do_not() -> None:
    done = ask("kimi-k2-thinking.json", "a100-80gb", "4")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["verdict"]) == (1, "does-not-fit")
    assert "short by 67.02 GiB" in told["reasons"][0]


def test_fp8_kv_on_an_a100_is_unsupported() -> None:
    done = ask("kimi-k2-thinking.json", "a100-80gb", "16", "--kv-dtype", "fp8")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["verdict"]) == (1, "unsupported")
    assert "refuses FP8 KV" in told["reasons"][0]


def test_a_vision_tower_counts_unless_it_is_left_out() -> None:
    whole, without = (
        json.loads(ask("kimi-k2.5.json", "h200", "8", *flag).stdout)["weights_gib_per_gpu"]
        for flag in ((), ("--language-model-only",))
    )
    assert 0.8 < whole - without < 0.95  # 942,287,840 bytes of bf16 tower and projector


def test_a_table_is_answered_row_by_row() -> None:
    done = run("--batch", str(DATA / "vllm_measurements.csv"), "--configs", str(DATA / "configs"), "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert len({row["id"] for row in rows}) == len(rows) == 86
    assert all(row.get("skipped") or row["reasons"] for row in rows)
    failed = {"m290", "m291", "m292", "m298"}
    assert {row["verdict"] for row in rows if row["id"] in failed} == {"does-not-fit"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--config, --gpu, --gpus must be given"),
        (("--config", "nowhere.json", "--gpu", "h200", "--gpus", "8"), "can't read it"),
        (("--config", __file__, "--gpu", "h200", "--gpus", "8"), "not JSON"),
        (("--config", str(CONFIGS / "tiny-k2.json"), "--gpu", "h900", "--gpus", "8"), "'h900' is not in the catalog"),
        (("--config", str(CONFIGS / "tiny-k2.json"), "--gpu", "h200", "--gpus", "1", "--tp", "8"), "need more than 1"),
        (("--batch", "nowhere.csv"), "can't read it"),
        (("--batch", __file__), "columns are missing"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "next:" in done.stderr
    assert "Traceback" not in done.stderr
