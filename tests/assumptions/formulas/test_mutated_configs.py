"""Ten thousand damaged config.json files: an answer or a refusal each time, never another exception.

Every mutation is drawn from a seed, so a failing one can be made again from its number alone.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from assumptions.formulas.memory import Fit, UnsupportedConfig, draft_of, fit
from flows.cli import main
from inventories.figures import FOLDER

SOURCES = sorted([*(FOLDER / "configs").glob("*.json"), *(Path(__file__).parent / "data/configs").glob("*.json")])
CONFIGS = [json.loads(path.read_text()) for path in SOURCES]
MUTANTS, BATCHES, ASKED_OF_THE_COMMAND = 10_000, 10, 150
VERDICTS = {"fits", "tight", "does-not-fit", "unsupported"}
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 2**31, 2**63, 10**40, -(10**18), 0.5, -0.0, 1e308, float("inf"), float("nan")),
    *("", "0", "61", "bfloat16", "fp8", "re:(", "re:(.+)+$", "\x00", "\ud800", "é" * 300),
    *([], {}, [[]], [{}], [None], ["re:["], {"": None}, {"bits": 4}, [1, 2, 3], [2, 2], "x" * 5000),
)


def places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) inside `value`."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, inner in pairs:
        yield value, key
        if depth < 6:
            yield from places(inner, depth + 1)


def swapped(value: Any, chance: random.Random) -> Any:
    """`value` as another type, another size, or wrapped."""
    ways = (
        lambda: str(value)[:2000],
        lambda: [value],
        lambda: {"value": value},
        lambda: -value if isinstance(value, int | float) else value,
        lambda: value * chance.choice((0, 3, 1000, 10**9)) if isinstance(value, int) else value,
        lambda: float(value) if isinstance(value, int) and abs(value) < 10**300 else value,
        lambda: chance.choice(JUNK),
    )
    return chance.choice(ways)()


def nested(depth: int) -> Any:
    """Junk that many levels deep."""
    value: Any = "bottom"
    for level in range(depth):
        value = {"quant_method": value} if level % 2 else [value]
    return value


def mutant(number: int) -> dict[str, Any]:
    """The damaged configuration of that number."""
    chance = random.Random(number)
    config: dict[str, Any] = copy.deepcopy(CONFIGS[number % len(CONFIGS)])
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        where = list(places(config))
        if not where:
            break
        container, key = chance.choice(where)
        act = chance.random()
        if act < 0.2:
            del container[key]
        elif act < 0.6:
            container[key] = copy.deepcopy(chance.choice(JUNK))
        elif act < 0.9:
            container[key] = swapped(container[key], chance)
        elif isinstance(container, dict):
            other = chance.choice([each for each, at in where if isinstance(each, dict)] or [config])
            container[chance.choice(list(other) or ["quantization_config"])] = nested(chance.choice((1, 3, 60)))
    return config


def asked(config: Any, number: int) -> Fit:
    chance = random.Random(-number)
    tp = chance.choice((1, 2, 4, 8))
    return fit(
        config,
        gpu_memory_gib=139.8,
        gpus=64,
        tp=tp,
        pp=chance.choice((1, 1, 2)),
        ep=chance.random() < 0.2,
        dcp=tp if chance.random() < 0.1 else 1,
        context_tokens=chance.choice((16, 2048, 8192, 131_072)),
        vllm=chance.choice(("0.11.2", "0.33.0", "nightly")),
        compute_capability=chance.choice((None, 9.0, 9.0, 8.0)),
        kv_dtype=chance.choice(("auto", "auto", "fp8")),
        weight_quant=chance.choice((None, None, "fp8-dynamic")),
        mm_encoder=chance.choice(("none", "data", "weights")),
        disk_gib_per_s=chance.choice((None, 2.0)),
    )


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_damaged_config_gives_an_answer_or_a_refusal(batch: int) -> None:
    seen = set()
    for number in range(batch * MUTANTS // BATCHES, (batch + 1) * MUTANTS // BATCHES):
        found = asked(mutant(number), number)
        assert found.verdict in VERDICTS, number
        if found.verdict == "unsupported":
            assert found.reasons[0].startswith("Not answered: "), number
        else:
            assert found.weights_gib_per_gpu is not None and found.weights_gib_per_gpu >= 0, number
            assert found.overhead_gib and found.overhead_gib.low <= found.overhead_gib.mid <= found.overhead_gib.high
        seen.add(found.verdict)
    assert "unsupported" in seen and len(seen) >= 2  # the damage reaches the formulas, and not all of it is deadly


@pytest.mark.parametrize("batch", range(2))
def test_a_damaged_draft_config_is_read_or_refused(batch: int) -> None:
    for number in range(batch * 500, (batch + 1) * 500):
        config = mutant(number)
        if isinstance(config, dict) and number % 2:
            config["architectures"] = ["Eagle3LlamaForCausalLM"]
        try:
            draft_of(config)
        except UnsupportedConfig as refusal:
            assert str(refusal), number


@pytest.mark.parametrize("root", [[], "text", None, 7, float("nan"), [CONFIGS[0]], nested(40), nested(900)])
def test_what_is_no_object_is_refused(root: Any) -> None:
    if isinstance(root, dict):
        assert fit(root, gpu_memory_gib=80, gpus=8, tp=8, context_tokens=16, vllm="0.33.0").verdict == "unsupported"
    else:
        found = fit(root, gpu_memory_gib=80, gpus=8, tp=8, context_tokens=16, vllm="0.33.0")
        assert "not an object" in found.reasons[0]


def test_the_command_prints_an_object_or_one_error(tmp_path: Path) -> None:
    """Exit 0 or 1 with JSON, 2 with one error; a traceback would leave an exception in the result."""
    path, exits = tmp_path / "config.json", set()
    for number in range(0, MUTANTS, MUTANTS // ASKED_OF_THE_COMMAND):
        path.write_text(json.dumps(mutant(number)))
        arguments = ["fit", "--config", str(path), "--gpu", "h200", "--gpus", "8", "--tp", "8", "--json"]
        done = CliRunner().invoke(main, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), (number, done.exception)
        assert "Traceback" not in done.output, number
        exits.add(done.exit_code)
        if done.exit_code == 2:
            assert done.stderr.count("error: ") == 1 and "next:" in done.stderr, (number, done.stderr)
        else:
            assert json.loads(done.stdout)["verdict"] in VERDICTS, number
    assert {0, 1} <= exits <= {0, 1, 2}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", "null", "[" * 100_000, '{"a":' * 50_000, "\xff\xfe", '{"n": ' + "9" * 10_000 + "}", "{}", '"x"'],
)
def test_a_file_that_is_no_config_is_one_clear_error_or_a_refusal(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="latin-1")
    for option in ("--config", "--draft-config", "--tensors"):
        config = str(path) if option == "--config" else str(FOLDER / "configs/kimi-k2.5.json")
        more = [] if option == "--config" else [option, str(path)]
        done = CliRunner().invoke(main, ["fit", "--config", config, "--gpu", "h200", "--gpus", "8", "--tp", "8", *more])
        assert isinstance(done.exception, SystemExit) and done.exit_code in (1, 2), (option, done.exception)
        assert "Traceback" not in done.output
