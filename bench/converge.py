"""How long ten idempotent steps take on 1, 8 and 32 hosts: ours beside pyinfra and Ansible, first and no-change run.

    .venv/bin/python -m bench.converge [--hosts 1 8 32] [--repetitions N] [--tools ours pyinfra …] [--markdown FILE]

Every first run meets hosts that were made for it (tests/hosts), every run is a new process, and the tools take turns,
so that a busy moment of this machine hits all alike.  After each fleet's runs the hosts are looked at from their
console: a tool that left anything else than the ten steps, or that changed something twice, is an error.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.converge_page import page, tables
from bench.converge_steps import EXPECTED, READY, SEEN, STEPS
from bench.converge_tools import TOOLS, Tool, ToolFailed, install, run, write_files
from flows import server
from flows.environment import prepare
from tests.hosts import docker
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine

REPETITIONS = {1: 3, 8: 2}  # 1 with more hosts
INOTIFY = "fs.inotify.max_user_instances"
INOTIFY_PER_HOST, INOTIFY_BESIDES = 8, 32  # with the kernel's usual 128, hosts beyond the twentieth did not boot
AGAIN = {1: 2, 8: 2}  # no-change runs on each fleet; 1 with more hosts


@dataclass(slots=True)
class Times:
    """Seconds of one tool's runs on fleets of one size, in the order of the repetitions."""

    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)


Found = dict[int, dict[str, Times]]


def measured(
    sizes: Sequence[int], repetitions: int | None, keys: Sequence[str], so_far: Callable[[Found], None] = lambda _: None
) -> Found:
    """Times by fleet size and tool, also given to `so_far` after each repetition; raises ToolFailed."""
    found: Found = {}
    for size in sizes:
        chosen = [key for key in keys if size <= TOOLS[key].most_hosts]
        found[size] = {key: Times() for key in chosen}
        for repetition in range(repetitions or REPETITIONS.get(size, 1)):
            for turn in range(len(chosen)):
                key = chosen[(turn + repetition) % len(chosen)]
                first, again = one(TOOLS[key], size)
                found[size][key].first.append(first)
                found[size][key].again += again
                said = ", ".join(f"{seconds:.2f}" for seconds in again)
                print(f"{size} hosts, {TOOLS[key].title}: first {first:.2f} s, again {said} s", file=sys.stderr)
            so_far(found)
    return found


def one(tool: Tool, size: int) -> tuple[float, list[float]]:
    """Seconds of the first run on new hosts, and of the no-change runs after it."""
    with Fleet(size) as fleet, tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda machine: machine.run_in_container(READY), fleet))
        write_files(fleet, Path(folder))
        first = run(tool, Path(folder))
        if first.changed < size * len(STEPS):
            raise ToolFailed(f"{tool.title} says it changed {first.changed} things, not {size * len(STEPS)}")
        again = [run(tool, Path(folder)) for _ in range(AGAIN.get(size, 1))]
        if any(timed.changed for timed in again):
            raise ToolFailed(f"{tool.title} changed something on its second run")
        list(pool.map(lambda machine: _as_wanted(tool, machine), fleet))
        return first.seconds, [timed.seconds for timed in again]


def _as_wanted(tool: Tool, machine: Machine) -> None:
    seen = machine.run_in_container(SEEN, check=False)
    if seen != EXPECTED:
        raise ToolFailed(f"{tool.title} left {machine.name} like this:\n{seen}\nand not like this:\n{EXPECTED}")


@contextmanager
def prefect_server(folder: Path) -> Iterator[None]:
    """A Prefect server for every process started meanwhile, up before anything is timed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        os.environ["PREFECT_API_URL"] = server.start(folder, port)
        yield
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        server.stop(folder)


def main() -> None:
    """Measure and print; with --markdown also write the page, anew after each repetition."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hosts", type=int, nargs="+", default=[1, 8, 32])
    options.add_argument("--repetitions", type=int)
    options.add_argument("--tools", nargs="+", choices=list(TOOLS), default=list(TOOLS))
    options.add_argument("--markdown", type=Path)
    given = options.parse_args()
    prepare()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that hosts and server are removed then, too
    try:
        room_for(max(given.hosts), int(Path("/proc/sys", INOTIFY.replace(".", "/")).read_text(encoding="utf-8")))
        with (
            tempfile.TemporaryDirectory() as state,
            docker.engine(Path(state)),
            prefect_server(Path(state) / "prefect"),
        ):
            for key in given.tools:
                install(TOOLS[key])
            began = time.time()
            write = partial(_write, given.markdown, began)
            found = measured(given.hosts, given.repetitions, given.tools, write)
    except (ToolFailed, docker.EngineError) as fault:
        raise SystemExit(f"error: {fault}") from None
    print("\n".join(tables(found)))


def room_for(size: int, allowed: int) -> None:
    """Raise ToolFailed where the kernel allows too few inotify instances: then systemd on a test host never boots."""
    needed = INOTIFY_PER_HOST * size + INOTIFY_BESIDES
    if allowed < needed:
        raise ToolFailed(
            f"{size} test hosts need {needed} inotify instances, and this machine allows {allowed}: as root, "
            f"sysctl -w {INOTIFY}={needed}"
        )


def _write(file: Path | None, began: float, found: Found) -> None:
    if file:
        file.write_text(page(found, began), encoding="utf-8")


if __name__ == "__main__":
    main()
