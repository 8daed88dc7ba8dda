"""`beachhead watch` against a real watchdog on this machine."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flows.cli import main
from tests.watch.scene import KEY, Scene, scene, until

pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")]
INVENTORY = """\
name: watched
title: this machine
kind: rehearsal
hosts:
  - {{name: here, ssh: {{address: local, user: x}}, ram_gib: 1, cpu_cores: 1, root: {root}}}
model: {{catalog: tiny-k2}}
engine: {{kind: vllm, version: 0.32.0, options: {{device: cpu, kv_cache_gib: 1}}}}
serving: {{context_tokens: 64}}
"""


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path / "evidence"))
    with scene(tmp_path / "host") as made:
        yield made


def ask(at: Scene, *words: str) -> Result:
    file = at.root.parent / "watched.yaml"
    file.write_text(INVENTORY.format(root=at.root))
    return CliRunner().invoke(main, ["watch", str(file), *words])


def test_where_nothing_was_set_up_it_says_so(at: Scene) -> None:
    said = ask(at)
    assert said.exit_code == 1 and said.output.strip() == "here: no watchdog"
    said = ask(at, "--reset")
    assert said.exit_code == 2 and "nothing to reset" in said.output


def test_it_tells_what_happened_and_a_reset_closes_the_breaker(at: Scene) -> None:
    at.prepare()
    at.start_engine()
    at.start_watchdog()
    at.await_answer()
    said = ask(at)
    assert said.exit_code == 0 and "breaker   closed" in said.output and "answered  20" in said.output
    os.kill(at.worker(), signal.SIGSTOP)
    until(lambda: "restart" in at.told(), 20)
    at.be("die")
    until(lambda: "opened" in at.told(), 60)
    said = ask(at)
    assert said.exit_code == 1 and "breaker   OPEN: 3 restarts within 600 s did not help" in said.output
    assert re.search(r"\d+ T python", said.output), "which process was stopped"
    at.be("ok")
    said = ask(at, "--reset")
    assert said.exit_code == 0 and "breaker   closed" in said.output
    until(lambda: "recovered" in at.told(), 20)
    told = json.loads(ask(at, "--json").output)
    assert told["running"] and told["state"]["breaker"] == "" and told["events"]
    assert KEY not in said.output + json.dumps(told)


def test_a_watchdog_that_died_is_not_called_well(at: Scene) -> None:
    at.prepare()
    at.start_engine()
    at.start_watchdog()
    at.await_answer()
    at.stop_watchdog()
    said = ask(at)
    assert said.exit_code == 1 and "does not run, though it was started" in said.output


def test_a_cluster_watches_by_itself() -> None:
    said = CliRunner().invoke(main, ["watch", "k8s-h200x8"])
    assert said.exit_code == 2 and "liveness" in said.output
