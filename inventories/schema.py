"""What one inventory file may say: frozen, no unknown keys.  inventories/inventory.schema.json is made from it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from inventories.money import Money
from inventories.quality import Quality as Quality
from inventories.recovery import Recovery
from inventories.serving import Port as Port
from inventories.serving import Serving as Serving
from inventories.stack import Stack
from inventories.strict import CatalogId as CatalogId
from inventories.strict import Name as Name
from inventories.strict import Strict as Strict

Commit = Annotated[
    str, Field(pattern=r"^[0-9a-f]{40}$", description="40 lower-case hex digits: a commit, never a branch or tag")
]
RemotePath = Annotated[
    str,
    Field(
        pattern=r"^/[A-Za-z0-9._/@+-]*$",
        description="absolute path on the host",
        json_schema_extra={"pattern": r"^(/|\$\{BEACHHEAD_)[A-Za-z0-9._/@+${}:-]*$"},  # editors see it before load()
    ),
]
Repo = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")]
EnvName = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]


class Ssh(Strict):
    """How to reach a host.  Keys and passwords are named, never written here."""

    address: str = Field(min_length=1)
    port: Port = 22
    user: str = Field(min_length=1)
    identity_file: str | None = Field(None, description="private key; without it the agent and ~/.ssh are asked")
    known_hosts: str = Field(
        "~/.ssh/known_hosts", description="file with the pinned host keys; nothing is ever added to it"
    )
    sudo_password_env: EnvName | None = Field(
        None, description="environment variable here that holds the sudo password"
    )


class Host(Strict):
    """One machine as ordered."""

    name: Name
    ssh: Ssh | None = Field(None, description="absent: a machine that is planned, not reachable yet")
    address: str | None = Field(
        None, description="several hosts: private IPv4 by which they reach each other; absent: ssh.address"
    )
    gpu: Name | None = Field(None, description="id in catalog/gpus.yaml; absent means CPU only")
    gpus: int = Field(0, ge=0)
    ram_gib: float = Field(gt=0)
    cpu_cores: int = Field(gt=0)
    root: RemotePath = Field(
        "/opt/beachhead", description="what Beachhead writes on the host lies below it, but for pip's and uv's caches"
    )
    stack: Stack | None = Field(
        None, description="driver, libraries and container engine to put there; absent: all that is left as it is"
    )

    @model_validator(mode="after")
    def _gpu_and_count_agree(self) -> Host:
        if (self.gpu is None) != (self.gpus == 0):
            raise ValueError("gpu and gpus go together: name a GPU and how many, or neither")
        return self

    @model_validator(mode="after")
    def _containers_can_be_tried(self) -> Host:
        if self.stack and self.stack.containers and self.gpus and not self.stack.containers.probe_image:
            raise ValueError("stack.containers.probe_image: name an image by digest, so that GPUs are tried inside one")
        return self


class Model(Strict):
    """Which weights: an entry of catalog/models.yaml at one commit."""

    catalog: CatalogId
    revision: Commit | None = Field(None, description="absent: not pinned; the plan says so and the fetch refuses")


class Hub(Strict):
    """Where weights come from.  Anything that speaks the Hugging Face protocol."""

    endpoint: str = Field("https://huggingface.co", pattern=r"^https?://\S+$")
    token_env: EnvName | None = Field(None, description="environment variable here that holds the token")


class Engine(Strict):
    """Which server, which version, how it is split; `options` are validated by the engine's own file."""

    kind: Name = Field(description="file name in tasks/engines, without .py")
    version: str = Field(pattern=r"^\d+(\.\d+)+\S*$")
    tensor_parallel: int = Field(1, ge=1)
    pipeline_parallel: int = Field(1, ge=1)
    options: dict[str, Any] = Field(default_factory=dict)


class Inventory(Strict):
    """One deployment, as declared by the person who signs for it."""

    name: Name
    title: str
    kind: Literal["rehearsal", "production"] = "production"
    proves: tuple[str, ...] = Field((), description="what a GO of this inventory means, for the report's first page")
    does_not_prove: tuple[str, ...] = ()
    hosts: tuple[Host, ...] = Field(min_length=1)
    model: Model
    probes: tuple[Model, ...] = Field(
        (), description="further small checkpoints that claims may load to learn what the engine accepts"
    )
    hub: Hub = Hub()
    engine: Engine
    serving: Serving
    may_stay_unknown: dict[Name, str] = Field(
        default_factory=dict,
        description="a rehearsal only: claims that may end UNKNOWN here, each with its reason; FAIL always blocks",
    )
    recovery: Recovery = Field(Recovery(), description="faults that may be played there, and how soon it must be back")
    money: Money | None = Field(None, description="what `beachhead cost` weighs; absent: its documented default case")
    quality: Quality = Field(Quality(), description="files that the claims about the model's quality compare with")

    @field_validator("may_stay_unknown")
    @classmethod
    def _each_reason_says_something(cls, value: dict[str, str]) -> dict[str, str]:
        for claim, reason in value.items():
            if len(reason.strip()) < 10:
                raise ValueError(f"{claim}: give the reason why it doesn't block")
        return value

    @model_validator(mode="after")
    def _only_a_rehearsal_excuses(self) -> Inventory:
        if self.may_stay_unknown and self.kind != "rehearsal":
            raise ValueError("may_stay_unknown: only a rehearsal may leave a claim UNKNOWN; UNKNOWN never rounds up")
        return self

    @model_validator(mode="after")
    def _names_and_split_fit(self) -> Inventory:
        names = [host.name for host in self.hosts]
        if len(set(names)) != len(names):
            raise ValueError("host names must differ")
        ports = {*self.serving.slots, self.serving.live_port}
        if len(ports) != 3:
            raise ValueError("serving.slots and serving.live_port must be three different ports")
        ranks, cards = self.engine.tensor_parallel * self.engine.pipeline_parallel, sum(h.gpus for h in self.hosts)
        if cards and ranks > cards:
            raise ValueError(f"tensor_parallel x pipeline_parallel = {ranks} ranks, but only {cards} GPUs are declared")
        return self

    def model_dir(self, model: str, revision: str, host: Host) -> str:
        """Where one pinned checkpoint lies on `host`."""
        return str(PurePosixPath(host.root) / "models" / model / revision)
