"""The gateway's certificate, and how this machine makes sure that it talks to that gateway and no other."""

from __future__ import annotations

import re
import ssl

from tasks.gateway.authority import Authority, Certificate
from tasks.gateway.given import given_certificate
from tasks.gateway.plan import listens
from tasks.hosts import now
from tasks.site import Site, home

_NAME = re.compile(r"[A-Za-z0-9.:-]{1,253}")  # an address that a certificate can carry


def authority(site: Site) -> Authority:
    """The deployment's own CA, kept here; `certificate_file` is what clients are given."""
    name = site.inventory.name
    return Authority(home() / name / "ca", f"Beachhead {name}")


def certificate_names(site: Site) -> tuple[str, ...]:
    """Every name by which clients may come: declared ones, where it listens, the host's address, loopback."""
    serving = site.inventory.serving
    ssh = site.head.ssh
    reached = ssh.address if ssh and ssh.address != "local" and _NAME.fullmatch(ssh.address) else ""
    listening = "" if listens(serving.live_address, 1)[0].startswith(("0.0.0.0:", "[::]")) else serving.live_address
    wanted = (*serving.gateway.tls.names, listening, reached, "localhost", "127.0.0.1")
    return tuple(dict.fromkeys(name for name in wanted if name))


def server_certificate(site: Site) -> Certificate | None:
    """What the gateway shows; None with `tls.mode: off`.  BadInput where a given one can't serve."""
    tls = site.inventory.serving.gateway.tls
    if tls.mode == "off":
        return None
    made = (
        given_certificate(tls, now()) if tls.mode == "given" else authority(site).server(certificate_names(site), now())
    )
    site.redactor.add(made.key.strip())
    return made


def ssl_context(site: Site) -> ssl.SSLContext | None:
    """What a client of ours uses for https to the gateway; None where that speaks plain HTTP on loopback.

    With our own CA the name is checked too (127.0.0.1 is in the certificate).  A given certificate needn't name
    127.0.0.1, by which we come over SSH: it must be that very certificate instead.
    """
    found = server_certificate(site)
    if found is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cadata=_trusted(site, found))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if site.inventory.serving.gateway.tls.mode == "given":
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _trusted(site: Site, found: Certificate) -> str:
    if site.inventory.serving.gateway.tls.mode == "own-ca":
        return authority(site).certificate_file.read_text(encoding="ascii")
    end = "-----END CERTIFICATE-----"
    return found.chain.partition(end)[0] + end + "\n"  # the server's own, which stands first
