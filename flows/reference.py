"""Recording what a reference engine says of the product's passages."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from assumptions._files import write_whole
from assumptions._quality import reference_path
from assumptions._quality_logprobs import scored, spelling
from assumptions._quality_reference import About, Reference, Run, passages, passages_sha256, written
from inventories.errors import BadInput, Problem
from inventories.load import load
from serving.client import Client, NoAnswer
from tasks.hosts import now
from tasks.site import unrecorded

TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says; `key_env` names an environment variable, the key itself is nowhere."""

    endpoint: str
    key_env: str | None = None
    repeats: int = 3
    kind: str = "other"
    model: str | None = None
    ca: str | None = None
    out: str | None = None


class NoReference(Problem):
    """The reference engine did not answer."""


def record(inventory_name: str, asked: Asked, tell: Callable[[str], None]) -> tuple[Path, Reference]:
    """Score every passage `repeats` times and write the file."""
    inventory = load(inventory_name)
    path = Path(asked.out).expanduser().absolute() if asked.out else reference_path(inventory)
    with _client(asked) as client:
        model = client.model = asked.model or _only_model(client)
        engine = _engine(client)
        tell(f"{model} at {client.base_url} ({engine or 'engine not told'}): {len(passages())} passages")
        runs: dict[str, list[Run]] = {name: [] for name in passages()}
        for repeat in range(asked.repeats):
            for name, text in passages().items():
                runs[name].append(scored(client, text, f"passage {name}", timeout=TIMEOUT_S))
            tell(f"repeat {repeat + 1} of {asked.repeats}")
    about = About(
        model=inventory.model.catalog,
        endpoint=_without_secrets(asked.endpoint),
        endpoint_model=model,
        engine=engine,
        kind=asked.kind,
        recorded_at=now(),
        tokens=spelling(next(iter(runs.values()))[0]),
        temperature=0.0,
        passages_sha256=passages_sha256(),
        repeats=asked.repeats,
    )
    reference = Reference(about, {name: tuple(found) for name, found in runs.items()})
    try:
        write_whole(path, written(reference))
    except OSError as error:
        what = f"the reference can't be written: {error.strerror or error}"
        raise BadInput(what, where=str(path), fix="name another place: --out FILE") from None
    return path, reference


@contextmanager
def _client(asked: Asked) -> Iterator[Client]:
    parts = urlsplit(asked.endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        fix = "write http(s)://HOST[:PORT]/v1; a key is named with --key-env"
        raise BadInput("that is no endpoint's address", where=f"--endpoint {_without_secrets(asked.endpoint)}", fix=fix)
    base = asked.endpoint.rstrip("/")
    with Client(
        base if base.endswith("/v1") else f"{base}/v1",
        model=asked.model or "",
        api_key=_key(asked.key_env),
        record=unrecorded,
        timeout=TIMEOUT_S,
        verify=_trust(asked.ca) if parts.scheme == "https" else None,
    ) as client:
        try:
            yield client
        except NoAnswer as error:
            raise NoReference(str(error), where=client.base_url, fix="see that it serves, and try again") from None


def _key(name: str | None) -> str | None:
    if name is None:
        return None
    found = os.environ.get(name)
    if not found:
        raise BadInput(f"the environment variable {name} is not set", where="--key-env", fix=f"export {name}=…")
    return found


def _trust(ca: str | None) -> ssl.SSLContext | None:
    if ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(Path(ca).expanduser()))
    except OSError as error:
        raise BadInput(f"it holds no certificate: {error.strerror}", where=f"--ca {ca}", fix="a PEM file") from None


def _only_model(client: Client) -> str:
    reply = client.call("GET", "/v1/models")
    try:
        names = [str(each["id"]) for each in reply.body["data"]]
    except (LookupError, TypeError):
        why = f"/v1/models answers {reply.status}: {reply.message[:160]}"
        raise NoReference(why, where=client.base_url, fix="check the key, or name the model: --model NAME") from None
    if len(names) == 1:
        return names[0]
    raise BadInput("it serves several models", where=client.base_url, fix=f"--model: one of {', '.join(names[:20])}")


def _engine(client: Client) -> str:
    """vLLM and SGLang tell their version; others tell nothing."""
    reply = client.call("GET", "/version")
    version = reply.body.get("version") if reply.status == 200 and isinstance(reply.body, dict) else None
    return f"version {version}" if version else ""


def _without_secrets(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
