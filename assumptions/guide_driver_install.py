"""Claim: the guide's commands install a driver and a CUDA toolkit that serve this vLLM."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Outcome, Part, Provenance, Severity, Stage
from assumptions._guide import applies, commands, finding, not_applicable
from assumptions._guide_text import DRIVER
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.site import Site

SHIPPED_WITH = {"12.2.0": "535.54.03", "12.3.0": "545.23.06"}  # driver in NVIDIA's local installer of that toolkit
CUDA_13_SINCE = (0, 20, 0)  # vLLM wheels: libcudart.so.13 from 0.20.0 on, .so.12 in 0.18.1 and 0.19.0
LEAST_DRIVER = {12: 525, 13: 580}  # of a CUDA major version, NVIDIA's release notes
SOURCE = "vLLM wheels' linked libcudart; NVIDIA's CUDA release notes and installer names"
Lines = Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Install:
    """The guide's lines as words."""

    lines: Lines


def observe(site: Site, stage: Stage) -> Install:
    """The guide's text alone."""
    return Install(commands(DRIVER))


def _where(lines: Lines, pattern: str) -> int | None:
    """The first line that the pattern is found in."""
    return next((i for i, words in enumerate(lines) if re.search(pattern, " ".join(words))), None)


def _order(lines: Lines) -> Iterator[Part]:
    driver = _where(lines, r"install\b.* cuda-drivers")
    source, keyring = _where(lines, r"dpkg -i .*(cuda-repo|cuda-keyring)"), _where(lines, r"cp .*keyring\.gpg")
    update, toolkit = _where(lines, r"apt(-get)? update"), _where(lines, r"install\b.* cuda-toolkit")
    if driver is not None:
        after = source is not None and update is not None and source < update < driver
        said = (
            "after NVIDIA's repository"
            if after
            else "before NVIDIA's repository is there. Instead: after apt-get update"
        )
        yield check("order: driver", after, said, expected="repository, update, driver")
    steps = [step for step in (source, keyring, update, toolkit) if step is not None]
    right = None not in (source, update, toolkit) and steps == sorted(steps)
    said = "repository, its key, update, toolkit: as NVIDIA's page has it" if right else "not in NVIDIA's order"
    yield check("order: toolkit", right, said, expected="repository, key, update, toolkit")


def _installer(lines: Lines) -> Iterator[Part]:
    text = "\n".join(" ".join(words) for words in lines)
    for toolkit, named in sorted(set(re.findall(r"-local_([\d.]+)-([\d.]+)-\d+_amd64\.deb", text))):
        ships = SHIPPED_WITH.get(toolkit)
        right = None if ships is None else named == ships
        said = (
            "the driver that it ships"
            if right
            else f"CUDA {toolkit}'s installer is called …_{toolkit}-{ships}-1_amd64.deb"
        )
        yield check(f"installer {toolkit}-{named}", right, said, expected=ships or "", measured=named)


def _driver(lines: Lines, inventory: Inventory) -> Part:
    version = tuple(int(part) for part in re.findall(r"\d+", inventory.engine.version)[:3])
    major = 13 if version >= CUDA_13_SINCE else 12
    if inventory.engine.options.get("device") == "cpu":
        return Part("driver", Outcome.NOT_APPLICABLE, "served on a CPU")
    found = re.search(r"cuda-drivers-(\d+)", "\n".join(" ".join(words) for words in lines))
    if found is None:
        return check("driver", None, "no driver version is named", expected=f">= {LEAST_DRIVER[major]}")
    right = int(found[1]) >= LEAST_DRIVER[major]
    said = (
        f"vLLM {inventory.engine.version} is built for CUDA {major}, which needs driver {LEAST_DRIVER[major]} or later"
    )
    return check("driver", right, said, expected=f">= {LEAST_DRIVER[major]}", measured=found[1])


def judge(seen: Install, inventory: Inventory) -> Finding:
    """Order and names of the commands, and the driver against the CUDA version of this vLLM's wheels."""
    if not applies(inventory):
        return not_applicable(inventory)
    return finding(
        (*_order(seen.lines), *_installer(seen.lines), _driver(seen.lines, inventory)),
        expected="the commands run in this order, and the driver is new enough",
        source=SOURCE,
        provenance=Provenance.VENDOR,
        notes=("Nothing was downloaded: the installer's name is compared with NVIDIA's own for that toolkit.",),
    )


ASSUMPTION = Assumption(
    id="guide-driver-install",
    guide="K2 Thinking guide §3.2",
    states="The guide's commands install a driver and a CUDA toolkit that this vLLM can use.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="NVIDIA's repository first, then a driver of 580 or later; vLLM's wheels bring CUDA with them, so "
    "no toolkit. On a data-centre GPU with an older driver: the image with VLLM_ENABLE_CUDA_COMPATIBILITY=1.",
    version=1,
    observe=observe,
    judge=judge,
)
