"""Starting the real engine on the head of a group, asking it, and seeing it end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tasks.hosts import Host
from tasks.multihost.cluster import Cluster
from tasks.releases import Release, Slot
from tasks.rollout import Rollout
from tasks.runtimes.base import runtime
from tasks.site import Site
from tests.multihost.ground import KEY, Ground, cluster


@dataclass
class Served:
    """An engine that was started in a slot of the head."""

    site: Site
    group: Cluster
    release: Release
    slot: Slot

    @property
    def head(self) -> Host:
        """The head's connection."""
        return self.site.host(self.site.head.name)

    @property
    def log(self) -> str:
        """The engine's own words."""
        return runtime(self.site.inventory).log(self.site, self.slot)

    @property
    def running(self) -> bool:
        """Whether the engine's process is there."""
        return runtime(self.site.inventory).state(self.site, self.slot).running

    @property
    def rollout(self) -> Rollout:
        """The product's own way to serve."""
        return Rollout(self.site, print)

    def stage(self) -> None:
        """The group, then the engine on its head, which has answered."""
        assert self.rollout.stage() == self.slot

    def ended(self, seconds: float) -> bool:
        """Whether its process ends within so many seconds."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            time.sleep(1)
        return not self.running

    def health(self) -> int:
        """The status of /health."""
        with self.head.forward(self.slot.port) as port:
            return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False, timeout=10).status_code

    def completion(self, timeout: float = 120) -> str:
        """One greedy completion's text."""
        asked = {"model": "tiny-k2", "prompt": "Say one", "max_tokens": 12, "temperature": 0}
        key = {"Authorization": f"Bearer {KEY}"}
        with self.head.forward(self.slot.port) as port:
            address = f"http://127.0.0.1:{port}/v1/completions"
            said = httpx.post(address, json=asked, headers=key, trust_env=False, timeout=timeout).raise_for_status()
        found = json.loads(said.text)
        assert found["usage"]["completion_tokens"] > 0
        return str(found["choices"][0]["text"])


@contextmanager
def served(two_hosts: Ground, launcher: str) -> Iterator[Served]:
    """A group that is taken down at the end, whatever happened."""
    site = two_hosts.site(launcher)
    release, slot = two_hosts.release(site)
    made = Served(site, cluster(site, []), release, slot)
    try:
        yield made
    finally:
        made.group.down(slot)
        site.close()
