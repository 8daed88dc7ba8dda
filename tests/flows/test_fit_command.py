"""`beachhead fit` as scripts use it: its object's keys, its exit statuses, one clear error for bad input."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flows.cli import main
from flows.fit_inputs import read_tensors
from inventories.figures import FOLDER
from rehearsal.checkpoint import checkpoints

CONFIGS = FOLDER / "configs"
K25 = ("--config", str(CONFIGS / "kimi-k2.5.json"), "--gpu", "h200", "--gpus", "8")
DATA = Path(__file__).parents[1] / "assumptions/formulas/data"
KEYS = {
    *("verdict", "weights_gib_per_gpu", "kv_gib_per_gpu", "kv_bytes_per_token_per_rank", "kv_tokens"),
    *("max_context_tokens", "overhead_gib", "budget_gib", "host_ram_gib", "disk_gib", "reasons", "sources"),
    *("concurrent_requests", "shm_gib", "load_seconds", "budget_table"),
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


def test_the_hosts_figures_and_the_requests_at_once() -> None:
    """595,148,192,736 bytes and 10 GiB to fetch a shard anew; 2,080 MiB of queues; 8 workers of at most 6 GiB."""
    told = json.loads(ask("kimi-k2.5.json", "h200", "8", "--max-model-len", "131072").stdout)
    assert told["disk_gib"] == 564.27
    assert told["shm_gib"] == 2080 / 1024
    assert told["host_ram_gib"] == round(2080 / 1024 + 2.6 + 8 * 6, 2)
    assert told["load_seconds"] is None and any("disk's speed" in reason for reason in told["reasons"])
    assert told["concurrent_requests"]["low"] == told["kv_tokens"]["low"] // 131_072
    assert {"stage", "component", "low", "mid", "high", "basis"} == set(told["budget_table"][0])


def test_a_disk_speed_gives_a_load_time() -> None:
    told = json.loads(ask("kimi-k2.5.json", "h200", "8", "--disk-gib-per-s", "2").stdout)
    assert told["load_seconds"]["low"] < told["load_seconds"]["mid"] < told["load_seconds"]["high"]


def test_a_measured_overhead_closes_the_range() -> None:
    told = json.loads(ask("kimi-k2.5.json", "h200", "8", "--overhead-gib", "4.97").stdout)
    assert told["overhead_gib"] == {"low": 4.97, "mid": 4.97, "high": 4.97}
    assert any("measured on this set-up" in source for source in told["sources"])


def test_a_draft_model_takes_memory_and_is_never_said_to_fit(tmp_path: Path) -> None:
    head = json.loads((CONFIGS / "kimi-k2.5.json").read_text())["text_config"]
    head |= {"architectures": ["Eagle3DeepseekV2ForCausalLM"], "num_hidden_layers": 1, "n_routed_experts": None}
    path = tmp_path / "draft.json"
    path.write_text(json.dumps(head | {"quantization_config": None}))
    told = json.loads(ask("kimi-k2.5.json", "h200", "8", "--draft-config", str(path)).stdout)
    assert told["verdict"] == "tight" and told["kv_bytes_per_token_per_rank"] == 70_272 + 1_152
    assert round(sum(row["mid"] for row in told["budget_table"] if row["component"] == "draft model"), 2) == 0.73


def test_files_headers_replace_the_arithmetic(tmp_path: Path) -> None:
    """Three ways to tell them: the files, a dump of their headers, and a hub's listing for the disk alone."""
    checkpoint = checkpoints()[1]  # tiny-k2-int4-native, 1,596,144 bytes of tensors
    checkpoint.write(tmp_path / "files")
    config = ("--config", str(tmp_path / "files/config.json"), "--gpu", "h200", "--gpus", "1", "--json")
    read = read_tensors(tmp_path / "files")
    assert sum(read.sizes.values()) == 1_596_144
    (tmp_path / "dump.json").write_text(
        json.dumps({name: {"dtype": "U8", "shape": [size]} for name, size in read.sizes.items()})
    )
    listing = [{"type": "file", "path": "a.safetensors", "size": 2**31}, {"type": "file", "path": "b.bin", "size": 9}]
    (tmp_path / "tree.json").write_text(json.dumps(listing))
    plain = json.loads(run(*config).stdout)
    for source in ("files", "dump.json", "files/model.safetensors.index.json", "tree.json"):
        told = json.loads(run(*config, "--tensors", str(tmp_path / source)).stdout)
        assert told["weights_gib_per_gpu"] == plain["weights_gib_per_gpu"]
        assert ("headers" in told["sources"][0]) is (source in ("files", "dump.json"))
        assert any("was told to have" in reason for reason in told["reasons"]) is (source == "tree.json")
    assert told["disk_gib"] == 12


def test_headers_that_disagree_are_what_counts_and_it_is_said(tmp_path: Path) -> None:
    checkpoint = checkpoints()[0]
    checkpoint.write(tmp_path)
    sizes = {name: {"dtype": "U8", "shape": [2 * size]} for name, size in read_tensors(tmp_path).sizes.items()}
    (tmp_path / "dump.json").write_text(json.dumps(sizes))
    config = ("--config", str(tmp_path / "config.json"), "--gpu", "h200", "--gpus", "1", "--json")
    told = json.loads(run(*config, "--tensors", str(tmp_path / "dump.json")).stdout)
    assert told["weights_gib_per_gpu"] == 2 * json.loads(run(*config).stdout)["weights_gib_per_gpu"]
    assert any("+100.0%" in reason and "headers count" in reason for reason in told["reasons"])


