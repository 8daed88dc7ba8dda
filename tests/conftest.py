"""Fast tests first.  Side by side, those that share a thing that can't be shared stay on one worker.

The Makefile says how many workers: more than cores, for most tests wait.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

# What shares one thing, in the order in which they begin: one deployment for all, an engine's image, two hosts with
# Ray, which mostly wait, and then a fleet's image.
GROUPS = {
    "provisioned": re.compile(r"tests/e2e/"),
    "compose": re.compile(r"tests/compose/"),
    "two hosts": re.compile(r"tests/multihost/"),
    "fleets": re.compile(r"tests/hosts/|_(test_host|fleet|reboot|gateway_install)\.py|test_converge\.py"),
}
LONG = re.compile(r"tests/(watch|recovery)/|test_gateway_vllm")  # files that wait for minutes, on their own

HOME = "BEACHHEAD_HOME"

hypothesis.settings.register_profile("shared", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("shared")


def pytest_configure(config: pytest.Config) -> None:
    """Keys and locks of a home for this process alone: not the developer's, nor the other worker's."""
    folder = tempfile.mkdtemp(prefix="beachhead-home-")
    before = os.environ.get(HOME)
    os.environ[HOME] = folder

    def leave() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if before is None:
            os.environ.pop(HOME, None)
        else:
            os.environ[HOME] = before

    config.add_cleanup(leave)


def group(nodeid: str) -> str:
    """What runs on one worker: all that share one thing, else a file."""
    path = nodeid.partition("::")[0]
    return next((name for name, those in GROUPS.items() if those.search(path)), path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups begin first, so that no worker is left with one at the end."""
    items.sort(key=lambda item: (item.get_closest_marker("e2e") is not None, _place(group(item.nodeid))))


def _place(name: str) -> int:
    return list(GROUPS).index(name) if name in GROUPS else len(GROUPS) + (LONG.search(name) is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """By `group`: pytest-xdist's own groups (`--dist loadgroup`) come to nothing with pytest 9."""
    from xdist.scheduler import LoadScopeScheduling

    class Grouped(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    config.option.loadscopereorder = False  # our own order stands
    return Grouped(config, log)  # type: ignore[arg-type]
