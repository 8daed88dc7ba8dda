"""Reading Python of the guide without running it: which names it uses, with which arguments, and which are unbound."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute of a name; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (left := dotted(node.value)):
        return f"{left}.{node.attr}"
    return ""


def calls(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each call of a dotted name with its keywords."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := dotted(node.func)):
            yield name, tuple(keyword.arg for keyword in node.keywords if keyword.arg)


def settings(tree: ast.AST) -> Iterator[str]:
    """Each dotted name that something is assigned to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from (name for target in node.targets if "." in (name := dotted(target)))


def unbound(tree: ast.AST) -> tuple[str, ...]:
    """Names that are read and bound nowhere in the file: a NameError when they are reached."""
    bound, read = set(dir(builtins)), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                read.append(node.id)
            else:
                bound.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return tuple(dict.fromkeys(name for name in read if name not in bound))


def attributes(tree: ast.AST) -> frozenset[str]:
    """Every attribute that is read, and every text that may name one (`getattr`, `.get("x")`)."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(names | texts)


def sleeps_s(tree: ast.AST) -> float:
    """The sum of every time.sleep with a number in it: how long one round of a watching loop waits at most."""
    return sum(
        float(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and dotted(node.func) == "time.sleep"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, (int, float))
    )
