"""A copy of the checkpoint on the host itself, in which one thing is spoilt."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from assumptions._core import Finding, Outcome, Stage
from assumptions._judge import judge
from assumptions._registry import claim
from flows.drill_pairs import Healthy, Look, Pair
from inventories.schema import Inventory
from tasks.hosts import Host, Ran
from tasks.site import Site

FAIL = frozenset({Outcome.FAIL})
MOST_BYTES = 1 << 30  # a checkpoint that is larger is not copied for a drill
SHARD = '"$(ls *.safetensors | head -n 1)"'
SPOILT = (
    (
        "flipped-byte",
        "one byte in the middle of a shard is another",
        "printf '\\377\\000' | dd of=$f bs=1 seek=$(( $(stat -c %s $f) / 2 )) conv=notrunc status=none",
    ),
    ("shard-missing", "one shard is not there", "rm $f"),
    ("shard-cut", "one shard is 4,096 bytes short", "truncate -s -4096 $f"),
    ("shard-longer", "one shard has 4,096 bytes too many", "truncate -s +4096 $f"),
    (
        "header-broken",
        "one shard's header announces another length",
        "printf '\\001' | dd of=$f bs=1 seek=1 conv=notrunc status=none",
    ),
    ("config-changed", "config.json has one more line", "echo >> config.json"),
    ("config-missing", "config.json is not there", "rm config.json"),
    (
        "index-disagrees",
        "the index gives another size than the shards have",
        "sed -i -E 's/(\"total_size\": *)[0-9]+/\\112345/' model.safetensors.index.json",
    ),
    ("tokenizer-missing", "the tokenizer is not there", "rm -f tokenizer.json tokenizer.model tiktoken.model"),
    ("file-too-many", "a pickle lies beside the weights", "echo x > pytorch_model.bin"),
)


class Elsewhere:
    """A host on which one folder is to be found at another place."""

    def __init__(self, inner: Host, folder: str, place: str) -> None:
        self.name = inner.name
        self._inner, self._folder, self._place = inner, folder, place

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        ran = self._inner.run(command.replace(self._folder, self._place), timeout=timeout, stdin=stdin, sudo=sudo)
        said = {name: getattr(ran, name).replace(self._place, self._folder) for name in ("stdout", "stderr")}
        return replace(ran, command=command, **said)

    def forward(self, port: int) -> AbstractContextManager[int]:
        return self._inner.forward(port)

    def close(self) -> None:
        """The inner host goes on."""


class CopySite(Site):
    """A site on which the model lies at `place`, where one is named."""

    place = ""

    def host(self, name: str) -> Host:
        inner = super().host(name)
        return Elsewhere(inner, model_folder(self.inventory), self.place) if self.place else inner


class CheckpointGround:
    """The model's folder is copied once a fault, spoilt, judged and deleted; what is served is not touched."""

    name = "a copy of the checkpoint"
    served = True

    def __init__(self, site: CopySite, claims: dict[str, tuple[str, ...]], held: Callable[[], Any]) -> None:
        self._site, self._claims, self._held = site, claims, held
        self._place = f"{site.head.root}/drill-{secrets.token_hex(4)}"

    def pairs(self) -> Sequence[Pair]:
        return [
            Pair(name, Stage.WEIGHTS, fault, says, FAIL, self._look(name, spoil))
            for name, faults in self._claims.items()
            for fault, says, spoil in SPOILT
            if fault in faults
        ]

    def healthy(self) -> Sequence[Healthy]:
        return [Healthy(name, Stage.WEIGHTS, self._look(name, ":")) for name in self._claims]

    def _look(self, name: str, spoil: str) -> Look:
        def play() -> Finding:
            site, place = self._site, shlex.quote(self._place)
            host, folder = site.host(site.head.name), shlex.quote(model_folder(site.inventory))
            copied = f"rm -rf {place} && cp -r {folder} {place} && cd {place} && f={SHARD} && {spoil}"
            with self._held():
                try:
                    host.run(copied, timeout=120).check()
                    site.place = self._place
                    return judge(site, claim(name), Stage.WEIGHTS).evidence.finding
                finally:
                    site.place = ""
                    host.run(f"rm -rf {place}", timeout=120)

        return play

    def close(self) -> None:
        self._site.close()


def model_folder(inventory: Inventory) -> str:
    """Where the served model lies on the serving host."""
    return inventory.model_dir(inventory.model.catalog, str(inventory.model.revision), inventory.hosts[0])