def test_a_told_size_far_from_the_arithmetic_is_said() -> None:
    near, far = (
        json.loads(ask("kimi-k2.5.json", "h200", "8", "--checkpoint-bytes", size).stdout)
        for size in ("595177988208", "640000000000")
    )
    assert not any("was told to have" in reason for reason in near["reasons"])
    assert any("told to have 596.05 GiB; config.json's arithmetic gives 554.27" in reason for reason in far["reasons"])


def test_without_json_the_budget_is_a_table_that_fits_100_columns() -> None:
    done = run(*K25, "--tp", "8")
    lines = done.stdout.splitlines()
    assert lines[0] == "fits" and max(len(line) for line in lines if line.startswith(("  1     ", "  stage"))) <= 100
    (budget,) = (line for line in lines if line.startswith("  1     budget"))
    assert budget.split()[2:5] == ["128.62"] * 3


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"a\ud800": {"dtype": "X9", "shape": [1]}}, "unknown dtype 'X9'"),
        ({"a": {"dtype": "BF16", "shape": [1, -2]}}, "its shape is not a list"),
        ({"a": {"dtype": "BF16", "shape": [2] * 9}}, "its shape is not a list"),
        ({"a": {"dtype": "BF16", "shape": "3x3"}}, "its shape is not a list"),
        ({"a": {"dtype": "BF16", "shape": [4]}}, "the headers hold 0 decoder layers"),
        ({"metadata": {"total_size": "big"}}, "total_size is big"),
        ({"metadata": {"total_size": 1e17}}, "checkpoint_gib is"),
        ([{"path": "a.safetensors", "size": -1}], "no *.safetensors with its size"),
        ([{"path": "a.safetensors"}, 7, None], "no *.safetensors with its size"),
        (7, "neither headers nor a listing"),
    ],
)
def test_headers_that_make_no_sense_are_one_clear_error(told: object, said: str, tmp_path: Path) -> None:
    (tmp_path / "tensors.json").write_text(json.dumps(told))
    done = run(*K25, "--tp", "8", "--tensors", str(tmp_path / "tensors.json"))
    assert done.exit_code == 2 and said in done.stderr, done.output


@pytest.mark.parametrize("body", [b"", b"\x00" * 8, b"\xff" * 16, (9).to_bytes(8, "little") + b"not json!"])
def test_a_file_that_is_no_safetensors_is_one_clear_error(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(body)
    done = run(*K25, "--tp", "8", "--tensors", str(tmp_path))
    assert done.exit_code == 2 and "header" in done.stderr


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
        ((*K25, "--tp", "7"), "64 attention heads can't be divided by tp 7"),
        ((*K25, "--tp", "8", "--dcp", "3"), "dcp 3 must divide tp 8"),
        ((*K25, "--tp", "0"), "tp is 0"),
        ((*K25, "--tp", "-8"), "tp is -8"),
        ((*K25, "--tp", str(10**30)), "tp is 1000000"),
        ((*K25, "--tp", "eight"), "'eight' is not a valid integer"),
        ((*K25, "--pp", "99"), "need more than 8 GPUs"),
        ((*K25, "--gpus", "0"), "gpus is 0"),
        ((*K25, "--utilization", "1.5"), "utilization is 1.5"),
        ((*K25, "--utilization", "nan"), "utilization is nan"),
        ((*K25, "--gpu-memory-gib", "-1"), "gpu_memory_gib is -1.0"),
        ((*K25, "--gpu-memory-gib", "inf"), "gpu_memory_gib is inf"),
        ((*K25, "--max-model-len", "0"), "context_tokens is 0"),
        ((*K25, "--max-num-seqs", "-1"), "max_num_seqs is -1"),
        ((*K25, "--kv-dtype", "int3"), "kv_dtype 'int3' is not one of"),
        ((*K25, "--weight-quant", "sparkle"), "does not say how the weights are stored"),
        ((*K25, "--cpu-offload-gib", "-5"), "cpu_offload_gib is -5.0"),
        ((*K25, "--overhead-gib", "nan"), "overhead_gib is nan"),
        ((*K25, "--disk-gib-per-s", "0"), "disk_gib_per_s is 0.0"),
        ((*K25, "--hosts", "0"), "hosts is 0"),
        ((*K25, "--concurrent-requests", "0"), "concurrent_requests is 0"),
        ((*K25, "--checkpoint-bytes", "-1"), "-1 bytes is no size"),
        ((*K25, "--language-model-only", "--mm-encoder", "data"), "exclude each other"),
        ((*K25, "--weight-quant", "bf16", "--tensors", __file__), "exclude each other"),
        ((*K25, "--tensors", str(CONFIGS)), "no *.safetensors in this folder"),
        ((*K25, "--tensors", "nowhere.json"), "can't read it"),
        ((*K25, "--tensors", str(CONFIGS / "kimi-k2.5.json")), "no tensor with dtype and shape"),
        ((*K25, "--draft-config", str(DATA / "vllm_measurements.csv")), "not JSON"),
        (("--batch", "nowhere.csv"), "can't read it"),
        (("--batch", __file__), "columns are missing"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "next:" in done.stderr or "Usage:" in done.stderr  # click's own, for a word where a number belongs
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
