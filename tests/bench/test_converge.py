"""The bench of convergence: its arithmetic, what it refuses to believe, and one real round with ours on one host."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import converge, converge_tools
from bench.converge_page import page, ratio, spread, tables
from bench.converge_steps import STEPS, operations
from bench.converge_tools import OURS, TOOLS, Tool, ToolFailed
from tests.hosts import docker

RECAP = "h0 : ok=10  changed=3  unreachable=0\nh1 : ok=10  changed=4  unreachable=0\n"
TOTAL = "    Grand total      {}      -       -\n"


def test_medians_spreads_and_ratios() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
    assert ratio([4.0, 9.0, 6.0], [1.0, 3.0, 3.0]) == "2.00 (2.00 to 4.00)"


def test_the_page_says_each_tool_and_size_once_and_ours_is_one_times_ours() -> None:
    ours, theirs = converge.Times([2.0, 2.0], [1.0] * 4), converge.Times([10.0, 12.0], [5.0] * 4)
    found = {1: {"ours": ours, "pyinfra": theirs}, 8: {"ours": ours}}
    lines = [line for line in tables(found) if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in lines] == [
        "| tool",
        "| ---",
        "| Beachhead",
        "| pyinfra 3.10.0",
        "| tool",
        "| ---",
        "| Beachhead",
    ]
    assert "| 2.00 (2.00 to 2.00) | 1.00 (1.00 to 1.00) |" in lines[2]
    assert "| 11.00 (10.00 to 12.00) | 5.50 (5.00 to 6.00) | 5.00 (5.00 to 5.00) | 5.00 (5.00 to 5.00) |" in lines[3]
    text = page(found, 0.0)
    assert "1970-01-01" in text and all(what in text for _, what in STEPS) and "{" not in text


def test_ratios_are_left_out_where_ours_was_not_measured() -> None:
    assert tables({1: {"pyinfra": converge.Times([1.0], [1.0])}})[-1].count(" - ") == 2


def test_changes_are_read_from_each_tools_own_words() -> None:
    assert TOOLS["ansible"].changed(RECAP) == 7
    assert TOOLS["pyinfra"].changed(TOTAL.format("10      10")) == 10
    assert TOOLS["pyinfra"].changed(TOTAL.format("10      - ")) == 0
    assert OURS.changed("...\nchanged=11\n") == 11


@pytest.mark.parametrize("key", list(TOOLS))
def test_a_tool_that_says_nothing_is_not_taken_for_one_that_changed_nothing(key: str) -> None:
    with pytest.raises(ToolFailed, match="does not say"):
        TOOLS[key].changed("all is well")


def test_a_tool_that_fails_is_an_error_with_its_own_words(tmp_path: Path) -> None:
    broken = Tool("broken", lambda _: [sys.executable, "-c", "raise SystemExit('host is gone')"], lambda _: 0)
    with pytest.raises(ToolFailed, match="host is gone"):
        converge_tools.run(broken, tmp_path)


def test_the_peers_files_are_there_and_their_versions_are_those_in_the_titles() -> None:
    for tool in TOOLS.values():
        if tool.lock:
            package, version = tool.title.split(",")[0].lower().split()
            lock = (converge_tools.PEERS / tool.lock).read_text()
            assert f"\n{package}=={version} " in lock or f"\n{package}-core=={version} " in lock
            assert lock.count("==") <= lock.count("--hash=sha256:")


def test_too_few_inotify_instances_are_said_before_anything_starts() -> None:
    converge.room_for(8, 128)
    with pytest.raises(ToolFailed, match="32 test hosts need 288 inotify instances"):
        converge.room_for(32, 128)


def test_there_are_ten_steps_for_us_too() -> None:
    assert len(operations("a")) == len(STEPS) == 10


@pytest.mark.e2e
@pytest.mark.timeout(180)
def test_ours_converges_a_fresh_host_and_then_changes_nothing(tmp_path: Path) -> None:
    if (why := docker.missing()) is not None:
        pytest.skip(why)
    with docker.engine(tmp_path):
        found = converge.measured([1], 1, ["ours"])
        with pytest.raises(ToolFailed, match="says it changed 0 things"):
            converge.one(Tool("idle", lambda _: [sys.executable, "-c", "print('changed=0')"], OURS.changed), 1)
    times = found[1]["ours"]
    assert len(times.first) == 1 and len(times.again) == 2
