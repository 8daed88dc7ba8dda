"""Real vLLM in containers, from `beachhead provision` on: one release goes live, four bad ones do not stay.

A bad flag, a model that says one character for ever, an engine that dies in its soak: each ends with the first release
serving, proven by a request, and with the seconds without service told.
"""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import environment, server
from inventories.load import load
from rehearsal import weights
from rehearsal.checkpoint import Checkpoint, build, checkpoints
from rehearsal.hub import make_app, running
from rehearsal.processes import read_pid_file
from rehearsal.quantization import plain
from rehearsal.vocabulary import tokens
from serving.client import Client
from tasks.releases import Slot
from tests.compose.ground import ComposeGround
from tests.compose.registry import Registry
from tests.compose.vllm import healthy, listening_elsewhere
from tests.e2e.children import Child, Ended, until
from tests.hosts.docker import docker
from tests.ports import free_port
from tests.vllm_environment import vllm_python

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
SERVICE = re.compile(r"([\d.]+) s without service( and it is not served now)?,? ?\((\d+) of (\d+) completions answered")


def babbling() -> Checkpoint:
    """The tiny checkpoint with a head that answers every token with "!"."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "follows", lambda: dict.fromkeys(tokens(), ("!",)))
        return build("beachhead/tiny-k2", None, plain)


class Site:
    """This machine as a Compose host, with a Prefect server and two hubs: one has the good model, one the other."""

    def __init__(self, folder: Path, ground: ComposeGround, hubs: dict[str, str], prefect_port: int) -> None:
        self.folder, self.ground, self.hubs = folder, ground, hubs
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("BEACHHEAD_", "PREFECT_"))} | {
            **environment.QUIET,
            "BEACHHEAD_HOME": str(folder / "home"),
            "BEACHHEAD_EVIDENCE": str(folder / "evidence"),
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": server.start(folder / "prefect", prefect_port),
            "NO_COLOR": "1",
        }
        self.excused = load("rehearsal").may_stay_unknown

    def inventory(self, model: str = "good", options: dict[str, Any] | None = None, **serving: Any) -> Path:
        """A file of the same name each time: the same deployment, another release."""
        checkpoint = checkpoints()[0] if model == "good" else babbling()
        declared = self.ground.inventory(revision=checkpoint.revision, soak_s=20, **serving)
        declared["hub"] = {"endpoint": self.hubs[model]}
        declared["engine"]["options"] |= options or {}
        declared["may_stay_unknown"] = dict(self.excused)
        file = self.folder / "compose-ground.yaml"
        file.write_text(yaml.safe_dump(declared, sort_keys=False))
        return file

    def provision(self, file: Path) -> Child:
        """The command, in the background."""
        words = [str(Path(sys.executable).parent / "beachhead"), "provision", str(file), "--yes"]
        return Child(words, self.env, self.folder / "commands")

    @property
    def slots(self) -> dict[str, Any]:
        """As the host has it."""
        return json.loads((self.ground.root / "state" / "slots.json").read_text())  # type: ignore[no-any-return]

    def container(self, port: int) -> tuple[str, int]:
        """Id and process of the engine's container in a slot."""
        name = self.ground.project.container(f"engine-{port}")
        id_, pid = docker("inspect", "--format", "{{.Id}} {{.State.Pid}}", name).split()
        return id_, int(pid)

    def answers(self) -> None:
        """One completion through the gateway."""
        key = (self.folder / "home" / "compose-ground" / "api_key").read_text().strip()
        address = f"http://127.0.0.1:{self.ground.ports[2]}/v1"
        with Client(address, model="tiny-k2", api_key=key, record=lambda *_, **__: "", timeout=60) as client:
            assert "rehearsal checkpoint" in client.chat("Say one sentence.", max_tokens=256, temperature=0).content


def _unwatched(pid_file: Path) -> None:
    for process in read_pid_file(pid_file) if pid_file.exists() else ():
        process.stop()


@pytest.fixture(scope="module")
def site(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With the first release live."""
    folder = tmp_path_factory.mktemp("provisioned")
    with ExitStack() as stack:
        hubs = {
            "good": stack.enter_context(running(make_app(checkpoints()))),
            "babbling": stack.enter_context(running(make_app([babbling()]))),
        }
        ground = stack.enter_context(ComposeGround(folder, registry, python=vllm_python(), gateway=True))
        stack.callback(server.stop, folder / "prefect")
        stack.callback(_unwatched, ground.root / "run" / "watch.pid")
        made = Site(folder, ground, hubs, free_port())
        first = made.provision(made.inventory()).wait(1200)
        assert first.code == 0, first
        made.answers()
        yield made


@pytest.fixture(autouse=True)
def _the_first_release_is_still_the_live_one(site: Site) -> Iterator[None]:
    before = site.slots["live"]
    container = site.container(before["port"])
    yield
    assert site.slots["live"] == before
    assert site.slots["candidate"] is None
    site.answers()
    same = site.container(before["port"]) == container
    print(f"engine of {before['release']}: {'the same process' if same else 'begun again'}")


def _without_service(ended: Ended) -> float:
    told = SERVICE.search(ended.err + ended.out)
    assert told, ended
    assert not told[2], ended
    print(f"without service: {told[1]} s ({told[3]} of {told[4]} completions answered)")
    return float(told[1])


def test_what_serves_listens_on_loopback_alone_and_docker_calls_it_healthy(site: Site) -> None:
    live = Slot(**site.slots["live"])
    assert healthy(site.ground, live)
    assert listening_elsewhere(site.ground, live) == []


def test_a_release_with_a_bad_flag(site: Site) -> None:
    ended = site.provision(site.inventory(options={"reasoning_parser": "no-such-parser"})).wait(1200)
    assert ended.code == 2, ended
    assert "no-such-parser" in ended.err
    assert _without_service(ended) == 0.0


def test_a_release_that_starts_and_babbles(site: Site) -> None:
    ended = site.provision(site.inventory("babbling")).wait(1200)
    assert ended.code == 2, ended
    assert "characters are '!'" in ended.err
    assert _without_service(ended) == 0.0


def test_a_release_that_dies_in_its_soak(site: Site) -> None:
    before = site.slots["live"]
    child = site.provision(site.inventory(context_tokens=4352))
    until("the soak begins", lambda: re.search(r"^\S+ +soak$", child.err, re.M), seconds=1200, every=0.2)
    bad = site.slots["live"]
    assert bad != before
    _, pid = site.container(bad["port"])
    os.kill(pid, signal.SIGKILL)
    ended = child.wait(600)
    assert ended.code == 2, ended
    assert "went bad in its soak" in ended.err
    assert site.slots == {"live": before, "candidate": None, "previous": None}
    _without_service(ended)


def test_in_place_the_old_release_is_started_again(site: Site) -> None:
    file = site.inventory(mode="in-place", options={"reasoning_parser": "no-such-parser"})
    ended = site.provision(file).wait(1200)
    assert ended.code == 2, ended
    assert _without_service(ended) > 0.0
