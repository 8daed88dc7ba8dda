"""Every route that an engine may answer: what it documents, what it logs, and what vLLM is known to leave open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
Route = tuple[str, str]  # method and path
_LOGGED = re.compile(r"Route: (/\S*), Methods: ([A-Z, ]+)")
_PARAMETER = re.compile(r"\{[^/{}]*\}")
# vLLM 0.18 to 0.33: routes that its own key does not guard, those of its developer mode, and its documents.
KNOWN: tuple[Route, ...] = (
    *(("GET", path) for path in ("/", "/health", "/ping", "/version", "/metrics", "/load", "/server_info", "/docs")),
    *(("GET", path) for path in ("/redoc", "/openapi.json", "/kv_event_sources", "/is_sleeping", "/is_paused")),
    *(("GET", path) for path in ("/v1/models", "/get_world_size", "/docs/oauth2-redirect")),
    *(("POST", path) for path in ("/ping", "/tokenize", "/detokenize", "/invocations", "/pooling", "/classify")),
    *(("POST", path) for path in ("/score", "/rerank", "/v1/rerank", "/v2/rerank", "/v1/score", "/v1/embeddings")),
    *(("POST", path) for path in ("/generative_scoring", "/scale_elastic_ep", "/is_scaling_elastic_ep", "/generate")),
    *(("POST", path) for path in ("/pause", "/resume", "/sleep", "/wake_up", "/update_weights", "/collective_rpc")),
    *(("POST", path) for path in ("/reset_prefix_cache", "/reset_mm_cache", "/start_profile", "/stop_profile")),
    *(("POST", path) for path in ("/init_weight_transfer_engine", "/abort_requests", "/inference/v1/generate")),
    *(("POST", path) for path in ("/v1/completions", "/v1/chat/completions", "/v1/responses", "/v1/messages")),
    *(("POST", path) for path in ("/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/v1/audio/transcriptions")),
    *(("OPTIONS", path) for path in ("/v1/models", "/v1/chat/completions")),
)
_ACTS = re.compile(
    r"pause|resume|sleep|wake|update|rpc|reset|profile|init|abort|scale|lora|cancel|weights", re.IGNORECASE
)


def acts(route: Route) -> bool:
    """Whether a call that is let in could stop or change the engine."""
    method, path = route
    return method not in ("GET", "OPTIONS") and (method != "POST" or bool(_ACTS.search(path)))


def documented(document: Any) -> list[Route]:
    """The routes of an OpenAPI document; ValueError where it is none, so that nothing passes for an empty one."""
    paths = document.get("paths") if isinstance(document, Mapping) else None
    if not isinstance(paths, Mapping) or not paths:
        raise ValueError("not an OpenAPI document with paths")
    return [
        (method.upper(), _filled(path))
        for path, methods in paths.items()
        for method in methods
        if method.upper() in METHODS
    ]


def logged(text: str) -> list[Route]:
    """The routes that the engine logs at its start; HEAD goes where GET goes."""
    return [
        (method, _filled(path))
        for path, methods in _LOGGED.findall(text)
        for method in methods.split(", ")
        if method.strip() in METHODS
    ]


def _filled(path: str) -> str:
    return _PARAMETER.sub("x", path)


def every(*lists: Iterable[Route]) -> tuple[Route, ...]:
    """All of them once, in the order of their paths."""
    return tuple(sorted({(method.strip(), path) for each in (*lists, KNOWN) for method, path in each}, key=_by_path))


def _by_path(route: Route) -> tuple[str, str]:
    return route[1], route[0]
