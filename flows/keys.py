"""Whose API keys the gateway knows, changed while it serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from flows.run import evidence_root, new_run_id
from inventories.errors import BadInput
from inventories.load import load
from tasks.facts.base import look
from tasks.facts.gateway_keys import GatewayKeysFact
from tasks.facts.gateway_state import GatewayStateFact
from tasks.gateway import keys as clients
from tasks.gateway.keys import ClientKey, Keys, new_key
from tasks.gateway.plan import gateway_folder
from tasks.hosts import now
from tasks.operations.base import Operation, converge
from tasks.operations.files import Folder
from tasks.operations.gateway_keys import GatewayKeys
from tasks.operations.gateway_running import GatewayRunning
from tasks.runtimes.base import runtime
from tasks.site import Site


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done, in words; `key` is a new client's secret, empty where none was made."""

    name: str
    said: str
    key: str = field(default="", repr=False)


def listed(inventory: str, name: str | None = None) -> Keys:
    """Every client's keys, or those of one; a client whose key is being changed has two."""
    with _opened(inventory) as site:
        found = look(site.host(site.head.name), GatewayKeysFact(_file(site))).keys
    return tuple(key for key in found if name in (None, key.name))


def change(inventory: str, verb: str, name: str | None, *, retire: bool = False) -> Changed:
    """Add, remove or rotate a client's key, and let a running gateway take it over.

    The new key is in the answer alone: neither the host nor any record ever holds it.
    """
    if name is None:
        raise BadInput(f"{verb} needs a client's name", where="beachhead keys", fix=f"beachhead keys … {verb} ann")
    if retire and verb != "rotate":
        raise BadInput("--retire belongs to rotate", where="beachhead keys", fix=f"leave it out with {verb}")
    makes_one = verb in ("add", "rotate") and not retire
    key = new_key() if makes_one else ""
    with _opened(inventory) as site:
        site.redactor.add(key)
        said = _apply(site, name, _change(verb, name, key, retire))
    return Changed(name, said, key)


def _change(verb: str, name: str, key: str, retire: bool) -> Callable[[Keys], Keys]:
    today = now().date()
    if verb == "remove":
        return partial(clients.removed, name=name)
    if retire:
        return partial(clients.retired, name=name)
    made = clients.added if verb == "add" else clients.rotated
    return partial(made, name=name, key=key, today=today)


def _apply(site: Site, name: str, change_of: Callable[[Keys], Keys]) -> str:
    host, folder = site.host(site.head.name), gateway_folder(site.head)
    before = look(host, GatewayKeysFact(_file(site)))
    wanted = change_of(before.keys)
    wanted_file = GatewayKeys(_file(site), before.sha256, wanted)
    operations: list[Operation] = [Folder(folder), wanted_file, *_reloaded(site)]
    for operation in operations:
        site.note(converge(host, operation))
    valid = sum(key.name == name for key in wanted)
    runs = look(host, GatewayStateFact(folder)).answers
    when = "now" if runs else "once the gateway runs: it does not yet"
    return f"{name}: {valid} valid key{'' if valid == 1 else 's'}, {when}"


def _reloaded(site: Site) -> Iterator[Operation]:
    """What makes a running gateway read its keys anew, and nothing else of its configuration."""
    host = site.host(site.head.name)
    if not look(host, GatewayStateFact(gateway_folder(site.head))).answers:
        return
    for operation in runtime(site.inventory).gateway(site, site.live()):
        if isinstance(operation, GatewayRunning):
            yield operation


def _file(site: Site) -> str:
    return f"{gateway_folder(site.head)}/keys"


@contextmanager
def _opened(name: str) -> Iterator[Site]:
    inventory = load(name)
    if inventory.serving.runtime == "kubernetes":
        raise BadInput(
            "in a cluster the gateway's keys lie in a Secret, which this command does not change",
            where=f"inventory {name}: serving.runtime",
            fix="put the keys file into the Secret gateway-keys with kubectl",
        )
    run_id = new_run_id()
    folder: Path = evidence_root() / inventory.name / run_id
    site = Site(inventory, folder, run_id=run_id)
    try:
        yield site
    finally:
        site.close()


__all__ = ["Changed", "ClientKey", "change", "listed"]
