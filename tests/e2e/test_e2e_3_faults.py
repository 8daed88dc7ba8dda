"""What goes wrong on the way: each time one clear error, the evidence kept, and what is live still live."""

import html
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from rehearsal.keys import KNOWN_HOSTS
from rehearsal.processes import read_pid_file
from tests.e2e.children import Ended, until
from tests.e2e.proving_ground import NAME, OTHER_CONTEXT, ProvingGround
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
Change = Callable[[dict[str, Any]], object]


NOT_OF_THE_ENGINE = {  # the engine's code as it lies there; the watchdog, which this test has stopped
    ("quantisation-methods", "staging", "PASS"),
    ("moe-architecture", "staging", "PASS"),
    ("restart-recovery", "live", "FAIL"),
}
ASKED = (  # of staging and live; the other claims there look in the same ways, and some start engines of their own
    *("context-256k", "forced-tools", "logprobs", "memory-fit", "moe-architecture", "openai-api"),
    *("parallel-tool-calls", "quantisation-methods", "restart-recovery", "seeds", "stop-sequences"),
    *("streaming-deltas", "thinking-budget"),
)


def stopped_by(ground: ProvingGround, *words: str) -> Ended:
    """Run a command that must be stopped by a fault, and check all that every such run owes."""
    slots, runs = ground.slots(), set((ground.evidence / NAME).iterdir())
    engines = ground.engines()
    done = ground.beachhead("provision", *words, "--yes")
    assert done.code == 2, done
    assert "Traceback" not in done.err + done.out, done
    lines = done.err.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    told = "\n".join(lines[at:])
    assert "\n  where: " in told, done
    assert "\n  next:  " in told, done
    (run,) = set((ground.evidence / NAME).iterdir()) - runs
    facts = json.loads((run / "run.json").read_text())
    assert facts["verdict"]["decision"] == "UNKNOWN"
    assert facts["problem"]["what"] in told
    page = html.unescape((run / "report.html").read_text())
    assert facts["problem"]["what"] in page and facts["problem"]["fix"] in page
    assert (run / "report.md").read_text().startswith("# UNKNOWN")
    assert (run / "raw" / "trail.jsonl").read_text()
    assert ground.slots() == slots
    assert ground.engines() == engines
    assert ground.ask()
    return Ended(done.command, done.code, done.out, told)


def _another_key(ground: ProvingGround) -> str:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    return f"[127.0.0.1]:{ground.ssh_port} {key}\n"


def _no_key(ground: ProvingGround) -> str:
    return ""


@pytest.mark.parametrize(
    ("pinned", "words"),
    [
        (_another_key, ("is pinned", "find out why before anything else")),
        (_no_key, ("is not pinned in", "fingerprint")),
    ],
    ids=["changed", "unknown"],
)
def test_a_host_key_that_is_not_the_pinned_one_ends_the_run(
    ground: ProvingGround, pinned: Callable[[ProvingGround], str], words: tuple[str, ...]
) -> None:
    file: Path = ground.scenery.ssh / KNOWN_HOSTS
    right = file.read_text()
    file.write_text(wrong := pinned(ground))
    try:
        told = stopped_by(ground, NAME).err
        assert file.read_text() == wrong  # nothing is ever added
    finally:
        file.write_text(right)
    assert all(word in told for word in words), told


def _nobody_listens(declared: dict[str, Any]) -> None:
    declared["hosts"][0]["ssh"]["port"] = free_port()


def _no_such_commit(declared: dict[str, Any]) -> None:
    declared["model"]["revision"] = "0" * 40


def _no_such_parser(declared: dict[str, Any]) -> None:
    declared["engine"]["options"]["reasoning_parser"] = "nosuch"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_nobody_listens, ("no SSH connection", "check address, port and firewall")),
        (_no_such_commit, ("the hub answered 404", "check the repository's name")),
        (_no_such_parser, ("the engine ended at start", "nosuch", "nothing was promoted")),
    ],
)
def test_a_fault_on_the_way_leaves_what_is_live_alone(
    ground: ProvingGround, change: Change, words: tuple[str, ...]
) -> None:
    file = ground.inventory(f"variants/{change.__name__}", change)
    told = stopped_by(ground, str(file)).err
    assert all(word in told for word in words), told


def test_a_port_that_somebody_else_holds_is_left_to_them(ground: ProvingGround) -> None:
    (free,) = set(ground.slot_ports) - {ground.slots()["live"]["port"]}
    with socket.create_server(("127.0.0.1", free)) as foreign:
        told = stopped_by(ground, NAME, "--context", str(OTHER_CONTEXT)).err
        assert f"port {free} is taken" in told
        assert str(os.getpid()) in told, told
        socket.create_connection(foreign.getsockname(), timeout=5).close()  # it still listens


def test_an_engine_that_dies_while_it_is_judged_leaves_unknown_and_is_brought_back(ground: ProvingGround) -> None:
    live = ground.slots()["live"]
    engine = ground.engine(live)
    assert engine
    (watchdog,) = read_pid_file(ground.root / "run" / "watch.pid")
    assert watchdog.stop()  # it would bring the engine back at once
    judging = ground.start("validate", NAME, "--json", *(word for claim in ASKED for word in ("--only", claim)))
    until("staging is judged", lambda: "judge staging" in judging.err, seconds=120, every=0.05)
    time.sleep(0.5)  # a claim is under way
    os.killpg(engine.pid, signal.SIGKILL)
    done = judging.wait(600)
    assert done.code == 1, done
    assert "Traceback" not in done.err
    assert done.told["decision"] == "UNKNOWN"
    after = [c for c in done.told["claims"] if c["stage"] in ("staging", "live")]
    assert len(after) >= 7, done
    for record in after:
        said = (record["claim"], record["stage"], record["finding"]["outcome"], record["finding"]["because"])
        assert said[2] in ("UNKNOWN", "NOT_APPLICABLE") or said[:3] in NOT_OF_THE_ENGINE, said
    lost = [record for record in after if record["finding"]["because"].startswith("could not look")]
    assert len(lost) > len(after) / 2, [record["claim"] for record in after]

    done = ground.beachhead("provision", NAME, "--yes", "--json")
    assert done.code == 0, done
    assert done.told["decision"] == "GO"
    (only,) = [change for change in done.told["changes"] if "watchdog" not in change]
    assert f"start engine {live['release']} on port {live['port']}" in only
    assert ground.slots()["live"] == live
    assert ground.engine(live) not in (None, engine)
    assert ground.ask()
