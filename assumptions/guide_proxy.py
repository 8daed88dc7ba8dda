"""Claim: the guide's nginx configuration protects the server and lets long answers through."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide import applies, finding, not_applicable
from assumptions._guide_text import PROXY
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.site import Site

READ_TIMEOUT_S = 60  # nginx's default for proxy_read_timeout
LONG_ANSWER_S = 600  # assumed: some 16,000 tokens at 30 tokens a second, not streamed
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
SOURCE = "nginx's documentation (ngx_http_proxy_module, ngx_http_rewrite_module); vLLM's security page"


def observe(site: Site, stage: Stage) -> str:
    """The guide's text alone."""
    return PROXY


def _timeout_s(text: str) -> float:
    found = re.search(r"^\s*proxy_read_timeout\s+(\d+)([smh]?);", text, re.MULTILINE)
    return int(found[1]) * UNITS[found[2]] if found else READ_TIMEOUT_S


def _parts(text: str) -> Iterator[Part]:
    bodies = re.findall(r"\bif\s*\([^)]*\)\s*{([^}]*)}", text)
    safe = all(re.fullmatch(r"\s*(return|rewrite)\b[^;]*;\s*", body) for body in bodies)
    said = (
        "only `return` in it, which is safe" if safe else "other directives than return and rewrite are not safe in if"
    )
    yield check("if", safe, said, expected="return or rewrite alone")
    literal = bool(re.search(r"\bif\s*\([^)]*[\"'][^\"')]+[\"']\s*\)", text))
    said = "the key stands in the configuration. Instead: a map in a file of its own, mode 600, or auth_request"
    yield check("key", not literal, said if literal else "not in the configuration", expected="kept apart")
    passing = [
        path
        for path, body in re.findall(r"\blocation\s+([^{]+?)\s*{((?:[^{}]|{[^{}]*})*)}", text)
        if "proxy_pass" in body
    ]
    whole = "/" in passing
    said = (
        "every route is passed, /metrics and /tokenize too. Instead: a location for each route that is used, else 404"
    )
    yield check("routes", not whole, said if whole else "only those named", expected="an allow list")
    streams = bool(re.search(r"^\s*proxy_buffering\s+off;", text, re.MULTILINE))
    said = "off" if streams else "tokens of a stream may be held back. Instead: proxy_buffering off"
    yield check("buffering", streams, said, expected="proxy_buffering off")
    patience = _timeout_s(text)
    said = (
        f"an answer that is silent for {patience:g} s ends as 504. Instead: proxy_read_timeout above the longest answer"
    )
    long = patience >= LONG_ANSWER_S
    yield check("time limit", long, "long enough" if long else said, expected=f">= {LONG_ANSWER_S} s (assumed)")
    tls = {"ssl_certificate", "ssl_certificate_key"} <= set(re.findall(r"^\s*(ssl_\w+)\s", text, re.MULTILINE))
    yield check("TLS", tls, "certificate and key are named" if tls else "not encrypted", expected="ssl_certificate")


def judge(seen: str, inventory: Inventory) -> Finding:
    """Each directive that decides who gets in and which answers get out."""
    if not applies(inventory):
        return not_applicable(inventory)
    return finding(
        _parts(seen),
        expected="a key kept apart, an allow list, streams and long answers passed",
        source=SOURCE,
        provenance=Provenance.VENDOR,
        notes=("Read against documentation; nginx was not run.",),
    )


ASSUMPTION = Assumption(
    id="guide-proxy",
    guide="K2 Thinking guide §8.1",
    states="The guide's nginx configuration lets nobody in without the key, and every answer out.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="An allow list of routes, the key in a file of its own and vLLM's --api-key behind it, proxy_buffering off, "
    "a long proxy_read_timeout; or Beachhead's gateway, whose closed routes openai-api judges.",
    version=1,
    observe=observe,
    judge=judge,
)
