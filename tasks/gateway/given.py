"""A certificate that the inventory names: read here and checked before any host sees it."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from inventories.errors import BadInput
from inventories.serving import Tls
from tasks.gateway.authority import Certificate


def given_certificate(tls: Tls, now: datetime) -> Certificate:
    """The chain and key of `serving.gateway.tls`; BadInput where they can't serve today."""
    chain, key = _read(tls.certificate or "", "certificate"), _read(tls.private_key or "", "private_key")
    certificates = _chain(chain, tls.certificate or "")
    _in_order(certificates, tls.certificate or "")
    for certificate in certificates:
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            raise _bad(
                f"{certificate.subject.rfc4514_string()} is valid from {since:%Y-%m-%d} to {until:%Y-%m-%d} only",
                tls.certificate,
                "renew it, and name the new file",
            )
    _belongs(certificates[0], key, tls.private_key or "")
    return Certificate(chain.decode("utf-8", "replace"), key.decode("utf-8", "replace"))


def _read(name: str, field: str) -> bytes:
    try:
        return Path(name).expanduser().read_bytes()
    except OSError as error:
        raise _bad(f"can't read it: {error.strerror}", name, f"serving.gateway.tls.{field} names a file here") from None


def _chain(pem: bytes, where: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise _bad(f"it holds no certificates in PEM: {error}", where, "the server's first, then its issuers") from None


def _in_order(chain: list[x509.Certificate], where: str) -> None:
    for place, (signed, signer) in enumerate(pairwise(chain), start=1):
        try:
            signed.verify_directly_issued_by(signer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            raise _bad(
                f"certificate {place} of the chain is not signed by the one after it",
                where,
                "the server's certificate first, then each issuer in turn",
            ) from None


def _belongs(certificate: x509.Certificate, pem: bytes, where: str) -> None:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise _bad("the key is encrypted, and nginx can't ask for its password", where, "name a plain key") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _bad(f"it is no private key in PEM: {error}", where, "name the server's key") from None
    if key.public_key() != certificate.public_key():
        raise _bad("the key does not belong to the certificate", where, "name the key that the request was made with")


def _bad(what: str, where: str | None, fix: str) -> BadInput:
    return BadInput(what, where=where or "serving.gateway.tls", fix=fix)
