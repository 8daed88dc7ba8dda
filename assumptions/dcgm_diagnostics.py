"""Claim: NVIDIA's own quick diagnostics find nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, unread
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.dcgm import DcgmFact
from tasks.facts.dcgm_diagnostics import DcgmDiagnosticsFact, DcgmTest
from tasks.facts.reading import Reading
from tasks.hosts import Host
from tasks.site import Site

LEVEL, LONGEST_S = 1, 50  # level 1 takes seconds; 2 takes about two minutes and loads the GPUs
SOURCE = f"NVIDIA DCGM diagnostics, level {LEVEL}: every test passes or is skipped"
HOW = "install datacenter-gpu-manager-4-cuda13 and start nvidia-dcgm"


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """dcgmi's version ("" where it is not installed) and its tests."""

    version: Reading[str]
    tests: Reading[tuple[DcgmTest, ...]]


def observe(site: Site, stage: Stage) -> dict[str, Diagnosed]:
    """Run level 1 where dcgmi is installed."""

    def see(host: Host, _: HostSpec) -> Diagnosed:
        version = attempt(host, DcgmFact())
        if version.value is None:
            told: Reading[str] = Reading(None, version.why_not) if version.why_not else Reading("")
            return Diagnosed(told, Reading(None, "not run"))
        return Diagnosed(Reading(version.value), attempt(host, DcgmDiagnosticsFact(LEVEL), timeout=LONGEST_S))

    return each(site, gpu_hosts(site.inventory), see)


def _parts(host: str, seen: Diagnosed) -> Iterator[Part]:
    name = f"{host}: dcgmi diag -r {LEVEL}"
    if not seen.version.value:
        why = seen.version.why_not or f"dcgmi is not installed; {HOW}"
        yield check(name, None, why, expected="no test fails")
        return
    if seen.tests.value is None:
        yield unread(name, seen.tests, expected="no test fails")
        return
    for test in seen.tests.value:
        if test.failed or not (test.passed or test.status.lower() in ("skip", "notrun", "not run")):
            holds = False if test.failed else None
            said = f"{test.status} on {test.on or 'the host'}: {test.said or 'it gives no reason'}"
            yield check(f"{host}: {test.name}", holds, said, expected="Pass", measured=test.status)
    passed = sum(test.passed for test in seen.tests.value)
    said = f"dcgmi {seen.version.value}: {passed} of {len(seen.tests.value)} results pass"
    yield check(name, True if passed else None, said, expected="some pass", measured=passed)


def judge(seen: Mapping[str, Diagnosed], inventory: Inventory) -> Finding:
    """A test that failed fails; a warning or a word that is not known is UNKNOWN; nothing run is UNKNOWN."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    return finding(
        (part for host, found in seen.items() for part in _parts(host, found)),
        good=f"level {LEVEL} finds nothing",
        expected=f"dcgmi diag -r {LEVEL}: no test fails",
        source=SOURCE,
        notes=("By hand, with nothing else on the GPUs: dcgmi diag -r 2 (2 min), -r 3 (15 min).",),
    )


ASSUMPTION = Assumption(
    id="dcgm-diagnostics",
    guide="K2 Thinking guide §2.1",
    states="NVIDIA's quick diagnostics find nothing wrong with GPUs and driver.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy=f"To run it at all: {HOW}. A test that fails: run dcgmi diag -r 3 with nothing else on the GPUs, and "
    "send the vendor pack with its output.",
    version=1,
    observe=observe,
    judge=judge,
)
