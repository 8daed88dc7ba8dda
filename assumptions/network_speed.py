"""Claim: a GPU host's network is as fast as the guide's table asks."""

from __future__ import annotations

from collections.abc import Mapping

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, unread
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.facts.network_interfaces import NetworkInterface, NetworkInterfaceFact
from tasks.facts.reading import Reading
from tasks.site import Site

MINIMUM_GBIT_S, RECOMMENDED_GBIT_S = 10, 25  # K2 Thinking guide §2.2, row Network
SOURCE = "K2 Thinking guide §2.2, row Network; the speed is what the kernel says was negotiated"
ONE_HOST = (
    "The guide gives the network for traffic between GPUs; on one host that goes over NVLink or PCIe, and the network "
    "carries requests and the fetch of the weights."
)


def observe(site: Site, stage: Stage) -> dict[str, Reading[tuple[NetworkInterface, ...]]]:
    """The interfaces of every host with GPUs."""
    return each(site, gpu_hosts(site.inventory), lambda host, _: attempt(host, NetworkInterfaceFact()))


def _part(host: str, found: Reading[tuple[NetworkInterface, ...]]) -> Part:
    name, expected = f"{host}: network", f">= {MINIMUM_GBIT_S} Gbit/s"
    if found.value is None:
        return unread(name, found, expected=expected)
    cards = [card for card in found.value if card.up and card.has_device]
    known = [(card.speed_mbit_s.value / 1000, card.name) for card in cards if card.speed_mbit_s.value is not None]
    fastest, card = max(known, default=(0.0, ""))
    if fastest >= MINIMUM_GBIT_S:
        return check(name, True, f"{card}: {fastest:g} Gbit/s", expected=expected, measured=f"{fastest:g} Gbit/s")
    unknown = [each.name for each in cards if each.speed_mbit_s.value is None]
    if unknown or not cards:
        why = f"no speed is known of {', '.join(unknown)}" if unknown else "no interface with a device is up"
        return check(name, None, f"{why} (virtual interfaces tell none)", expected=expected)
    return check(name, False, f"{card}: {fastest:g} Gbit/s", expected=expected, measured=f"{fastest:g} Gbit/s")


def judge(seen: Mapping[str, Reading[tuple[NetworkInterface, ...]]], inventory: Inventory) -> Finding:
    """The fastest interface that is up against the guide's minimum."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    return finding(
        (_part(host, found) for host, found in seen.items()),
        good=f"{MINIMUM_GBIT_S} Gbit/s or more on every host",
        expected=f">= {MINIMUM_GBIT_S} Gbit/s ({RECOMMENDED_GBIT_S} recommended)",
        source=SOURCE,
        notes=() if len(gpu_hosts(inventory)) > 1 else (ONE_HOST,),
    )


ASSUMPTION = Assumption(
    id="network-speed",
    guide="K2 Thinking guide §2.2",
    states="A GPU host's network runs at 10 Gbit/s or more.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy="A slower network lengthens the fetch of the weights; between hosts that share one model it slows every "
    "token: then order 25 Gbit/s or more.",
    version=1,
    observe=observe,
    judge=judge,
    depends_on=("machine", "kernel"),
)
