"""API keys of the gateway's clients: made here, known on the host by their SHA-256 alone."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import date

from inventories.errors import BadInput

DEPLOYMENT = "beachhead"  # the deployment's own client, for readiness and claims through the gateway
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LINE = re.compile(r"([a-z0-9][a-z0-9-]{0,62}) ([0-9a-f]{64}) ([0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """One line of the keys file; `sha256` in hex digits, `created` as YYYY-MM-DD."""

    name: str
    sha256: str
    created: str


Keys = tuple[ClientKey, ...]


def new_key() -> str:
    """A key of 256 random bits; `bh_` tells scanners of leaked secrets what it is."""
    return f"bh_{secrets.token_urlsafe(32)}"


def entry(name: str, key: str, today: date) -> ClientKey:
    """The line for `key`, with which nobody can get in."""
    return ClientKey(name, hashlib.sha256(key.encode()).hexdigest(), today.isoformat())


def parse(text: str) -> Keys:
    """Read a keys file; raises ValueError at the first line that nginx would refuse too."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        read = _LINE.fullmatch(line)
        if read is None:
            raise ValueError(f"line {number} is not a name, a SHA-256 and a date")
        found.append(ClientKey(*read.groups()))
    return tuple(found)


def render(keys: Keys) -> str:
    """The keys file, sorted by name; of one name the newest stands last."""
    ordered = sorted(keys, key=lambda key: key.name)
    return "".join(f"{key.name} {key.sha256} {key.created}\n" for key in ordered)


def added(keys: Keys, name: str, key: str, today: date) -> Keys:
    """`keys` with a new client; BadInput where it is known already."""
    _ours(name)
    if _of(keys, name):
        raise _bad(f"{name} has a key already", f"`beachhead keys … rotate {name}` gives it a new one beside it")
    return (*keys, entry(name, key, today))


def removed(keys: Keys, name: str) -> Keys:
    """`keys` without a client, whichever keys it has."""
    _ours(name)
    _known(keys, name)
    return tuple(key for key in keys if key.name != name)


def rotated(keys: Keys, name: str, key: str, today: date) -> Keys:
    """A second key for a client: both are valid until the old one is retired."""
    _ours(name)
    if len(_known(keys, name)) > 1:
        raise _bad(f"{name} has an old and a new key already", f"`beachhead keys … rotate {name} --retire` first")
    return (*keys, entry(name, key, today))


def retired(keys: Keys, name: str) -> Keys:
    """Only the newest key of a client is left; BadInput where it has one alone."""
    _ours(name)
    own = _known(keys, name)
    if len(own) < 2:
        raise _bad(f"{name} has one key, so none can be retired", f"`beachhead keys … rotate {name}` makes a second")
    return tuple(key for key in keys if key.name != name or key is own[-1])


def with_deployment(keys: Keys, key: str, today: date) -> Keys:
    """The deployment's own client has exactly `key`; every other line stays."""
    wanted = entry(DEPLOYMENT, key, today)
    own = [known for known in keys if known.name == DEPLOYMENT]
    if [known.sha256 for known in own] == [wanted.sha256]:
        return keys
    return (*(known for known in keys if known.name != DEPLOYMENT), wanted)


def _of(keys: Keys, name: str) -> list[ClientKey]:
    return [key for key in keys if key.name == name]


def _known(keys: Keys, name: str) -> list[ClientKey]:
    found = _of(keys, name)
    if not found:
        names = ", ".join(sorted({key.name for key in keys} - {DEPLOYMENT})) or "none"
        raise _bad(f"no client is named {name}", f"clients are: {names}")
    return found


def _ours(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise _bad(f"{name!r} is no name of a client", "small letters, digits and -, up to 63 of them")
    if name == DEPLOYMENT:
        raise _bad(
            f"{DEPLOYMENT} is the deployment's own client",
            "its key is $BEACHHEAD_API_KEY, or the file api_key in $BEACHHEAD_HOME/<inventory>; promote takes it over",
        )


def _bad(what: str, fix: str) -> BadInput:
    return BadInput(what, where="the gateway's keys", fix=fix)
