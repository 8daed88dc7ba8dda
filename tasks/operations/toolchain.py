"""What an engine for CUDA compiles with when it starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.compiler import CompilerFact
from tasks.hosts import Host
from tasks.operations.apt import install_step, need_apt
from tasks.operations.base import Step


@dataclass(frozen=True)
class Toolchain:
    """A C++ compiler, and the headers of the interpreter at `python`.

    Triton compiles its driver, which includes Python.h, at the first kernel, and FlashInfer what no wheel holds.
    Without a compiler vLLM ends at its start with "Failed to find C compiler" (triton 3.8, runtime/build.py).
    """

    python: str

    @property
    def name(self) -> str:
        """For a person."""
        return "C++ compiler and headers of the engine's Python"

    def plan(self, host: Host) -> Iterator[Step]:
        """The system's packages; an interpreter that uv brought has its headers with it."""
        found = look(host, CompilerFact(self.python))
        missing = [] if found.cxx else ["g++"]
        if found.python and not found.headers:
            missing.append(f"python{found.python}-dev")
        if missing:
            need_apt(host)
            yield install_step(missing)
