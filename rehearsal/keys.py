"""The rehearsal's SSH keys and the files that pin them, all in one folder."""

from __future__ import annotations

import os
from pathlib import Path

import asyncssh

HOST_KEY = "ssh_host_ed25519_key"
CLIENT_KEY = "id_ed25519"
AUTHORIZED_KEYS = "authorized_keys"
KNOWN_HOSTS = "known_hosts"


def ensure_key(path: Path) -> asyncssh.SSHKey:
    """The Ed25519 private key at `path` (mode 0600), made with its .pub when it is missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = asyncssh.generate_private_key("ssh-ed25519", comment=f"beachhead rehearsal {path.name}")
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.export_private_key())
        path.with_name(path.name + ".pub").write_bytes(key.export_public_key())
    path.chmod(0o600)
    return asyncssh.read_private_key(path)


def _public(key: asyncssh.SSHKey) -> str:
    """Key type and base64, without the comment."""
    return " ".join(key.export_public_key().decode().split()[:2])


def _ensure_line(path: Path, starts: str, line: str) -> None:
    """Add `line` unless one that begins with `starts` stands there; what stands there is never changed."""
    text = path.read_text() if path.exists() else ""
    if any(have.startswith(starts) for have in text.splitlines()):
        return
    path.write_text(f"{text}{line}\n")


def lay_out(folder: Path, port: int) -> None:
    """Write whatever is missing: both keys, authorized_keys, and the host key pinned for 127.0.0.1:`port`."""
    client, host = _public(ensure_key(folder / CLIENT_KEY)), _public(ensure_key(folder / HOST_KEY))
    _ensure_line(folder / AUTHORIZED_KEYS, client, f"{client} beachhead rehearsal")
    address = f"[127.0.0.1]:{port} "
    _ensure_line(folder / KNOWN_HOSTS, address, address + host)
