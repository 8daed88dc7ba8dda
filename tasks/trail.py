"""The raw record of a run, kept at the connection: every command and every HTTP call, failing ones too.

Each line carries the digest of the line before and its own; a long output lies beside, under its own digest's name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from typing import Any

from tasks import chain
from tasks.hosts import Host, HostError, Ran, now
from tasks.redaction import Redactor

KEEP_CHARS = 16_000  # of one output inside trail.jsonl; the whole text of a longer one lies beside it
_collecting: ContextVar[list[str] | None] = ContextVar("beachhead_trail", default=None)


class Trail:
    """Append-only `raw/trail.jsonl`; each record is flushed and has an id that evidence can name."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self.folder = folder
        self.redactor = redactor
        self._lock = Lock()
        self._digests: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.head = _last(folder / "trail.jsonl")  # digest of the newest record
        self._count = 0
        self._file = (folder / "trail.jsonl").open("ab")

    def record(self, kind: str, **fields: Any) -> str:
        """Write one record and return its id."""
        with self._lock:
            self._count += 1
            record_id = f"{'c' if kind == 'command' else 'r'}{self._count:05d}"
            entry = {"id": record_id, "kind": kind, **self.redactor.tree(fields)}
            for key in ("stdout", "stderr", "response"):
                self._shorten(entry, key)
            linked = chain.linked(entry, self.head)
            self._file.write(chain.line(linked))
            self._file.flush()
            os.fsync(self._file.fileno())
            self.head = self._digests[record_id] = linked["sha256"]
        names = _collecting.get()
        if names is not None:
            names.append(record_id)
        return record_id

    def digest(self, record_id: str) -> str:
        """The digest of a record of this run."""
        return self._digests[record_id]

    def _shorten(self, entry: dict[str, Any], key: str) -> None:
        text = entry.get(key)
        if isinstance(text, str) and len(text) > KEEP_CHARS:
            content = text.encode("utf-8", "backslashreplace")
            whole = f"{chain.sha256(content)}.txt"
            _keep(self.folder / whole, content)
            entry[key] = text[: KEEP_CHARS // 2] + f"\n[... whole text in raw/{whole} ...]\n" + text[-KEEP_CHARS // 2 :]
            entry["whole"] = {**entry.get("whole", {}), key: whole}

    @contextmanager
    def collecting(self) -> Iterator[list[str]]:
        """The ids recorded by this thread while the context lasts."""
        names: list[str] = []
        token = _collecting.set(names)
        try:
            yield names
        finally:
            _collecting.reset(token)

    def read(self) -> list[dict[str, Any]]:
        """Every record so far."""
        with self._lock:
            self._file.flush()
            text = (self.folder / "trail.jsonl").read_text(encoding="utf-8")
        return [chain.bare(json.loads(line)) for line in text.splitlines()]

    def close(self) -> None:
        """Close the file; recording afterwards is an error."""
        self._file.close()


def _last(file: Path) -> str:
    """The digest that the next record has to name."""
    found = [entry for _, entry, _ in chain.entries(file.read_bytes())] if file.exists() else []
    return str((found[-1] or {}).get("sha256", chain.START)) if found else chain.START


def _keep(file: Path, content: bytes) -> None:
    """Write an output under its own digest's name; one that is there already is the same."""
    if not file.exists():
        part = file.with_name(f".{file.name}.part")
        with part.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)


class RecordedHost:
    """A host whose every command is on the trail, the ones that raise too."""

    def __init__(self, host: Host, trail: Trail) -> None:
        self.name = host.name
        self._host, self._trail = host, trail

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        """Run on the wrapped host; see `tasks.hosts.Host.run`."""
        at = now()
        common = {"host": self.name, "command": command, "at": at.isoformat(), "sudo": sudo}
        try:
            ran = self._host.run(command, timeout=timeout, stdin=stdin, sudo=sudo)
        except HostError as error:
            self._trail.record("command", **common, error=f"{type(error).__name__}: {error.what}")
            raise self._clean(error) from None
        text = self._trail.redactor.text
        self._trail.record(
            "command", **common, exit=ran.exit, stdout=ran.stdout, stderr=ran.stderr, seconds=round(ran.seconds, 3)
        )
        return Ran(ran.host, text(ran.command), ran.exit, ran.stdout, text(ran.stderr), ran.at, ran.seconds)

    def _clean(self, error: HostError) -> HostError:
        text = self._trail.redactor.text
        error.what, error.where, error.fix = text(error.what), text(error.where), text(error.fix)
        error.args = (error.what,)
        return error

    def forward(self, port: int) -> AbstractContextManager[int]:
        """See `tasks.hosts.Host.forward`."""
        return self._host.forward(port)

    def close(self) -> None:
        """See `tasks.hosts.Host.close`."""
        self._host.close()


def tail(text: str, lines: int = 12) -> str:
    """The last lines of a log, for a message to a person."""
    return "\n".join(text.rstrip().splitlines()[-lines:])
