"""For every fact about a host: a good output is read, a missing tool is an error, and nothing is guessed."""

import dataclasses
import importlib
import inspect
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.facts.base import Fact, NotUnderstood, look
from tasks.fake import FakeHost
from tasks.hosts import CommandFailed, Ran, now
from tests.recorded.host_facts import SAMPLES

FACTS = Path(__file__).parent.parent.parent / "tasks" / "facts"
NAMES = [type(fact).__name__ for fact, _ in SAMPLES]
GARBAGE = ["", "\n", "hello", "@@ ", "@@ nonsense\n", "{}", "[]", "null", "<html></html>", "0", "a=b\n", "\x00", "²"]
GARBAGE += ["No devices were found\n", 'Field "nope" is not a valid field to query.\n', "ERR!", "a, b\nc, d\n", "|||"]
every = pytest.mark.parametrize(("fact", "stdout"), SAMPLES, ids=NAMES)
numbers = st.integers(0, 10_000)


@every
def test_a_good_output_is_a_frozen_value_without_a_dict(fact: Fact[Any], stdout: str) -> None:
    value = fact.parse(stdout)
    for part in value if isinstance(value, tuple) else [value]:
        assert not isinstance(part, dict | list)
        if dataclasses.is_dataclass(part):
            assert part.__dataclass_params__.frozen  # type: ignore[union-attr]
            assert not any(isinstance(getattr(part, f.name), dict | list) for f in dataclasses.fields(part))
    assert fact.parse(stdout) == value and hash(value) == hash(fact.parse(stdout))


@every
def test_a_missing_tool_is_an_error_and_never_a_default(fact: Fact[Any], stdout: str) -> None:
    missing = Ran("gpu1", fact.command, 127, "", "sh: 1: nvidia-smi: not found", now())
    with pytest.raises(CommandFailed, match="127"):
        look(FakeHost("gpu1", {fact.command: missing}), fact)


@every
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_not_understood(fact: Fact[Any], stdout: str, garbage: str) -> None:
    with pytest.raises(NotUnderstood):
        fact.parse(garbage)


@every
def test_nothing_but_not_understood_is_raised(fact: Fact[Any], stdout: str) -> None:
    @given(st.one_of(st.text(), damaged(stdout)))
    def read(text: str) -> None:
        try:
            fact.parse(text)
        except NotUnderstood as error:
            assert type(fact).__name__ in str(error)

    read()


@every
def test_the_command_is_one_posix_line(fact: Fact[Any], stdout: str) -> None:
    assert "\n" not in fact.command
    checked = subprocess.run(["dash", "-n", "-c", fact.command], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_fact_of_the_folder_has_a_test() -> None:
    tests = Path(__file__).parent.parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in tests.rglob("*.py"))
    for path in FACTS.glob("*.py"):
        module = importlib.import_module(f"tasks.facts.{path.stem}")
        for name, member in inspect.getmembers(module, inspect.isclass):
            if member.__module__ == module.__name__ and hasattr(member, "parse") and name != "Fact":
                assert re.search(rf"\b{name}\(", text), f"no test makes a {name}"


def damaged(stdout: str) -> st.SearchStrategy[str]:
    """`stdout` cut, doubled, or with one of its words replaced."""
    words = re.split(r"(\s+)", stdout)

    def change(place: int, text: str) -> str:
        spot = place % len(words)
        return "".join([*words[:spot], text, *words[spot + 1 :]])

    cut = numbers.map(lambda end: stdout[: end % (len(stdout) + 1)])
    tail = numbers.map(lambda start: stdout[start % (len(stdout) + 1) :])
    replaced = st.builds(
        change, numbers, st.one_of(st.text(max_size=8), st.sampled_from(["", "-1", "9" * 30, "{}", "²"]))
    )
    return st.one_of(cut, tail, replaced, st.just(stdout + stdout))
