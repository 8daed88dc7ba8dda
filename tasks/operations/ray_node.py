"""Ray on one host of a group: its head, or a worker that joins the head; or nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.service import Service, Stopped

GCS_PORT = 6379
NODE_PORT = 6380
# Fixed ports, so that a firewall can name them; Ray takes random ones otherwise.
FIXED_PORTS = {
    "node-manager-port": NODE_PORT,
    "object-manager-port": 6381,
    "runtime-env-agent-port": 6382,
    "dashboard-agent-grpc-port": 6383,
    "dashboard-agent-listen-port": 6384,
    "metrics-export-port": 6385,
    "min-worker-port": 6400,
    "max-worker-port": 6499,
}
CLIENT_PORT = 6386  # can't be switched off (2.60 takes 1024 to 65535); it asks for the token as all others do
AUTOSCALER_PORT = 44217  # Ray's ray_constants.AUTOSCALER_METRIC_PORT: metrics, on every interface of the head
DRAIN_S = 45  # ray 2.60 drains a node for up to 30 s after SIGTERM
OBJECT_STORE_BYTES = 512 * 2**20  # the ranks exchange tensors themselves; Ray would take 30 % of RAM


@dataclass(frozen=True)
class RayNode:
    """Ray runs at `address` with a slot for each of `slots` ranks; `head_address` is its own where it is the head.

    The processes stay in one group under `ray start --block`, so that the pid file names all of them.  `env` holds
    paths and names, never the token.
    """

    python: str
    address: str
    head_address: str
    slots: int
    temp_dir: str
    pid_file: str
    log_file: str
    env: Mapping[str, str] = field(default_factory=dict)
    object_store_bytes: int = OBJECT_STORE_BYTES

    @property
    def head(self) -> bool:
        """Whether others join this one."""
        return self.address == self.head_address

    @property
    def name(self) -> str:
        """For a person."""
        return f"Ray {'head' if self.head else 'worker'} at {self.address}"

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line; a slot is what Ray calls a GPU."""
        role = (
            (
                "--head",
                "--port",
                str(GCS_PORT),
                "--include-dashboard",
                "false",
                "--ray-client-server-port",
                str(CLIENT_PORT),
            )
            if self.head
            else ("--address", f"{self.head_address}:{GCS_PORT}")
        )
        ports = (word for name, port in FIXED_PORTS.items() for word in (f"--{name}", str(port)))
        return (
            *(self.python, "-m", "ray.scripts.scripts", "start", "--block", *role),
            *("--node-ip-address", self.address, *ports),
            *("--num-gpus", str(self.slots), "--num-cpus", str(max(1, self.slots))),
            *("--object-store-memory", str(self.object_store_bytes)),
            *("--temp-dir", self.temp_dir, "--disable-usage-stats", "--log-style", "record"),
        )

    def plan(self, host: Host) -> Iterator[Step]:
        """Start it where it doesn't run; refuse when its port is someone else's."""
        port = GCS_PORT if self.head else NODE_PORT
        yield from Service(self.name, self.argv, port, self.pid_file, self.log_file, self.env).plan(host)


@dataclass(frozen=True)
class RayStopped:
    """Ray's processes of `pid_file` don't run, nor what it started."""

    pid_file: str

    @property
    def name(self) -> str:
        """For a person."""
        return "Ray stopped"

    def plan(self, host: Host) -> Iterator[Step]:
        """Ask its group to end; insist once it had time to drain."""
        yield from Stopped("Ray", self.pid_file, grace_s=DRAIN_S).plan(host)
