"""Fast tests first.  Side by side (`-n 2`), those that share a thing that can't be shared stay on one worker."""

import os
import re
import shutil
import tempfile

import pytest

# One Docker engine, and one fleet's image; the worker that began it ends it.
DOCKER = re.compile(r"tests/(hosts|compose)/|_(test_host|fleet|reboot|gateway_install)\.py|test_converge\.py")
PROVISIONED = re.compile(r"tests/e2e/")  # one deployment for all


HOME = "BEACHHEAD_HOME"


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


def _group(item: pytest.Item) -> str:
    path = item.path.as_posix()
    return "docker" if DOCKER.search(path) else "provisioned" if PROVISIONED.search(path) else path


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups begin first, so that no worker is left with one at the end."""
    longest = ("docker", "provisioned")
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(
        key=lambda item: (
            item.get_closest_marker("e2e") is not None,
            longest.index(_group(item)) if _group(item) in longest else len(longest),
        )
    )
