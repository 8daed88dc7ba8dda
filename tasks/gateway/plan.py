"""What one host's gateway is to be: every value that its configuration is made of, checked."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from inventories.errors import BadInput
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory

PERL_MODULE = "/usr/lib/nginx/modules/ngx_http_perl_module.so"  # Debian's, Ubuntu's and the nginx:…-perl images'
LONGEST_STREAM_S = 6 * 3600  # assumed: 256K tokens at 20 tokens/s take 3.6 h; a reload lets a stream end until then
SOCKET_PATH_MAX = 107  # bytes of a Unix socket's name, unix(7)
_ROUTE = re.compile(r"(GET|POST) (/[A-Za-z0-9/_-]{0,199})")
_PATH = re.compile(r"/[A-Za-z0-9._/@+-]+")
_DNS_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*")


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """nginx below `folder`, listening at `listens`; `upstream` is the live engine's loopback port, None with none.

    `routes` maps a path to its methods.  Limits are per client; `body_mib` in MiB, `stream_s` in seconds.
    """

    folder: str
    listens: tuple[str, ...]
    routes: tuple[tuple[str, tuple[str, ...]], ...]
    tls: bool
    upstream: int | None
    requests_per_minute: int
    concurrent_requests: int
    body_mib: int
    stream_s: int
    perl_module: str = PERL_MODULE

    def __post_init__(self) -> None:
        for path in (self.folder, self.perl_module):
            if not _PATH.fullmatch(path) or "/../" in f"{path}/":
                raise _bad(f"{path!r} can't be written into nginx's configuration", "root", "an absolute path, plain")
        if len(self.control_socket.encode()) > SOCKET_PATH_MAX:
            raise _bad(f"{self.folder} is too long for a socket in it", "root", "name a shorter root")
        for path, methods in self.routes:
            for method in methods:
                if not _ROUTE.fullmatch(f"{method} {path}"):
                    raise _bad(f"{method} {path!r} is not a route", "serving.gateway.routes", "POST /v1/completions")

    @property
    def control_socket(self) -> str:
        """Where the running nginx says which configuration it has loaded."""
        return f"{self.folder}/run/control.sock"

    @property
    def pid_file(self) -> str:
        """The master process' number."""
        return f"{self.folder}/run/nginx.pid"

    @property
    def keys_file(self) -> str:
        """Names and digests of API keys, mode 0600."""
        return f"{self.folder}/keys"


def gateway_folder(spec: HostSpec) -> str:
    """Where all of the gateway lies on a host."""
    return f"{spec.root}/gateway"


def gateway_plan(inventory: Inventory, spec: HostSpec, upstream: int | None) -> GatewayPlan:
    """The gateway that `inventory` asks for on a host; BadInput where a value can't be served."""
    serving = inventory.serving
    asked = serving.gateway
    return GatewayPlan(
        folder=gateway_folder(spec),
        listens=listens(serving.live_address, serving.live_port),
        routes=_by_path(asked.routes),
        tls=asked.tls.mode != "off",
        upstream=upstream,
        requests_per_minute=asked.requests_per_minute,
        concurrent_requests=asked.concurrent_requests,
        body_mib=asked.body_mib,
        stream_s=asked.stream_s,
    )


def listens(address: str, port: int) -> tuple[str, ...]:
    """Where nginx listens: `address`, and 127.0.0.1 besides, by which the deployment itself comes in over SSH.

    listens("10.0.0.5", 443) is ("10.0.0.5:443", "127.0.0.1:443").
    """
    here = f"127.0.0.1:{port}"
    if address in ("localhost", "127.0.0.1"):
        return (here,)
    if address == "0.0.0.0":  # noqa: S104 - what the inventory asks for; keys and TLS stand before it
        return (f"0.0.0.0:{port}",)
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        if not _DNS_NAME.fullmatch(address):
            raise _bad(f"{address!r} is no address", "serving.live_address", "an IP address of the host") from None
        return (f"{address}:{port}", here)
    if "%" in address:
        raise _bad(f"{address} names an interface", "serving.live_address", "an address without %zone")
    if found.version == 6:
        both = f"0.0.0.0:{port}" if found.is_unspecified else here
        return (f"[{found}]:{port}", both)
    return (f"{found}:{port}", here)


def _by_path(routes: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    paths: dict[str, list[str]] = {}
    for route in routes:
        method, _, path = route.partition(" ")
        known = paths.setdefault(path, [])
        if method not in known:
            known.append(method)
    return tuple((path, tuple(sorted(methods))) for path, methods in sorted(paths.items()))


def _bad(what: str, where: str, fix: str) -> BadInput:
    return BadInput(what, where=where, fix=fix)
