"""A small deployment on a real host: fake engine and gateway, and the product's own watchdog, slots and files.

Nothing of a model or of vLLM is tried with it: what is real is the host, its processes, its disk and its watchdog.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml

from inventories.schema import Inventory
from inventories.validating import validated
from tasks.engines.base import PORT, engine
from tasks.facts.base import look
from tasks.facts.watch import WatchFact
from tasks.hosts import Host
from tasks.operations.base import converge
from tasks.operations.files import File, Folder
from tasks.operations.root_folder import RootFolder
from tasks.operations.watch import Unwatched, Watched
from tasks.operations.watch_config import Companion, Watch, Watchable, log_end
from tasks.releases import Release, Slot, Slots, keep, wanted, write_slots
from tasks.runtimes.process import RUNTIME, log_file
from tasks.site import Site
from tests.watch.scene import until

FAKE = Path(__file__).with_name("fake_service.py")
DRILLS = ["kill", "freeze", "reboot", "disk_full", "network_cut", "bad_release"]


def declared(host: dict[str, Any], ports: tuple[int, int, int], **recovery: Any) -> dict[str, Any]:
    """An inventory file's content; ports are slot, slot, gateway."""
    return {
        "name": "drilled",
        "title": "fake engine on a real host",
        "kind": "rehearsal",
        "hosts": [{"ram_gib": 1, "cpu_cores": 1, **host}],
        "model": {"catalog": "tiny-k2", "revision": "0" * 40},
        "engine": {"kind": "vllm", "version": "0.32.0", "options": {"device": "cpu", "kv_cache_gib": 1}},
        "serving": {
            "context_tokens": 64,
            "slots": list(ports[:2]),
            "live_port": ports[2],
            "gateway": {"tls": {"mode": "off"}},
            "start_budget_s": 20,
            "watch": {"every_s": 1, "deadline_s": 2, "failures": 2, "restarts": 20},
        },
        "recovery": {"drills": DRILLS, "hold_s": 6, **recovery},
    }


class Deployment:
    """Live on `host` once `up` has returned."""

    def __init__(self, host: Host, content: dict[str, Any], python: str) -> None:
        self.host, self.python, self.content = host, python, content
        self.inventory = validated(Inventory, content, "a test")
        self.spec = self.inventory.hosts[0]
        self.root = self.spec.root
        self.slot = Slot(wanted(self.inventory, self.spec).id, self.inventory.serving.slots[0])

    def file(self, folder: Path) -> Path:
        path = folder / f"{self.inventory.name}.yaml"
        path.write_text(yaml.safe_dump(self.content))
        return path

    def site(self, folder: Path) -> Site:
        made = Site(self.inventory, folder)
        made.use(self.spec.name, self.host)
        return made

    def be(self, mode: str) -> None:
        self.host.run(f"printf %s {mode} > {self.root}/mode").check()

    def up(self) -> None:
        """Files, engine, slots, watchdog; waits until the watchdog has had an answer."""
        root, host = self.root, self.host
        fake, port = f"{root}/fake_service.py", self.inventory.serving.live_port
        words = (fake, "engine", PORT, f"{root}/mode")
        release = Release(self.slot.release, "vllm fake", "x/y", "0" * 40, root, self.python, words, {})
        converge(host, RootFolder(root))
        for name in ("run", "state", "secrets", "units", f"releases/{release.id}"):
            converge(host, Folder(f"{root}/{name}"))
        converge(host, File(fake, FAKE.read_text(encoding="utf-8")))
        converge(host, File(f"{root}/secrets/engine.env", "VLLM_API_KEY=none\n", mode="0600"))
        self.be("ok")
        self._named_vllm()
        keep(host, root, release)
        site = cast(Site, SimpleNamespace(head=SimpleNamespace(root=root)))
        said = log_end(log_file(root, self.slot))
        words_of = RUNTIME.words(site, release, self.slot)
        converge(host, Watchable(root, release, self.slot, words_of, 20, said))
        converge(host, RUNTIME.running(site, release, self.slot))
        write_slots(host, root, Slots(live=self.slot))
        door = f"{self.python} {fake} door {port} {root}/state/slots.json"
        pid = f"{root}/run/door.pid"
        gateway = Companion(
            "gateway",
            f"setsid nohup {door} > {root}/door.log 2>&1 < /dev/null & echo $! > {pid}",
            f"grep -qsa fake_service /proc/$(cat {pid} 2>/dev/null || echo 0)/cmdline",
        )
        serving = self.inventory.serving
        limits = serving.watch.model_dump(exclude={"enabled"})
        converge(host, Watched(root, Watch(**limits, start_budget_s=20, companions=(gateway,))))
        until(self.answered, 30, "the watchdog has had a completion")

    def _named_vllm(self) -> None:
        """A Python that says it has vLLM: the claim asks for its version."""
        python = engine("vllm").python(self.inventory, self.spec)  # type: ignore[attr-defined]
        lies = f"{self.root}/lies/vllm-0.32.0.dist-info"
        self.host.run(f"mkdir -p {lies} $(dirname {python})").check()
        metadata = "Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0\n"
        converge(self.host, File(f"{lies}/METADATA", metadata))
        text = f'#!/bin/sh\nPYTHONPATH={self.root}/lies exec {self.python} "$@"\n'
        converge(self.host, File(python, text, mode="0755"))

    def answered(self) -> bool:
        state = look(self.host, WatchFact(self.root)).state
        return bool(state and state.phase == "serving" and state.last_ok)

    def down(self) -> None:
        converge(self.host, Unwatched(self.root))
        kills = "read -r p _ < $f && kill -KILL -- -$p 2>/dev/null"
        self.host.run(f"for f in {self.root}/run/*.pid; do {kills}; done; true").check()
