"""What vLLM's own code on the host lists: quantisation methods, schemes of compressed-tensors, model architectures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.facts.base import NotUnderstood, script


@dataclass(frozen=True, slots=True)
class EngineCode:
    """`methods` and `schemes` as its code spells them; of the architectures asked for those that it has.

    `architectures` maps each to its module and class, `modules` each module to whether it builds experts with the
    engine's fused layer; a module that is not there is missing.  `known` counts all architectures.
    """

    version: str
    methods: tuple[str, ...]
    schemes: tuple[str, ...]
    architectures: Mapping[str, tuple[str, ...]]
    modules: Mapping[str, bool]
    known: int


@dataclass(frozen=True)
class EngineCodeFact:
    """The answer of tasks/remote/engine_code.py, which reads the files and imports nothing.

    Sample: {"version": "0.32.0", "methods": ["awq", …], "schemes": ["compressed_tensors_wNa16", …],
    "architectures": {"DeepseekV3ForCausalLM": ["deepseek_v2", "DeepseekV3ForCausalLM"]},
    "modules": {"deepseek_v2": true}, "known": 380}
    """

    python: str
    architectures: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """A second of processor."""
        return script(self.python, "engine_code.py", *self.architectures)

    def parse(self, stdout: str) -> EngineCode:
        """The last JSON line; lists that are empty were not found where they are known to stand."""
        for line in reversed(stdout.splitlines()):
            if line.startswith('{"version"'):
                try:
                    return _read(json.loads(line))
                except (ValueError, TypeError, KeyError):
                    break
        raise NotUnderstood(self, stdout[-600:])


def _read(told: Mapping[str, object]) -> EngineCode:
    methods, schemes, known = told["methods"], told["schemes"], told["known"]
    names, modules = told["architectures"], told["modules"]
    if not (isinstance(methods, list) and isinstance(schemes, list) and methods and known):
        raise ValueError("empty lists")
    if not (isinstance(names, dict) and isinstance(modules, dict) and isinstance(known, int)):
        raise TypeError("not mappings")
    return EngineCode(
        version=str(told["version"]),
        methods=tuple(map(str, methods)),
        schemes=tuple(map(str, schemes)),
        architectures={str(name): tuple(map(str, where)) for name, where in names.items()},
        modules={str(module): bool(fused) for module, fused in modules.items()},
        known=known,
    )
