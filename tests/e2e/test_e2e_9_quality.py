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

import httpx
import pytest

from assumptions._core import Outcome, Stage
from assumptions._quality_reference import Reference, Token, read, written
from assumptions.context_recall import ASSUMPTION as RECALL
from assumptions.int4_lossless import ASSUMPTION as LOSSLESS
from assumptions.tool_calls_300 import ASSUMPTION as CALLS
from assumptions.tool_schema_accuracy import ASSUMPTION as SCHEMA
from assumptions.tool_trigger_agreement import ASSUMPTION as TRIGGER
from flows.reference import Asked, record
from tasks.site import Site
from tests.e2e.children import Child, free_ports, until
from tests.e2e.proving_ground import ProvingGround

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
CLAIMS = {claim.id: claim for claim in (RECALL, CALLS, SCHEMA, TRIGGER)}
INT4 = "tiny-k2-int4-gptq"


@pytest.fixture
def site(ground: ProvingGround, tmp_path: Path) -> Iterator[Site]:
    found = ground.site(tmp_path / "run")
    try:
        yield found
    finally:
        found.close()


@contextmanager
def int4_served(ground: ProvingGround, folder: Path, site: Site) -> Iterator[str]:
    """The address of a vLLM of our own with the INT4 checkpoint; ended by its pid.  The key is in INT4_KEY."""
    pinned = next(probe for probe in site.inventory.probes if probe.catalog == INT4)
    model = site.inventory.model_dir(INT4, str(pinned.revision), site.head)
    (port,), key = free_ports(1), secrets.token_urlsafe(16)
    env = {name: value for name, value in os.environ.items() if not name.startswith("BEACHHEAD_")}
    env |= {"VLLM_API_KEY": key, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    env |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "2"}
    (python,) = (ground.root / "engines").glob("vllm-cpu-*/bin/python")
    words = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--enforce-eager"]
    words += ["--served-model-name", "tiny-k2", "--host", "127.0.0.1", "--port", str(port), "--max-model-len", "4096"]
    child = Child(words, env, folder / "logs")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as asking:

            def ready() -> bool:
                assert child.running, child.err[-4000:]
                try:
                    return asking.get("/health").status_code == 200
                except httpx.TransportError:
                    return False

            until(ready, "the second engine", seconds=300)
        os.environ["INT4_KEY"] = key
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.environ.pop("INT4_KEY", None)
        child.end()


def spoilt(reference: Reference) -> Reference:
    """Every log-probability moved as 3 bits would move it, and the distribution made whole again."""
    chance = random.Random(0)

    def moved(token: Token) -> Token:
        top = {name: value + chance.gauss(0, 0.5) for name, value in token.top.items()}
        total = math.log(sum(map(math.exp, top.values())) / sum(map(math.exp, token.top.values())))
        return replace(token, top={name: min(0.0, value - total) for name, value in top.items()})

    runs = {name: tuple(tuple(map(moved, run)) for run in found) for name, found in reference.runs.items()}
    return Reference(reference.about, runs)


def test_int4_is_near_16_bits_and_a_spoilt_reference_is_far(ground: ProvingGround, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "tiny-k2.json"
    with int4_served(ground, tmp_path, site) as address:
        record("rehearsal", Asked(address, "INT4_KEY", 2, "bf16", None, None, str(path)), lambda _: None)
    quality = site.inventory.quality.model_copy(update={"reference": str(path)})
    site.inventory = site.inventory.model_copy(update={"quality": quality})
    near = LOSSLESS.judge(LOSSLESS.observe(site, Stage.LIVE), site.inventory)
    told = {part.name: part.outcome for part in near.parts}
    assert near.outcome is Outcome.UNKNOWN and near.value and 0 < near.value < 1e-3
    assert {told[name] for name in ("divergence", "same likeliest token", "perplexity")} == {Outcome.PASS}
    path.write_text(written(spoilt(read(path.read_bytes(), str(path)))))
    far = LOSSLESS.judge(LOSSLESS.observe(site, Stage.LIVE), site.inventory)
    assert far.outcome is Outcome.FAIL
    assert far.because.startswith("divergence: ")


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_protocol_holds_and_quality_stays_unknown(site: Site, claim: str) -> None:
    chosen = CLAIMS[claim]
    finding = chosen.judge(chosen.observe(site, Stage.LIVE), site.inventory)
    assert finding.outcome is Outcome.UNKNOWN, finding
    assert [part.name for part in finding.parts if part.outcome is not Outcome.PASS] == ["kimi's quality"]
