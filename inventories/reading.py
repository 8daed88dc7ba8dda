"""From a YAML file to plain values.  Whatever is wrong with the file ends as BadInput, never as a traceback."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from inventories.errors import BadInput

CHECKOUT = Path(__file__).resolve().parent.parent
MAX_BYTES, MAX_NODES, MAX_SCALAR = 1 << 20, 20_000, 4_000
CORE_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null", "merge")}
VARIABLE = re.compile(r"\$\{[^{}]*\}?")
Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(Base):  # type: ignore[misc]
    """YAML's safe loader, C where it is built in; a date stays the text that was written."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, rule) for tag, rule in rules if not tag.endswith(":timestamp")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class _Fault(Exception):
    def __init__(self, what: str, line: int, fix: str) -> None:
        super().__init__(what)
        self.what, self.line, self.fix = what, line, fix


def read(path: Path) -> Any:
    """The values in one YAML file, with every ${BEACHHEAD_...} replaced; BadInput names the file and the line."""
    loader = Loader(_text(path))
    try:
        node = loader.get_single_node()
        if node is None:
            raise _Fault("the file is empty", 1, "copy a shipped inventory and change what differs")
        _inspect(node)
        return loader.construct_document(node)
    except _Fault as fault:
        raise BadInput(fault.what, where=f"{path}, line {fault.line}", fix=fault.fix) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = f"not valid YAML: {', '.join(part for part in (error.context, error.problem) if part)}"
        raise BadInput(what, where=f"{path}{line}", fix="mend the YAML at that line") from None
    except (
        yaml.YAMLError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        what = f"not valid YAML: {str(error)[:200]}"
        raise BadInput(what, where=str(path), fix="write plain mappings, lists, text and numbers") from None
    finally:
        loader.dispose()


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise BadInput("the file is larger than 1 MiB", where=str(path), fix="is this the right file?")
        text = body.decode("utf-8-sig")
    except FileNotFoundError:
        raise BadInput("no such file", where=str(path), fix="check the path") from None
    except UnicodeDecodeError as error:
        where = f"{path}, byte {error.start}"
        raise BadInput("the file is not UTF-8 text", where=where, fix="save it as UTF-8 YAML") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(
            f"cannot read the file: {reason}", where=str(path), fix="check the path and its rights"
        ) from None
    bad = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        what = f"the file holds a control character ({bad.group()!r})"
        raise BadInput(what, where=f"{path}, line {line}", fix="save it as plain text YAML")
    return text


def _inspect(root: yaml.Node) -> None:
    """Refuse duplicate keys, foreign tags and alias bombs; replace variables in place."""
    todo, visits, done = [root], 0, set[int]()
    while todo:
        node = todo.pop()
        visits += 1
        line = node.start_mark.line + 1
        if visits > MAX_NODES:
            raise _Fault(
                "too many values, or an alias that repeats itself", line, "write the values out without aliases"
            )
        if node.tag not in CORE_TAGS:
            raise _Fault(f"the tag {node.tag!r} is not allowed", line, "write plain mappings, lists, text and numbers")
        if isinstance(node, yaml.ScalarNode):
            if len(node.value) > MAX_SCALAR:
                raise _Fault(f"a value of {len(node.value)} characters", line, f"keep it below {MAX_SCALAR}")
            if "${" in node.value and node.tag.endswith(":str") and id(node) not in done:
                done.add(id(node))
                node.value = substituted(node.value, line)
        elif isinstance(node, yaml.MappingNode):
            _refuse_duplicates(node)
            todo += [part for _, part in node.value]
        else:
            todo += node.value


def _refuse_duplicates(node: yaml.MappingNode) -> None:
    first: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _Fault("a key must be plain text", line, "write key: value")
        if key.tag not in CORE_TAGS:
            raise _Fault(f"the tag {key.tag!r} is not allowed", line, "write plain text as the key")
        if key.value in first:
            raise _Fault(f"duplicate key {key.value!r} (first at line {first[key.value]})", line, "keep one of the two")
        first[key.value] = line


def substituted(text: str, line: int = 1) -> str:
    """`text` with ${BEACHHEAD_X} and ${BEACHHEAD_X:-default} replaced from the environment."""
    known: Mapping[str, str] = {"BEACHHEAD_CHECKOUT": str(CHECKOUT)} | dict(os.environ)

    def one(match: re.Match[str]) -> str:
        parts = re.fullmatch(r"\$\{(\w+)(?::-([^{}]*))?\}", match.group())
        if not parts:
            raise _Fault(
                f"cannot read {match.group()!r}", line, "write ${BEACHHEAD_NAME} or ${BEACHHEAD_NAME:-default}"
            )
        name, default = parts.groups()
        if not name.startswith("BEACHHEAD_"):
            raise _Fault(f"${{{name}}} is not allowed", line, "use a variable whose name starts with BEACHHEAD_")
        if default is None and name not in known:
            raise _Fault(f"${{{name}}} is not defined", line, f"export {name}=…, or write ${{{name}:-default}}")
        return (known.get(name) or default) if default is not None else known[name]

    return VARIABLE.sub(one, text)
