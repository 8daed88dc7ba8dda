"""A dry run reads facts and changes nothing; each host's fault stands beside the others' plans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows import dry_run as module
from flows.cli import main
from flows.hosts_failed import HostsFailed, problem_of
from inventories.errors import Problem
from tasks import leases
from tasks.hosts import Host, HostError
from tasks.local import LocalHost
from tasks.operations.base import Operation, Step

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
INVENTORY = """\
name: dry
title: this machine
kind: rehearsal
hosts:
  - {{name: here, ssh: {{address: local, user: x}}, ram_gib: 1, cpu_cores: 1, root: {root}}}
model: {{catalog: tiny-k2}}
engine: {{kind: vllm, version: 0.32.0, options: {{device: cpu, kv_cache_gib: 1}}}}
serving: {{context_tokens: 64}}
"""
MARK = "hf_" + "x" * 24


class Some:
    """Three steps of every kind, then a question that can't be answered yet."""

    name = "some thing"

    def plan(self, host: Host) -> Iterator[Step]:
        yield Step("change it", f"touch /changed {MARK}", stdin="hush\n", sudo=True, long=True)
        yield Step("restart", "systemctl reboot", reboot=True, cannot_undo="what runs ends")
        raise HostError("no such program", where="here", fix="-")


class Nothing:
    name = "another thing"

    def plan(self, host: Host) -> Iterator[Step]:
        yield from ()


class Endless:
    name = "an endless thing"

    def plan(self, host: Host) -> Iterator[Step]:
        while True:
            yield Step("again", "true")


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path / "evidence"))
    file = tmp_path / "dry.yaml"
    file.write_text(INVENTORY.format(root=tmp_path / "root"))
    (tmp_path / "root").mkdir()
    return file


def plans(monkeypatch: pytest.MonkeyPatch, *operations: Operation) -> None:
    monkeypatch.setattr(module, "wanted", lambda inventory, spec: list(operations))


def test_every_command_and_why_and_nothing_is_changed(
    inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans(monkeypatch, Some(), Nothing())
    said = CliRunner().invoke(main, ["prepare", str(inventory), "--dry-run"])
    assert said.exit_code == 0, said.output
    assert (
        "- change it (as root, as a unit)\n      $ touch /changed [secret]\n      with 5 bytes on stdin" in said.output
    )
    assert "- restart (restarts the host)\n      can't be undone: what runs ends" in said.output
    assert "can't be known before the steps above were done: no such program" in said.output
    assert "another thing: in place" in said.output
    assert "2 steps on 1 hosts, 1 restarts, 1 that can't be undone" in said.output
    assert "hush" not in said.output and MARK not in said.output
    assert list((tmp_path / "root").iterdir()) == [] and not Path("/changed").exists()


def test_the_same_as_json(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans(monkeypatch, Some())
    told = json.loads(CliRunner().invoke(main, ["prepare", str(inventory), "--dry-run", "--json"]).output)
    some = told["hosts"][0]["operations"][-1]
    assert [step["stdin_bytes"] for step in some["steps"]] == [5, None]
    assert some["unknown"] == "no such program" and MARK not in json.dumps(told)


def test_who_works_there_now_is_said(inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans(monkeypatch, Nothing())
    leases.take(LocalHost(), str(tmp_path / "root"), "other-run", "now")
    said = CliRunner().invoke(main, ["prepare", str(inventory), "--dry-run"]).output
    assert f"in use: {leases.owner()} (run other-run" in said


def test_a_plan_without_end_is_cut(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans(monkeypatch, Endless())
    (host,) = module.dry_run(str(inventory)).hosts
    assert len(host.planned[-1].steps) == module.MOST_STEPS


def test_a_host_that_cannot_be_asked_exits_with_2(inventory: Path, tmp_path: Path) -> None:
    (tmp_path / "root").rmdir()
    (tmp_path / "root").write_text("a file in its place")
    said = CliRunner().invoke(main, ["prepare", str(inventory), "--dry-run"])
    assert said.exit_code == 2 and "can't be asked" in said.output


def test_one_hosts_failure_is_reported_beside_the_others() -> None:
    faults = {name: Problem(f"{name} is down", where=name, fix=f"mend {name}") for name in ("a", "b")}
    assert problem_of({"a": faults["a"]}, 1) is faults["a"]
    both = problem_of(faults, 8)
    assert isinstance(both, HostsFailed)
    assert both.what == "6 of 8 hosts are prepared, 2 failed: a: a is down; b: b is down"
    assert "mend a" in both.fix and "mend b" in both.fix
