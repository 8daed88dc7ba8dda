"""What a container is to be, and what it is: one shape for the plan and for what Docker shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bind:
    """A path of the host that the container sees."""

    source: str
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """Docker's own probe; times in seconds, `command` without a shell."""

    command: tuple[str, ...]
    every_s: int
    timeout_s: int
    start_s: int
    failures: int


@dataclass(frozen=True, slots=True)
class Log:
    """Which driver keeps the container's words, and how much of them."""

    driver: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """Everything of a container that the plan decides.

    `env` holds no value that is secret: a name without a value is None, set from elsewhere.  `gpus` are
    "driver:id" ("nvidia:0", "cdi:nvidia.com/gpu=0").  `ulimits` are name -> value, -1 for unlimited.
    """

    image: str
    program: tuple[str, ...]
    arguments: tuple[str, ...]
    release: str = ""
    env: Mapping[str, str | None] = field(default_factory=dict)
    user: str = ""
    binds: tuple[Bind, ...] = ()
    tmpfs: tuple[str, ...] = ()
    network: str = "host"
    ports: tuple[str, ...] = ()
    ipc: str = "private"
    shm_bytes: int | None = None  # None: whatever `ipc` gives
    gpus: tuple[str, ...] = ()
    health: Health | None = None
    restart: str = "unless-stopped"
    log: Log = Log("json-file", {})
    init: bool = True
    read_only: bool = False
    privileged: bool = False
    pid: str = ""
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security: tuple[str, ...] = ("no-new-privileges:true",)
    ulimits: Mapping[str, int] = field(default_factory=dict)
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """The image that a container really has: its digests by registry, and the names of its own variables.

    `digests` is None where the image is no longer on the host.
    """

    id: str
    digests: tuple[str, ...] | None
    env_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContainerState:
    """`status` is Docker's word: created, running, restarting, paused, exited, dead, removing."""

    status: str
    exit: int
    restarts: int
    started_at: str
    out_of_memory: bool
    health: str | None  # starting, healthy, unhealthy; None without a probe

    @property
    def there(self) -> bool:
        """Whether Docker keeps it alive: it runs, or will again by itself."""
        return self.status in ("running", "restarting")


@dataclass(frozen=True, slots=True)
class Container:
    """One container as Docker shows it; `project` and `service` are Compose's labels, empty without."""

    id: str
    project: str
    service: str
    spec: ContainerSpec
    image: Image
    state: ContainerState
