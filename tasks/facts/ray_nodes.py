"""The nodes that a Ray cluster counts, as its head knows them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.facts.reading import match, understood

_CODE = (
    "import json, os, ray\n"
    "ray.init(address=os.environ['RAY_ADDRESS'], logging_level='ERROR', log_to_driver=False)\n"
    "keys = ('NodeManagerAddress', 'Alive', 'Resources', 'DeathReasonMessage')\n"
    "print('nodes ' + json.dumps([{key: node.get(key) for key in keys} for node in ray.nodes()]))\n"
)


@dataclass(frozen=True, slots=True)
class RayNodeState:
    """One node; `slots` is how many ranks it takes (what Ray calls GPUs), `why_dead` Ray's own words."""

    address: str
    alive: bool
    slots: int
    why_dead: str


@dataclass(frozen=True)
class RayNodesFact:
    """Every RayNodeState that the cluster at `address` remembers, dead ones too, in order of address.

    `env` holds paths and modes, never a secret: the token is read from the file that it names.

    Sample: 'nodes [{"NodeManagerAddress": "10.0.0.1", "Alive": true, "Resources": {"GPU": 8.0}, …}]'
    """

    python: str
    address: str
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """Join as a driver for a moment; some 4 seconds."""
        env = {**self.env, "RAY_ADDRESS": self.address}
        words = [f"{name}={shlex.quote(value)}" for name, value in sorted(env.items())]
        return f"env {' '.join(words)} {shlex.quote(self.python)} -c {shlex.quote(_CODE)}"

    @understood
    def parse(self, stdout: str) -> tuple[RayNodeState, ...]:
        """The one line; what Ray may print beside it is passed over."""
        (line,) = [line for line in stdout.splitlines() if line.startswith("nodes ")]
        listed = json.loads(line.removeprefix("nodes "))
        if not isinstance(listed, list) or not listed:
            raise ValueError("no node")
        return tuple(sorted(map(_node, listed), key=lambda node: (node.address, not node.alive)))


def _node(said: object) -> RayNodeState:
    if not isinstance(said, dict) or not isinstance(said["Alive"], bool) or not isinstance(said["Resources"], dict):
        raise ValueError("not a node")
    address = match(r"[0-9a-fA-F.:]+", str(said["NodeManagerAddress"]))[0]
    return RayNodeState(address, said["Alive"], int(said["Resources"].get("GPU", 0)), said["DeathReasonMessage"] or "")
