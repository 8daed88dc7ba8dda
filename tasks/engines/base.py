"""An engine: which operations install it, which command line serves a model, and how its log reads.

One file in this folder is one engine; its name is what an inventory's `engine.kind` says.  It must hold
`ENGINE`, an object of this protocol.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import tasks.engines
from inventories.errors import BadInput
from inventories.schema import Host, Inventory
from tasks.facts.base import Fact
from tasks.facts.engine_log import LogLines
from tasks.facts.engine_metrics import MetricNames
from tasks.operations.base import Operation


@dataclass(frozen=True, slots=True)
class Flag:
    """A few words of the command line and the reason for them."""

    words: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server: program, flags with reasons, environment.  Holds no secret."""

    program: str
    flags: tuple[Flag, ...]
    env: Mapping[str, str]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command line behind the program, one element a word."""
        return tuple(word for flag in self.flags for word in flag.words)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Seconds of a start beside reading the weights (imports, compiling, graphs, first request), and their source."""

    seconds: float
    source: str


PORT = "{port}"  # stands in a Launch where the slot's port goes


class Engine(Protocol):
    """A serving engine.

    `key_variable` is the environment variable from which it takes its own API key, `metrics` and `log` say how it
    calls what it counts and how it words its start.
    """

    key_variable: str
    metrics: MetricNames
    log: LogLines

    def check(self, inventory: Inventory) -> None:
        """Raise BadInput when the inventory's options are not this engine's."""
        ...

    def install(self, inventory: Inventory, host: Host) -> Iterable[Operation]:
        """What must be on the host before it can serve or fetch."""
        ...

    def python(self, inventory: Inventory, host: Host) -> str:
        """The Python on the host that has huggingface_hub."""
        ...

    def launch(self, inventory: Inventory, host: Host, model_dir: str) -> Launch:
        """The command line that serves `model_dir` at PORT of the address that its placement gives."""
        ...

    def warm_up(self, inventory: Inventory) -> WarmUp:
        """The longest that a start is known to take beside reading the weights."""
        ...

    def describe(self, inventory: Inventory) -> str:
        """Name and version as declared; with an image, its digest too."""
        ...

    def installed(self, inventory: Inventory, host: Host) -> Fact[str]:
        """Name and version as found on the host."""
        ...


def names() -> list[str]:
    """Every engine: the listing of this folder."""
    found = (m.name for m in pkgutil.iter_modules(tasks.engines.__path__) if not m.ispkg)
    return sorted(name.replace("_", "-") for name in found if name != "base")


def engine(kind: str) -> Engine:
    """The engine of that name; a broken file fails loudly, an unknown name is BadInput."""
    if kind not in names():
        raise BadInput(
            f"there is no engine called {kind!r}",
            where="engine.kind",
            fix=f"one of: {', '.join(names())}; an engine is one file in tasks/engines",
        )
    found: Engine = importlib.import_module(f"tasks.engines.{kind.replace('-', '_')}").ENGINE
    return found
