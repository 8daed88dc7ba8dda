"""The deployment that is served now, with a liar between it and the claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from assumptions._core import Finding, Outcome, Stage
from assumptions._judge import judge
from assumptions._registry import claim
from flows.drill_pairs import Healthy, Look, Pair
from inventories.schema import Inventory
from serving.client import Answer, Client, Reply
from tasks.gateway.secrets import engine_key
from tasks.gateway.trust import ssl_context
from tasks.hosts import Host, Ran
from tasks.site import Site, unrecorded
from tests.liars.exchange import HONEST, Lie, both
from tests.liars.host import HostLie, LyingHost
from tests.liars.proxy import Remembered, Upstream, lying

AnyLie = Lie | HostLie


class HurriedClient(Client):
    """A client that waits no longer than `most`, whatever a claim allows."""

    most: float = 600.0

    def call(
        self, method: str, path: str, *, json_body: Any = None, key: bool | str = True, timeout: float = 120.0
    ) -> Reply:
        return super().call(method, path, json_body=json_body, key=key, timeout=min(timeout, self.most))

    def chat(self, text: str, *, timeout: float = 120.0, **body: Any) -> Answer:
        return super().chat(text, timeout=min(timeout, self.most), **body)

    def stream(self, text: str, *, timeout: float = 120.0, **body: Any) -> Answer:
        return super().stream(text, timeout=min(timeout, self.most), **body)


class LyingSite(Site):
    """A site whose clients and hosts go through `lie`.  Truth is remembered for lies that cost the engine nothing."""

    def __init__(self, inventory: Inventory, folder: Path) -> None:
        super().__init__(inventory, folder)
        self.lie: AnyLie = HONEST
        self.remembers = False
        self._replies: Remembered = {}
        self._outputs: dict[str, Ran] = {}

    def host(self, name: str) -> Host:
        lie = self.lie if isinstance(self.lie, HostLie) else None
        return LyingHost(super().host(name), lie, self._outputs if self.remembers else None)

    @contextmanager
    def client(self, port: int, *, timeout: float = 120.0, recorded: bool = True) -> Iterator[Client]:
        gateway = port == self.inventory.serving.live_port
        lie = self.lie if isinstance(self.lie, Lie) else HONEST
        store = self._replies if self.remembers and lie is not HONEST else None
        with (
            self.host(self.head.name).forward(port) as local,
            lying(Upstream(local, ssl_context(self) if gateway else None), lie, store) as liar,
            HurriedClient(
                f"http://127.0.0.1:{liar.port}/v1",
                model=self.inventory.model.catalog,
                api_key=self.api_key() if gateway else engine_key(self),
                record=self.trail.record if recorded else unrecorded,
                timeout=min(timeout, lie.deadline_s or timeout),
            ) as opened,
        ):
            client = cast("HurriedClient", opened)
            if lie.deadline_s is not None:
                client.most = lie.deadline_s
            yield client


Cases = Sequence[tuple[str, Stage, str, frozenset[Outcome]]]  # claim, stage, fault, outcomes that count as seen


class ServedGround:
    """Pairs of a catalogue, played on what is served; `held` guards each judgement from other runs."""

    name = "the served engine"
    served = True

    def __init__(
        self,
        site: LyingSite,
        lies: dict[str, AnyLie],
        cases: Cases,
        right: dict[str, Lie],
        held: Callable[[], Any],
    ) -> None:
        self._site, self._lies, self._cases, self._right, self._held = site, lies, cases, right, held

    def pairs(self) -> Sequence[Pair]:
        found = []
        for name, stage, fault, expected in self._cases:
            look = self._look(name, stage, self._lie(name, fault), True)
            found.append(Pair(name, stage, fault, self._lies[fault].says, expected, look))
        return found

    def healthy(self) -> Sequence[Healthy]:
        places = dict.fromkeys((name, stage) for name, stage, _, _ in self._cases)
        return [
            Healthy(name, stage, self._look(name, stage, self._right.get(name, HONEST), False))
            for name, stage in places
        ]

    def _lie(self, name: str, fault: str) -> AnyLie:
        lie, right = self._lies[fault], self._right.get(name)
        return lie if right is None or isinstance(lie, HostLie) else both(right, lie)

    def _look(self, name: str, stage: Stage, lie: AnyLie, remembers: bool) -> Look:
        def play() -> Finding:
            self._site.lie, self._site.remembers = lie, remembers
            with self._held():
                return judge(self._site, claim(name), stage).evidence.finding

        return play

    def close(self) -> None:
        self._site.close()
