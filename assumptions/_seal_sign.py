"""A statement signed with the user's own SSH key by ssh-keygen: no cryptography of ours.

ssh-keygen asks the agent, a hardware key or the terminal for what it needs; we never see a private key.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assumptions._seal_envelope import pae, text_of, written
from inventories.errors import BadInput
from tasks import chain

NAMESPACE = "beachhead-seal"  # a signature made for anything else does not verify here
BEGIN, FINISH = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
KINDS = ("ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")
SECONDS = 120  # for a person to type a passphrase or touch a key


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, as far as the signature says: its key, and whether it was made with that key and holds."""

    key: str  # SHA256:…
    holds: bool
    signer: str  # the name that the verifier's own list gives this key; "" where it is on none
    why: str = ""


def envelope(statement: Mapping[str, Any], key: Path) -> bytes:
    """The signed statement; BadInput where ssh-keygen can't sign with this key."""
    payload = chain.spelled(statement)
    with TemporaryDirectory(prefix="beachhead-seal-") as folder:
        message = Path(folder) / "message"
        message.write_bytes(pae(payload))
        done = _keygen(["-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key), str(message)], b"")
        if done.returncode != 0:
            raise BadInput(
                f"ssh-keygen can't sign with this key: {_said(done)}",
                where=str(key),
                fix="name a private key, or the .pub file of one that your agent holds: --key FILE",
            )
        armoured = Path(f"{message}.sig").read_text(encoding="ascii")
    blob = base64.b64decode("".join(armoured.strip().splitlines()[1:-1]))
    return written(payload, blob, _key_of(blob))


def checked(statement: Mapping[str, Any], blob: bytes, key_id: str, signers: str) -> Signature:
    """Whether the signature holds, and whose key it is by the verifier's own list; BadInput without ssh-keygen."""
    message = pae(chain.spelled(statement))
    with TemporaryDirectory(prefix="beachhead-seal-") as folder:
        file, listed = Path(folder) / "sig", Path(folder) / "signers"
        text = text_of(blob)
        lines = [text[at : at + 70] for at in range(0, len(text), 70)]
        file.write_text("\n".join([BEGIN, *lines, FINISH, ""]), encoding="ascii")
        done = _keygen(["-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(file)], message)
        if done.returncode != 0:
            return Signature(key_id, False, "", f"signatures.sig or payload: {_said(done)}")
        if _key_of(blob) != key_id:
            return Signature(key_id, False, "", "signatures.keyid: not the key of the signature")
        listed.write_text(signers, encoding="utf-8")
        found = _keygen(["-Y", "find-principals", "-f", str(listed), "-s", str(file)], b"")
        for name in found.stdout.decode("utf-8", "replace").splitlines() if found.returncode == 0 else ():
            ask = ["-Y", "verify", "-f", str(listed), "-I", name, "-n", NAMESPACE, "-s", str(file)]
            if name and _keygen(ask, message).returncode == 0:
                return Signature(key_id, True, name)
    return Signature(key_id, True, "", "the key is on no list of yours" if signers else "nobody named the signer's key")


def signers(named: str | None) -> str:
    """An allowed-signers list from a public key, a .pub file or such a list; BadInput where it is none of these."""
    if named is None:
        return ""
    try:
        text = named if named.startswith(KINDS) else Path(named).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the signer's key can't be read: {error}", where=named, fix="name a readable file") from None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or "PRIVATE KEY" in text:
        fix = "name a public key (ssh-ed25519 …), its .pub file, or an allowed_signers file"
        raise BadInput("there is no public key in it", where=named, fix=fix)
    return "\n".join(_listed(line) for line in lines) + "\n"


def _listed(line: str) -> str:
    """A line of the list; a bare key gets its own comment as its name."""
    if not line.startswith(KINDS):
        return line
    kind, key, *comment = line.split(maxsplit=2)
    name = "".join(c for c in "".join(comment) if c.isalnum() or c in "@._-+") or "signer"
    return f"{name} {kind} {key}"


def _key_of(blob: bytes) -> str:
    """The fingerprint of the public key inside an SSHSIG: magic, version, then the key as a string."""
    if blob[:6] != b"SSHSIG" or len(blob) < 14:
        return ""
    size = int.from_bytes(blob[10:14], "big")
    digest = base64.b64encode(bytes.fromhex(chain.sha256(blob[14 : 14 + size]))).decode()
    return "SHA256:" + digest.rstrip("=")


def _keygen(arguments: Sequence[str], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments],
            input=stdin if stdin else None,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BadInput(
            f"ssh-keygen did not run: {error}", where="this machine", fix="install OpenSSH's client, 8.9 or later"
        ) from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    text = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
    return text.splitlines()[-1] if text else f"exit status {done.returncode}"
