"""A real image registry (Debian's docker-registry) on loopback, where Docker needs no TLS."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from pathlib import Path

from tests.compose.tools import ToolMissing, cache, unpacked
from tests.hosts.docker import docker
from tests.ports import free_port

CONFIG = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {store}}}, delete: {{enabled: true}}}}
http: {{addr: 127.0.0.1:{port}}}
"""


class Registry:
    """Runs below `folder` from `with` to its end; layers stay in the cache, so that a second push is quick."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._pushed: list[str] = []

    def __enter__(self) -> Registry:
        binary = next(iter((unpacked("docker-registry", "bookworm") / "usr/bin").glob("docker-registry")))
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "registry.yml"
        config.write_text(CONFIG.format(store=cache() / "registry", port=self.port))
        with (self.folder / "registry.log").open("wb") as log:
            self._process = subprocess.Popen([binary, "serve", config], stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ToolMissing(f"the registry did not start: {(self.folder / 'registry.log').read_text()[-800:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._pushed:
            docker("rmi", name, check=False)
        if self._process:
            self._process.terminate()
            self._process.wait(20)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def push(self, image: str, name: str) -> str:
        """Push a local image as `name`; gives 127.0.0.1:PORT/name@sha256:…, and takes the local copy's name away."""
        tag = f"127.0.0.1:{self.port}/{name}:pushed"
        docker("tag", image, tag)
        docker("push", "--quiet", tag, timeout=300)
        digests = json.loads(docker("image", "inspect", "--format", "{{json .RepoDigests}}", tag))
        pushed = next(each for each in digests if each.startswith(f"127.0.0.1:{self.port}/{name}@"))
        docker("rmi", tag)
        self._pushed.append(pushed)
        return pushed
