"""The small files that nginx.conf includes: which configuration it is, where the engine is, and the engine's key."""

from __future__ import annotations

from tasks.gateway.plan import GatewayPlan


def mark_conf(plan: GatewayPlan, mark: str) -> str:
    """mark.conf: which configuration this is, for the process to say later, and where its perl lies."""
    return f'perl_modules "{plan.folder}/conf-{mark}";\nmap $pid $mark {{ default "{mark}"; }}\n'


def upstream_conf(port: int | None) -> str:
    """upstream.conf: the live slot's engine; without one every request ends in 503."""
    address, live = (f"127.0.0.1:{port} max_fails=0", 1) if port else ("127.0.0.1:9 down", 0)
    return f"upstream engine {{ server {address}; }}\nmap $pid $engine_is_live {{ default {live}; }}\n"


def upstream_key_conf(key: str) -> str:
    """upstream_key.conf: what the engine asks for; secret, mode 0600.  `key` holds no character that nginx reads."""
    if not key or not all(letter.isascii() and (letter.isalnum() or letter in "-_.~+/=") for letter in key):
        raise ValueError("the engine's key has characters that a header or nginx's configuration can't carry")
    return f'proxy_set_header Authorization "Bearer {key}";\n'
