"""Claim: the host runs the operating system that the guide recommends, or one of its alternatives."""

from __future__ import annotations

from collections.abc import Mapping

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, unread
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.facts.operating_system import OperatingSystem, OperatingSystemFact
from tasks.facts.reading import Reading
from tasks.site import Site

RECOMMENDED = ("ubuntu", "22.04")  # K2 Thinking guide §3.1
ALTERNATIVES = ("Ubuntu 24.04 LTS", "RHEL/CentOS", "Debian")  # the same section
SOURCE = "K2 Thinking guide §3.1: Ubuntu 22.04 LTS, with RHEL/CentOS, Debian and Ubuntu 24.04 LTS as alternatives"


def observe(site: Site, stage: Stage) -> dict[str, Reading[OperatingSystem]]:
    """Ask every host."""
    return each(site, site.inventory.hosts, lambda host, _: attempt(host, OperatingSystemFact()))


def named(os: OperatingSystem) -> str:
    """How the guide calls it; empty where it does not name it."""
    if (os.id, os.version) == RECOMMENDED:
        return "the guide's recommendation"
    if os.id == "ubuntu":
        return "an alternative of the guide" if os.version == "24.04" else ""
    if os.id == "debian" or os.id in ("rhel", "centos") or {"rhel", "centos"} & set(os.like):
        return "an alternative of the guide"
    return ""


def _part(host: str, found: Reading[OperatingSystem]) -> Part:
    name, expected = f"{host}: system", "Ubuntu 22.04 LTS or a named alternative"
    if found.value is None:
        return unread(name, found, expected=expected)
    os = found.value
    words = f"{os.id} {os.version}".strip()
    said = f"{words}, kernel {os.kernel}: {named(os) or 'the guide does not name it'}"
    return check(name, bool(named(os)), said, expected=expected, measured=words)


def judge(seen: Mapping[str, Reading[OperatingSystem]], inventory: Inventory) -> Finding:
    """Name and version against the guide's list."""
    systems = sorted({f"{found.value.id} {found.value.version}".strip() for found in seen.values() if found.value})
    return finding(
        (_part(host, found) for host, found in seen.items()),
        good=f"{', '.join(systems)}: named by the guide",
        expected=f"Ubuntu 22.04 LTS, or {', '.join(ALTERNATIVES)}",
        source=SOURCE,
    )


ASSUMPTION = Assumption(
    id="operating-system",
    guide="K2 Thinking guide §3.1",
    states="Every host runs Ubuntu 22.04 LTS or an alternative that the guide names.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy="Another system may serve as well; what must hold is judged by the claims about driver, CUDA and clock.",
    version=1,
    observe=observe,
    judge=judge,
    depends_on=("machine", "kernel"),
)
