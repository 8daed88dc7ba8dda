"""huggingface_hub alone on a host: weights are fetched with it where the engine itself is an image or a binary."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.engine_parts.locks import LOCKS, UV
from tasks.operations.base import Operation
from tasks.operations.python_environment import PythonEnvironment, Uv

LOCK = LOCKS / "hub-2.4.0.lock"


def hub_python(root: str) -> str:
    """The interpreter of that environment."""
    return f"{root}/engines/{LOCK.stem}/bin/python"


def hub_environment(root: str, *, python: str = "3.11", find_links: str = "") -> Iterator[Operation]:
    """uv, and 15 small packages in an environment of their own, as the lock says."""
    tools = f"{root}/tools"
    yield Uv(tools, UV)
    yield PythonEnvironment(
        folder=f"{root}/engines/{LOCK.stem}",
        lock=LOCK.read_text(encoding="utf-8"),
        uv=f"{tools}/bin/uv",
        python=python,
        find_links=find_links,
    )
