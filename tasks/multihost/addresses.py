"""The addresses by which the hosts of one model reach each other: private ones only.

Between nodes nothing is encrypted, and vLLM's message queues and torch's store ask nobody who they are (vLLM's
docs/usage/security.md: isolate the nodes' network).  So a public address is refused, not warned of.
"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

from inventories.errors import BadInput
from inventories.schema import Host, Inventory


def private_addresses(inventory: Inventory) -> dict[str, str]:
    """Each host's `address`, else its ssh address; raises BadInput for any that isn't private, or is shared."""
    found: dict[str, str] = {}
    for host in inventory.hosts:
        address = _address(inventory, host)
        if address in found.values():
            raise BadInput(
                f"two hosts have the address {address}",
                where=_where(inventory, host),
                fix="give each host its own address in the network between them",
            )
        found[host.name] = address
    return found


def _address(inventory: Inventory, host: Host) -> str:
    said = host.address or (host.ssh.address if host.ssh else None)
    if said is None:
        raise BadInput(
            f"host {host.name} is planned, but has no address yet",
            where=_where(inventory, host),
            fix="add its `ssh:` block, and `address:` where the hosts reach each other by another network",
        )
    try:
        number = ip_address(said)
    except ValueError:
        number = None
    if not isinstance(number, IPv4Address):
        raise BadInput(
            f"{said!r} is no IPv4 address: the ranks need a number that every host agrees on",
            where=_where(inventory, host),
            fix="write the host's private IPv4 address as `address:`",
        )
    if number.is_loopback or number.is_unspecified or number.is_multicast or number.is_reserved:
        raise BadInput(
            f"another host can't reach {said}",
            where=_where(inventory, host),
            fix="write the host's private IPv4 address as `address:`",
        )
    if number.is_global:
        raise BadInput(
            f"{said} is a public address, and between the hosts nothing is encrypted or asks for a password",
            where=_where(inventory, host),
            fix="connect the hosts by a private network and write that address as `address:`",
        )
    return said


def _where(inventory: Inventory, host: Host) -> str:
    return f"inventory {inventory.name}: hosts: {host.name}"
