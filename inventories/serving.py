"""The `serving:` block: what the deployment promises, how its processes run, and what stands before them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from inventories.stack import AbsolutePath, ImageByDigest
from inventories.strict import Name, Strict

Port = Annotated[int, Field(ge=1, le=65535)]
CertificateName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9*][A-Za-z0-9.:*-]{0,252}$", description="a DNS name or an IP address")
]
Route = Annotated[
    str, Field(pattern=r"^(GET|POST) /[A-Za-z0-9/_-]*$", description="method and exact path: POST /v1/chat/completions")
]
Quantity = Annotated[str, Field(pattern=r"^\d+(Mi|Gi|Ti)$", description="Kubernetes' spelling: 700Gi")]

START_TARGET_S = 1800  # what a start may take where the inventory names no budget: half an hour
OPEN_ROUTES = (
    "GET /health",
    "GET /v1/models",
    "POST /v1/chat/completions",
    "POST /v1/completions",
)


class Tls(Strict):
    """The gateway's certificate."""

    mode: Literal["own-ca", "given", "off"] = Field(
        "own-ca", description="own-ca: made here, the CA's certificate is what clients trust; off: loopback only"
    )
    certificate: str | None = Field(None, description="given: file here, PEM, the whole chain")
    private_key: str | None = Field(None, description="given: file here, PEM, readable by you alone")
    names: tuple[CertificateName, ...] = Field((), description="own-ca: further names of the certificate")

    @model_validator(mode="after")
    def _files_belong_to_given(self) -> Tls:
        if (self.mode == "given") != (self.certificate is not None and self.private_key is not None):
            raise ValueError("certificate and private_key go together with mode: given, and only with it")
        return self


class Gateway(Strict):
    """nginx, the only thing that others reach.  Deny by default: what is not a listed route is not passed on."""

    tls: Tls = Tls()
    routes: tuple[Route, ...] = Field(OPEN_ROUTES, min_length=1)
    requests_per_minute: int = Field(600, ge=1, description="per API key; above it 429")
    concurrent_requests: int = Field(64, ge=1, description="per API key, streams included; above it 429")
    body_mib: int = Field(64, ge=1, description="a request of 256K tokens is some 2 MiB; images need the rest")
    stream_s: int = Field(3600, ge=60, description="longest silence between two bytes of an answer")
    image: ImageByDigest | None = Field(
        None, description="with containers: nginx with its perl module (nginx:…-perl), by digest"
    )


class Watch(Strict):
    """On the host: a completion of one token every so often; an engine that fails it is replaced."""

    enabled: bool = True
    every_s: int = Field(30, ge=1)
    deadline_s: int = Field(120, ge=1, description="a completion that takes longer counts as none")
    failures: int = Field(2, ge=1, description="in a row, before the engine is started anew")
    restarts: int = Field(3, ge=1, description="more than so many within `within_s` open the breaker: it stays down")
    within_s: int = Field(3600, ge=60)


class Mount(Strict):
    """A folder or file of the host that the engine's container sees, read-only, at the same path."""

    path: AbsolutePath


class Container(Strict):
    """The engine's container, with Compose or Kubernetes."""

    image: ImageByDigest
    shm_gib: float = Field(16, gt=0, description="shared memory for the ranks of one node")
    ipc: Literal["private", "host"] = "private"
    mounts: tuple[Mount, ...] = Field((), description="besides the weights")
    program: str | None = Field(None, description="absent: what this engine's own image has")
    user: str | None = Field(None, pattern=r"^\d+(:\d+)?$", description="absent: the image's own")


class Storage(Strict):
    """Where a cluster keeps the weights."""

    claim: Name = Field("weights", description="name of the PersistentVolumeClaim")
    size: Quantity = "700Gi"
    storage_class: Name | None = Field(None, description="absent: the cluster's default")
    local_path: AbsolutePath | None = Field(None, description="a local PersistentVolume on `node` instead")
    node: Name | None = None

    @model_validator(mode="after")
    def _a_local_path_is_on_a_node(self) -> Storage:
        if (self.local_path is None) != (self.node is None):
            raise ValueError("local_path and node go together")
        return self


class Kubernetes(Strict):
    """The cluster; kubectl runs on the first host of the inventory, or here where that is `local`."""

    namespace: Name = "beachhead"
    context: str | None = Field(None, pattern=r"^[\w.@:/-]+$", description="kubectl's; absent: the current one")
    kubeconfig: AbsolutePath | None = None
    storage: Storage = Storage()
    runtime_class: Name | None = "nvidia"
    gpu_resource: str = Field("nvidia.com/gpu", pattern=r"^[a-z0-9.-]+/[a-z0-9.-]+$")
    memory: Quantity | None = Field(None, description="absent: 90 % of the host's declared RAM")
    mesh: Literal["none", "istio", "linkerd"] = Field("none", description="mTLS between pods by a service mesh")
    many_nodes: Literal["ray", "vllm"] = Field("vllm", description="how ranks on several nodes find each other")


class Serving(Strict):
    """What the deployment promises, and where it listens."""

    context_tokens: int = Field(ge=16, description="prompt plus completion, in tokens")
    concurrent_requests: int = Field(1, ge=1, description="requests of full context at the same time")
    slots: tuple[Port, Port] = Field((8001, 8002), description="engine ports, on the host's loopback only")
    live_address: str = "127.0.0.1"
    live_port: Port = 8000
    mode: Literal["blue-green", "in-place"] = Field(
        "in-place", description="blue-green starts the new release beside the old one: it needs room for both"
    )
    runtime: Literal["process", "compose", "kubernetes"] = Field(
        "process", description="process: the engine's own environment; compose: Docker; kubernetes: a cluster"
    )
    many_nodes: Literal["ray", "vllm"] = Field(
        "ray", description="several hosts with runtime: process: how their ranks find each other"
    )
    peers_only: bool = Field(
        False, description="several hosts: nftables rules that close what they say to each other to everyone else"
    )
    container: Container | None = None
    kubernetes: Kubernetes | None = None
    gateway: Gateway = Gateway()
    watch: Watch = Watch()
    soak_s: int = Field(120, ge=0, description="a promoted release must answer for so long, or it is taken back")
    start_budget_s: int | None = Field(
        None,
        ge=10,
        description="longest time from start to the first real completion; absent: bytes by measured disk speed, "
        "plus compile and graph time",
    )

    @model_validator(mode="after")
    def _a_container_has_an_image(self) -> Serving:
        if (self.runtime != "process") != (self.container is not None):
            raise ValueError("container: goes together with runtime: compose or kubernetes")
        if (self.runtime == "kubernetes") != (self.kubernetes is not None):
            raise ValueError("kubernetes: goes together with runtime: kubernetes")
        if self.runtime == "compose" and self.gateway.image is None:
            raise ValueError("gateway.image: with runtime: compose the gateway is a container too; name its image")
        return self

    @model_validator(mode="after")
    def _only_loopback_goes_without_tls(self) -> Serving:
        loopback = self.live_address in ("127.0.0.1", "::1", "localhost")
        if self.gateway.tls.mode == "off" and not loopback:
            raise ValueError("gateway.tls.mode: off is for a loopback live_address only: API keys would be readable")
        return self
