"""Certificates: our own CA, given ones, whom a client of ours trusts.  Handshakes are in test_gateway_serving.py."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from inventories.errors import BadInput
from inventories.schema import Inventory
from inventories.serving import Gateway, Tls
from tasks.gateway.authority import LEAF_DAYS, RENEW_DAYS, Authority
from tasks.gateway.given import given_certificate
from tasks.gateway.secrets import engine_key
from tasks.gateway.trust import certificate_names, server_certificate, ssl_context
from tasks.site import Site
from tests.recorded.recordings import rehearsal

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAMES = ("localhost", "127.0.0.1", "gpu1.example.org")


def test_a_certificate_is_kept_until_it_is_old_or_its_names_change(tmp_path: Path) -> None:
    own = Authority(tmp_path / "ca", "test")
    first = own.server(NAMES, NOW)
    assert own.server(NAMES, NOW + timedelta(days=LEAF_DAYS - RENEW_DAYS - 1)) == first
    assert own.server(NAMES, NOW + timedelta(days=LEAF_DAYS - RENEW_DAYS + 1)) != first
    assert own.server(NAMES[:2], NOW) != own.server(NAMES, NOW)
    ca = own.certificate_file.read_bytes()
    assert own.server(NAMES, NOW + timedelta(days=400)) and own.certificate_file.read_bytes() == ca
    assert {oct(p.stat().st_mode & 0o777) for p in (tmp_path / "ca").iterdir()} == {"0o600"}
    assert (tmp_path / "ca").stat().st_mode & 0o777 == 0o700


def test_the_leaf_is_a_servers_and_no_authority(tmp_path: Path) -> None:
    own = Authority(tmp_path / "ca", "test")
    leaf = x509.load_pem_x509_certificate(own.server(NAMES, NOW).chain.encode())
    root = x509.load_pem_x509_certificate(own.certificate_file.read_bytes())
    leaf.verify_directly_issued_by(root)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "gpu1.example.org"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


@pytest.mark.parametrize("damage", ["garbage", "other key", "expired"])
def test_a_broken_authority_is_named_and_not_replaced(tmp_path: Path, damage: str) -> None:
    own, other = Authority(tmp_path / "ca", "test"), Authority(tmp_path / "other", "test")
    own.server(NAMES, NOW), other.server(NAMES, NOW)
    if damage == "garbage":
        (tmp_path / "ca" / "ca.key").write_text("garbage")
    if damage == "other key":
        (tmp_path / "ca" / "ca.pem").write_bytes((tmp_path / "other" / "ca.pem").read_bytes())
    when = NOW + timedelta(days=4000) if damage == "expired" else NOW
    before = (tmp_path / "ca" / "ca.pem").read_bytes()
    with pytest.raises(BadInput, match="CA"):
        own.server(NAMES, when)
    assert (tmp_path / "ca" / "ca.pem").read_bytes() == before


def given_files(folder: Path, *, chain: bool = True) -> tuple[Tls, Authority]:
    own = Authority(folder / "ca", "test")
    made = own.server(NAMES, NOW)
    (folder / "chain.pem").write_text(made.chain + (own.certificate_file.read_text() if chain else ""))
    (folder / "key.pem").write_text(made.key)
    return Tls(mode="given", certificate=str(folder / "chain.pem"), private_key=str(folder / "key.pem")), own


def test_given_files_that_belong_together_are_taken_as_they_are(tmp_path: Path) -> None:
    tls, _ = given_files(tmp_path)
    found = given_certificate(tls, NOW)
    assert found.chain == (tmp_path / "chain.pem").read_text() and found.key == (tmp_path / "key.pem").read_text()
    assert "PRIVATE" not in repr(tls)


def test_given_files_that_can_not_serve_are_bad_input(tmp_path: Path) -> None:
    tls, own = given_files(tmp_path)
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    good_chain, good_key = chain.read_text(), key.read_text()
    other = Authority(tmp_path / "other", "other").server(NAMES, NOW)
    leaf = good_chain.partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    encrypted = serialization.load_pem_private_key(good_key.encode(), None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    cases = [
        (good_chain, other.key, "does not belong"),
        (own.certificate_file.read_text() + leaf, good_key, "not signed by"),
        ("nonsense", good_key, "no certificates"),
        (good_chain, "nonsense", "no private key"),
        (good_chain, encrypted.decode(), "encrypted"),
    ]
    for text, secret, said in cases:
        chain.write_text(text), key.write_text(secret)
        with pytest.raises(BadInput, match=said):
            given_certificate(tls, NOW)
    chain.write_text(good_chain), key.write_text(good_key)
    for when in (NOW + timedelta(days=LEAF_DAYS + 1), NOW - timedelta(days=2)):
        with pytest.raises(BadInput, match="valid from"):
            given_certificate(tls, when)
    chain.unlink()
    with pytest.raises(BadInput, match="can't read"):
        given_certificate(tls, NOW)


def site(tmp_path: Path, **serving: Any) -> Site:
    """A site whose home() is below `tmp_path`."""
    found = rehearsal()
    changed = found.serving.model_copy(update={"gateway": Gateway()} | serving)
    inventory = Inventory.model_validate(found.model_copy(update={"serving": changed}).model_dump())
    return Site(inventory, tmp_path / "evidence")


def test_every_address_that_clients_use_is_in_the_certificate(tmp_path: Path) -> None:
    with patch.dict("os.environ", {"BEACHHEAD_HOME": str(tmp_path)}):
        names = certificate_names(site(tmp_path, live_address="10.1.2.3"))
        assert set(names) >= {"10.1.2.3", "127.0.0.1", "localhost"}
        assert "0.0.0.0" not in certificate_names(site(tmp_path, live_address="0.0.0.0"))


def test_secrets_of_the_certificate_and_the_engine_are_redacted(tmp_path: Path) -> None:
    with patch.dict("os.environ", {"BEACHHEAD_HOME": str(tmp_path)}):
        here = site(tmp_path)
        made, key = server_certificate(here), engine_key(here)
        assert made is not None and ssl_context(here) is not None
        assert key != here.api_key() and engine_key(here) == key
        assert key not in here.redactor.text(f"x {key} {made.key}") and "PRIVATE" not in here.redactor.text(made.key)
        assert (tmp_path / "rehearsal" / "engine_key").stat().st_mode & 0o777 == 0o600
        here.close()
    with patch.dict("os.environ", {"BEACHHEAD_HOME": str(tmp_path), "BEACHHEAD_ENGINE_KEY": "too short"}):
        bad = site(tmp_path)
        with pytest.raises(BadInput, match="16 to 256"):
            engine_key(bad)
        bad.close()


def test_without_tls_there_is_no_context(tmp_path: Path) -> None:
    found = Gateway(tls=Tls(mode="off"))
    with patch.dict("os.environ", {"BEACHHEAD_HOME": str(tmp_path)}):
        assert ssl_context(site(tmp_path, gateway=found)) is None
