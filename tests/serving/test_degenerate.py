"""An answer that is none is told from one that may be one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.degenerate import degenerate


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("!" * 40, "'!'"),
        ("! " * 40, "'!'"),
        ("the " * 10, "again and again"),
        ("foo bar " * 10, "again and again"),
        ("abcabcabcabcabcabcabc", "again and again"),
        ("\ufffd\ufffdabc\ufffd", "can't be read"),
        ("0000000000000000 0000000000000000", "'0'"),
        ("It begins well, and then: " + "so it goes on " * 9, "again and again"),
    ],
)
def test_no_answer(text: str, why: str) -> None:
    found = degenerate(text)
    assert found
    assert why in found


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "no no no",
        "Paris.",
        "A GPU is a processor with many cores.",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
        "Rain falls. Rain fills the river. The river runs to the sea, and the sea gives rain.",
        "def f(x):\n    return x\n\nprint(f(1), f(2), f(3))",
        "東京は日本の首都です。人口は約一千四百万人です。",
    ],
)
def test_an_answer(text: str) -> None:
    assert degenerate(text) is None


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), st.integers(30, 60))
def test_a_unit_repeated_often_is_never_an_answer(unit: str, times: int) -> None:
    assert degenerate(unit * times)
    assert degenerate((unit + " ") * times)
