"""A certificate authority of the deployment's own: its key never leaves this machine, its certificate clients trust."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inventories.errors import BadInput
from tasks.gateway.kept import made_once, write_secret

CA_DAYS = 3650
LEAF_DAYS = 365  # under the 398 days that browsers and Apple's clients accept
RENEW_DAYS = 30
_EARLY = timedelta(hours=1)  # clocks differ


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain and its key, both PEM; `key` is secret."""

    chain: str
    key: str


@dataclass(frozen=True, slots=True)
class Authority:
    """The folder here that holds ca.pem, ca.key, and the server certificate with its key."""

    folder: Path
    title: str

    @property
    def certificate_file(self) -> Path:
        """What a client trusts: public, PEM."""
        return self.folder / "ca.pem"

    def server(self, names: Sequence[str], now: datetime) -> Certificate:
        """A certificate for `names`: the one that is kept, unless names differ or under 30 days are left."""
        authority, signer = self._own(now)
        chain, key = self.folder / "server.pem", self.folder / "server.key"
        if chain.exists() and key.exists() and _still_good(chain.read_bytes(), authority, names, now):
            return Certificate(chain.read_text(encoding="ascii"), key.read_text(encoding="ascii"))
        made = ec.generate_private_key(ec.SECP256R1())
        leaf = _leaf(made, names, authority, signer, now)
        write_secret(key, _private(made))
        write_secret(chain, leaf.public_bytes(serialization.Encoding.PEM))
        return Certificate(chain.read_text(encoding="ascii"), key.read_text(encoding="ascii"))

    def _own(self, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """The CA, made on first use; BadInput where its files don't belong together or it has expired."""
        pem = made_once(self.folder / "ca.key", _private(ec.generate_private_key(ec.SECP256R1())))
        try:
            key = serialization.load_pem_private_key(pem, None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError("not an elliptic-curve key")
            own = _root(key, self.title, now).public_bytes(serialization.Encoding.PEM)
            certificate = x509.load_pem_x509_certificate(made_once(self.certificate_file, own))
            if certificate.public_key() != key.public_key():
                raise ValueError("ca.pem belongs to another key")
            if certificate.not_valid_after_utc < now + timedelta(days=RENEW_DAYS):
                raise ValueError(f"the CA's certificate ends on {certificate.not_valid_after_utc:%Y-%m-%d}")
        except ValueError as error:
            raise BadInput(
                f"the deployment's own CA can't be used: {error}",
                where=str(self.folder),
                fix="move the folder away: a new CA is made, and its ca.pem goes to every client",
            ) from None
        return certificate, key


def subject_names(names: Sequence[str]) -> list[x509.GeneralName]:
    """`names` once each, IP addresses as such; raises ValueError for what is neither an address nor a DNS name."""
    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _still_good(pem: bytes, authority: x509.Certificate, names: Sequence[str], now: datetime) -> bool:
    try:
        leaf = x509.load_pem_x509_certificate(pem)
        leaf.verify_directly_issued_by(authority)
        held = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # whatever is wrong with it: another one is made
        return False
    return list(held) == subject_names(names) and leaf.not_valid_after_utc > now + timedelta(days=RENEW_DAYS)


def _builder(subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(title: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title[:64])])


def _root(key: ec.EllipticCurvePrivateKey, title: str, now: datetime) -> x509.Certificate:
    name = _named(title)
    built = _builder(name, name, key.public_key()).not_valid_before(now - _EARLY)
    return (
        built.not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    built = _builder(_named("beachhead gateway"), authority.subject, key.public_key()).not_valid_before(now - _EARLY)
    return (
        built.not_valid_after(min(now + timedelta(days=LEAF_DAYS), authority.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subject_names(names)), critical=False)
        .add_extension(signed_by, critical=False)
        .sign(signer, hashes.SHA256())
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, pkcs8, serialization.NoEncryption())
