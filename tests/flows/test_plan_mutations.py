"""10,000 damaged inventories: each is planned or refused in one clear sentence, and none ends in a traceback.

Every one is loaded; those that still load are asked the memory question, every seventh of them the whole plan.
"""

import copy
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flows.cli import main
from flows.fit import of_inventory
from flows.plan_sheet import sheet
from flows.plan_view import view
from inventories.errors import BadInput, Problem
from inventories.load import HERE, load
from tasks.engines.base import engine

SHIPPED = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(HERE.glob("*.yaml"))}
NUMBERS = [0, 1, 2, 3, 5, 7, 8, 16, 61, 64, 65, 1024, 262_144, 262_145, 10**9, 10**30, -1, 0.5, 0.95, 0.001, 1e300]
WORDS = [
    "",
    " ",
    "auto",
    "fp8",
    "bfloat16",
    "a100-80gb",
    "h200",
    "m3-ultra",
    "rtx-4090",
    "kimi-k2.5",
    "tiny-k2",
    "x" * 300,
]
WORDS += [
    "vllm",
    "llamacpp",
    "0.6.4",
    "0.19.0",
    "0.33.0",
    "99.0",
    "${BEACHHEAD_X:-1}",
    "${HOME}",
    "$(id)",
    "é\u202e",
    "-1",
]
ODD: list[Any] = [None, True, False, [], {}, [1], {"a": 1}, {"low": 3, "mid": 2, "high": 1}, [[[[]]]]]
OPTIONS = ("gpu_memory_utilization", "decode_context_parallel", "kv_cache_dtype", "cpu_offload_gib", "max_num_seqs")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def damaged(rng: random.Random) -> tuple[str, Any]:
    """One shipped inventory with one to three faults in it."""
    name = rng.choice(sorted(SHIPPED))
    document = copy.deepcopy(SHIPPED[name])
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        *above, key = rng.choice(places(document)[1:])
        holder = document
        for step in above:
            holder = holder[step]
        fault = rng.random()
        if fault < 0.12:
            del holder[key]
            if not document:
                return name, document
        elif fault < 0.2 and isinstance(holder, dict):
            holder[rng.choice(("", "x", 1, "ssh", "gpu", "money", "options"))] = rng.choice(ODD + WORDS)
        elif fault < 0.4 and isinstance(document.get("engine"), dict):
            options = document["engine"].setdefault("options", {})
            if isinstance(options, dict):
                options[rng.choice(OPTIONS)] = rng.choice([*NUMBERS, *WORDS])
        else:
            holder[key] = rng.choice([*NUMBERS, *NUMBERS, *WORDS, *ODD])
        if len(places(document)) < 2:
            break
    return name, document


def told(error: Problem) -> None:
    assert error.what and error.where and error.fix
    assert "Traceback" not in str(error) and len(str(error)) < 20_000


def test_ten_thousand_damaged_inventories_end_in_a_plan_or_a_sentence(tmp_path: Path) -> None:
    rng, ended = random.Random(20261122), Counter[str]()
    for n in range(10_000):
        name, document = damaged(rng)
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        try:
            inventory = load(str(path))
            engine(inventory.engine.kind).check(inventory)
            verdict = of_inventory(inventory)["verdict"]
            if n % 7 == 0:
                view(inventory, sheet(inventory))
        except BadInput as error:
            told(error)
            verdict = "refused"
        ended[verdict] += 1
    assert ended["refused"] > 1000 and ended["does-not-fit"] > 100 and ended["unsupported"] > 50, ended
    assert sum(ended.values()) == 10_000


@pytest.mark.parametrize("seed", range(60))
def test_the_command_itself_ends_with_a_status_and_no_traceback(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path / "evidence"))
    monkeypatch.setenv("BEACHHEAD_HOME", str(tmp_path / "home"))
    name, document = damaged(random.Random(seed))
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    done = CliRunner().invoke(main, ["plan", str(path), *(["--json"] if seed % 2 else [])])
    assert done.exit_code in (0, 1, 2), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "Traceback" not in done.output
    assert done.exit_code != 2 or "error: " in done.output
