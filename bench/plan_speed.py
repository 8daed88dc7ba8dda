"""How long a cold `beachhead plan` takes, beside commands that every reader knows, in one run.

    .venv/bin/python bench/plan_speed.py [--runs 5] [--markdown FILE]

Every run is a new process.  The peers stand for the machine's speed on the day: a plan is given as seconds and as a
multiple of each peer's median in this same run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PEERS = {
    "import pandas": [sys.executable, "-c", "import pandas"],
    "prefect version": [str(BIN / "prefect"), "--version"],
}


def seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    """Wall time of one new process."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=environment, check=False, timeout=120)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.decode()[-800:]}")
    return time.perf_counter() - began


def measured(runs: int) -> dict[str, list[float]]:
    """Seconds of every run by command; the commands take turns, so that a busy moment hits all alike."""
    from inventories.load import names

    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "BEACHHEAD_EVIDENCE": f"{folder}/evidence", "BEACHHEAD_HOME": f"{folder}/home"}
        commands = {f"plan {name}": [str(BIN / "beachhead"), "plan", name, "--json"] for name in names()} | PEERS
        found: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                found[name].append(seconds(command, environment))
    return found


def table(found: dict[str, list[float]]) -> list[str]:
    """Markdown rows: median, slowest, and the multiple of each peer."""
    peers = {name: statistics.median(found[name]) for name in PEERS}
    head = ["command", "median s", "slowest s", *(f"x `{name}`" for name in peers)]
    rows = [head, ["---"] * len(head)]
    for name, times in found.items():
        middle = statistics.median(times)
        multiples = [f"{middle / peer:.2f}" for peer in peers.values()]
        rows.append([f"`{name}`", f"{middle:.2f}", f"{max(times):.2f}", *multiples])
    return [f"| {' | '.join(row)} |" for row in rows]


def main() -> None:
    """Measure and print; with --markdown also write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--markdown", type=Path)
    given = options.parse_args()
    lines = table(measured(max(1, given.runs)))
    print("\n".join(lines))
    if given.markdown:
        given.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
