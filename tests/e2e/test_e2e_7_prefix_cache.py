"""prefix-caching-helps where an engine keeps a prefix cache: real vLLM, and a model whose attention has one anywhere.

The rehearsal's model keeps none on a CPU without AMX.  This one is a Llama of made-up weights; the engine's own flag
switches its cache off for the second run.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from assumptions._core import Outcome
from assumptions.prefix_caching_helps import PAIRS, Repeats, _words, judge, pair
from rehearsal.tokenizer import common_files, json_bytes
from rehearsal.weights import CONFIG
from serving.client import Client
from tasks.facts.engine_log import EngineLogFact
from tests.assumptions.windows import undisturbed
from tests.e2e.children import Child, until
from tests.e2e.proving_ground import ProvingGround
from tests.ports import free_port
from tests.recorded import recordings

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1500)]
LENGTH = 4096
LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 512,
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "intermediate_size": 1024,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 32768,
    "hidden_act": "silu",
    "dtype": "bfloat16",
    **{name: CONFIG[name] for name in ("vocab_size", "bos_token_id", "eos_token_id")},
}


@contextmanager
def served(ground: ProvingGround, folder: Path, *flags: str) -> Iterator[tuple[Client, Child]]:
    """A client to a vLLM of our own, with weights that vLLM makes up; ended by its pid."""
    model = folder / "llama"
    model.mkdir(parents=True)
    for name, body in {**common_files(), "config.json": json_bytes(LLAMA)}.items():
        (model / name).write_bytes(body)
    port, key = free_port(), secrets.token_urlsafe(16)
    env = {name: value for name, value in os.environ.items() if not name.startswith("BEACHHEAD_")}
    env |= {"VLLM_API_KEY": key, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    env |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "2"}
    (python,) = (ground.root / "engines").glob("vllm-cpu-*/bin/python")
    words = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(model), "--load-format", "dummy"]
    words += ["--served-model-name", "llama", "--host", "127.0.0.1", "--port", str(port), "--max-model-len", "16384"]
    words += ["--enforce-eager", "--enable-prompt-tokens-details", "--gpu-memory-utilization", "0.1", *flags]
    child = Child(words, env, folder / "logs")
    try:
        until("the engine is healthy", lambda: _healthy(child, port), seconds=240, every=1)
        address = f"http://127.0.0.1:{port}/v1"
        with Client(address, model="llama", api_key=key, record=lambda *_, **__: "") as client:
            yield client, child
    finally:
        child.stop()


def _healthy(child: Child, port: int) -> bool:
    assert child.process.poll() is None, child.wait(1)
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def repeats(client: Client) -> Repeats:
    """Nobody else knows this engine's port, so that the window is one that nothing disturbs."""
    words = _words(client)
    pair(client, words, LENGTH)  # the first request of all pays for what later ones find ready
    return Repeats(LENGTH, tuple(pair(client, words, LENGTH) for _ in range(PAIRS)), window=undisturbed())


def test_a_real_prefix_cache_passes(ground: ProvingGround, tmp_path: Path) -> None:
    with served(ground, tmp_path) as (client, _):
        finding = judge(repeats(client), recordings.rehearsal())
    assert finding.outcome is Outcome.PASS, finding
    assert finding.value is not None and finding.value < 0.5


def test_the_same_engine_with_its_cache_off_does_not(ground: ProvingGround, tmp_path: Path) -> None:
    with served(ground, tmp_path, "--no-enable-prefix-caching") as (client, child):
        finding = judge(repeats(client), recordings.rehearsal())
        log = EngineLogFact("").parse(child.out + child.err)
    assert finding.outcome is not Outcome.PASS, finding
    assert log.prefix_caching is False  # so that the claim would not have asked
