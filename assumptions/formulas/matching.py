"""Which module names a quantisation's ignore list or target list means."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

from assumptions.formulas.shapes import UnsupportedConfig

Matcher = Callable[[str], bool]
REPEATED = r"[+*}]\)*\)[+*{]"  # (x+)+ and the like: a name that does not match costs exponential time


def matcher(names: tuple[str, ...]) -> Matcher:
    """Matches by regular expression ("re:"), by glob, or by a run of whole dotted words."""
    bare = [name.removeprefix("language_model.") for name in names]
    if any(re.search(REPEATED, name) for name in bare if name.startswith("re:")):
        raise UnsupportedConfig(
            "a pattern of the quantisation's ignore list repeats a repetition: it could take for ever"
        )
    try:
        expressions = [re.compile(name[3:]) for name in bare if name.startswith("re:")]
    except (re.error, RecursionError, OverflowError) as fault:
        raise UnsupportedConfig(f"a pattern of the quantisation's ignore list can't be read: {fault}") from fault
    globs = [name for name in bare if "*" in name and not name.startswith("re:")]
    paths = frozenset(name for name in bare if name.startswith("model."))
    runs = [f".{name}." for name in bare if "*" not in name and name not in paths and not name.startswith("re:")]

    def matches(name: str) -> bool:
        parts = name.split(".")
        return (
            any(".".join(parts[:end]) in paths for end in range(1, len(parts) + 1))
            or any(run in f".{name}." for run in runs)
            or any(expression.match(name) for expression in expressions)
            or any(fnmatch.fnmatchcase(name, glob) for glob in globs)
        )

    return matches


def nothing(_name: str) -> bool:
    """No module."""
    return False


def everything(_name: str) -> bool:
    """Every linear module."""
    return True


def experts(name: str) -> bool:
    """Routed experts only; their modules are numbered below "experts"."""
    return ".experts." in name
