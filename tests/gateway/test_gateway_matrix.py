"""Every route that vLLM documents, and every one that it was ever known to leave open, by every trick.

The engine behind nginx is a FAKE that counts (tests/gateway/engine.py): a real one can't show that nothing came.
"""

import re

import pytest

from tests.gateway import figures
from tests.gateway.matrix import measured

pytestmark = pytest.mark.e2e  # two minutes, no vLLM


def test_nobody_is_let_in_without_a_key_and_with_one_only_through_the_listed_routes() -> None:
    """`measured` raises with every attempt that came through; the page tells the figures of such a run."""
    found = measured()
    print(found.text)
    assert found.let_in == found.reached == found.keyed_strange == 0
    page = figures.PAGE.read_text(encoding="utf-8")
    told = page.partition(figures.BEGIN)[2].partition(figures.END)[0]
    for count in (found.routes, found.tricks, found.tried, found.keyed_tried):
        assert f"| {count:,} |" in told, f"{count:,} is not on the page: python -m tests.gateway page"
    assert re.search(r"let in \| \*\*0\*\*", told)
