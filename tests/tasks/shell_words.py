"""A command line as bash takes it apart, so that a test can see whether a value arrived whole and inert."""

from __future__ import annotations

ACTIVE = set("$`\\\"'*?[]{}~!#&|;<>() \t\n")


def words(command: str) -> list[list[tuple[str, str]]]:
    """Every word as characters with where each stood: "'" in single quotes, '"' in double quotes, "" in none.

    What stands in "$(…)" is taken apart like the rest.
    """
    found: list[list[tuple[str, str]]] = [[]]
    outer: list[str] = []
    state, position = "", 0
    while position < len(command):
        c = command[position]
        if state == "'":
            if c == "'":
                state = ""
            else:
                found[-1].append((c, "'"))
        elif state == '"':
            if c == '"':
                state = ""
            elif command.startswith("$(", position):
                outer.append(state)
                found.append([])
                state, position = "", position + 1
            elif c == "\\" and command[position + 1] in '$`"\\':
                position += 1
                found[-1].append((command[position], '"'))
            else:
                found[-1].append((c, '"'))
        elif c in "'\"":
            state = c
        elif c == "\\":
            position += 1
            found[-1].append((command[position], "'"))
        elif c == ")" and outer:
            found.append([])
            state = outer.pop()
        elif c in " \t\n;&|<>()":
            found.append([])
        else:
            found[-1].append((c, ""))
        position += 1
    assert state == "", f"an open quote at the end of: {command}"
    return [word for word in found if word]


def inert(command: str, mark: str, *shapes: str) -> bool:
    """Whether `mark`, wherever it stands in the command, is part of one of `shapes`, whole and inactive."""
    seen = 0
    for word in words(command):
        text = "".join(c for c, _ in word)
        at = text.find(mark)
        while at >= 0:
            ends = [end for shape in shapes if (end := _inert_until(word, text, shape, at)) is not None]
            if not ends:
                return False
            seen += text.count(mark, at, max(ends))
            at = text.find(mark, max(ends))
    return seen == command.count(mark)


def _inert_until(word: list[tuple[str, str]], text: str, shape: str, at: int) -> int | None:
    """Where `shape` around the place `at` ends, if it is there and nothing of it is active."""
    begin = text.find(shape, max(0, at - len(shape)), at + len(shape)) if shape else -1
    if not 0 <= begin <= at < begin + len(shape):
        return None
    quoted = all(where == "'" or (where, c) == ('"', "'") for c, where in word[begin:][: len(shape)] if c in ACTIVE)
    return begin + len(shape) if quoted else None
