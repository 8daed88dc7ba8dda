"""The machine of the end-to-end tests: hub, SSH target, Prefect server and worker of its own, and one inventory.

Nothing here touches a rehearsal that may be up: other ports, another folder, other keys.
"""

import json
import os
import re
import shutil
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import yaml

from flows import environment, server
from rehearsal.processes import Started, read_pid_file
from rehearsal.scenery import Scenery
from serving.client import Answer, Client
from tests.e2e.children import CHECKOUT, Child, Ended, until
from tests.e2e.watching import CommandLines
from tests.ports import free_port

BIN = Path(sys.executable).parent
NAME = "proving-ground"
HOST = "rehearsal-host"
CONTEXT, OTHER_CONTEXT = 4096, 4352  # two releases: the context is one of the engine's flags
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class ProvingGround:
    """What the tests act on.  `first` is the id of the first provision run, `page` its output in the terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ports = [free_port() for _ in range(7)]
        self.ssh_port, self.hub_port, self.live_port, *slots, self.prefect_port, self.reports_port = ports
        self.slot_ports = tuple(slots)
        self.root, self.evidence, self.home = folder / "scene" / "host", folder / "evidence", folder / "home"
        self.scenery = Scenery(folder / "scene", ssh_port=self.ssh_port, hub_port=self.hub_port)
        self.api = f"http://127.0.0.1:{self.prefect_port}/api"
        self.command_lines = CommandLines()
        self.children: list[Child] = []
        self.env = self._environment()
        self.first = ""
        self.watched: Ended | None = None

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BEACHHEAD_", "PREFECT_"))}
        return kept | {
            **environment.QUIET,
            "BEACHHEAD_INVENTORIES": str(self.folder / "inventories"),
            "BEACHHEAD_HOME": str(self.home),
            "BEACHHEAD_EVIDENCE": str(self.evidence),
            "BEACHHEAD_FIND_LINKS": environment.find_links(),
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": self.api,
            "PREFECT_RUNNER_POLL_FREQUENCY": "2",
            "NO_COLOR": "1",
        }

    def up(self) -> None:
        """Inventory, scenery, Prefect server, worker."""
        self.command_lines.start()
        self.inventory("inventories")
        self.scenery.up()
        assert server.start(self.folder / "prefect", self.prefect_port) == self.api
        serve = ("serve", "--port", str(self.prefect_port), "--reports-port", str(self.reports_port))
        self.worker = self.start(*serve)
        until("the worker has registered its deployments", self._deployed, seconds=180)

    def _deployed(self) -> bool:
        assert self.worker.process.poll() is None, self.worker.wait(1)
        return httpx.get(f"{self.api}/deployments/name/provision/{NAME}", trust_env=False).status_code == 200

    def down(self) -> None:
        """All of it, by pid; what a failing test may need to be read stays in the folder."""
        for child in self.children:
            child.stop()
        self.scenery.down()
        server.stop(self.folder / "prefect")
        self.command_lines.stop()
        shutil.rmtree(self.root / "engines", ignore_errors=True)

    def inventory(self, label: str, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Path:
        """The rehearsal's inventory on our own ports and folders, with one change; its file lies below `label`."""
        text = (CHECKOUT / "inventories" / "rehearsal.yaml").read_text()
        declared: dict[str, Any] = yaml.safe_load(
            text.replace("${BEACHHEAD_CHECKOUT}/.rehearsal", str(self.scenery.folder))
        )
        declared["name"] = NAME
        declared["hosts"][0]["ssh"]["port"] = self.ssh_port
        declared["hosts"][0]["cpu_cores"] = 1  # of a tiny model's threads the second only spins
        declared["hub"]["endpoint"] = f"http://127.0.0.1:{self.hub_port}"
        declared["serving"] |= {
            "context_tokens": CONTEXT,
            "slots": list(self.slot_ports),
            "live_port": self.live_port,
        }
        if self.first:
            del declared["probes"]  # int4-support, two engines more, was judged in the first run
        change(declared)
        file = self.folder / label / f"{NAME}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(declared, sort_keys=False))
        return file

    def start(self, *words: str, program: str = "beachhead") -> Child:
        """A command in the background."""
        child = Child([str(BIN / program), *words], self.env, self.folder / "commands")
        self.children.append(child)
        return child

    def beachhead(self, *words: str, seconds: float = 1200) -> Ended:
        """A command to its end."""
        return self.start(*words).wait(seconds)

    # --- the host

    def slots(self) -> dict[str, Any]:
        """What stands where, as the host has it."""
        return json.loads((self.root / "state" / "slots.json").read_text())  # type: ignore[no-any-return]

    def journal(self) -> list[dict[str, Any]]:
        """Everything that was ever done to the host."""
        return [json.loads(line) for line in (self.root / "journal.jsonl").read_text().splitlines()]

    def engine(self, slot: dict[str, Any]) -> Started | None:
        """The engine's process in a slot, where it runs."""
        file = self.root / "run" / f"engine-{slot['port']}-{slot['release']}.pid"
        found = read_pid_file(file) if file.exists() else ()
        return next((process for process in found if process.alive), None)

    def engines(self) -> list[str]:
        """The names of the pid files of every engine that runs."""
        files = sorted((self.root / "run").glob("engine-*.pid"))
        return [file.name for file in files if any(process.alive for process in read_pid_file(file))]

    # --- what is served

    def key(self) -> str:
        """The deployment's API key."""
        return (self.home / NAME / "api_key").read_text().strip()

    def trust(self) -> ssl.SSLContext:
        """What an application is given beside the key: the deployment's own CA."""
        return ssl.create_default_context(cafile=str(self.home / NAME / "ca" / "ca.pem"))

    def client(self) -> Client:
        """An application's client at the gateway."""
        return Client(
            f"https://127.0.0.1:{self.live_port}/v1",
            model="tiny-k2",
            api_key=self.key(),
            record=lambda *_, **__: "",
            timeout=60,
            verify=self.trust(),
        )

    def ask(self) -> Answer:
        """One completion through the gateway; fails when there is none."""
        with self.client() as client:
            answer = client.chat("Say one sentence.", max_tokens=16, temperature=0)
        assert answer.completion_tokens
        return answer

    # --- evidence and Prefect

    def newest_run(self) -> Path:
        """The evidence of the run that began last."""
        return max((self.evidence / NAME).iterdir())

    def deployment_run(self, flow: str, inventory: str, *words: str) -> tuple[str, Child]:
        """`prefect deployment run`: the run's id and the command."""
        child = self.start("deployment", "run", f"{flow}/{inventory}", *words, program="prefect")
        found = until("the flow run's id", lambda: re.search(r"UUID: ([0-9a-f-]{36})", child.out), seconds=60)
        return found.group(1), child

    def flow_run(self, run_id: str) -> dict[str, Any]:
        """A flow run as Prefect has it."""
        return self.get(f"/flow_runs/{run_id}")  # type: ignore[no-any-return]

    def reaches(self, run_id: str, *types: str, seconds: float) -> dict[str, Any]:
        """The flow run once its state is of one of `types`; fails with its state when it ends otherwise."""

        def look() -> dict[str, Any] | None:
            run = self.flow_run(run_id)
            assert run["state_type"] in types or run["state_type"] not in ENDED, run["state"]
            return run if run["state_type"] in types else None

        return until(f"run {run_id} is {types}", look, seconds=seconds, every=1)

    def get(self, path: str) -> Any:
        """GET from Prefect's API."""
        return httpx.get(self.api + path, trust_env=False, timeout=30).raise_for_status().json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST to Prefect's API."""
        return httpx.post(self.api + path, json=body, trust_env=False, timeout=30).raise_for_status().json()
