"""The gateway's container: the only service that others reach."""

from __future__ import annotations

from shlex import quote

from tasks.compose.engine import LOG_OPTIONS
from tasks.facts.container_spec import Bind, ContainerSpec, Log

TMPFS = ("/run", "/tmp", "/var/lib/nginx", "/var/log/nginx")  # noqa: S108 - what nginx opens before it reads a file
AS_ROOT = ("CHOWN", "DAC_OVERRIDE", "NET_BIND_SERVICE", "SETGID", "SETUID")


def gateway_spec(image: str, folder: str, *, user: str) -> ContainerSpec:
    """nginx over the gateway's `folder`, on the host's network; it can write there and nowhere else.

    As root (`user` empty, for a port below 1024 or a host where root owns the folder) it keeps the few capabilities
    with which it binds low ports, reads keys and becomes its workers; as another user ("uid:gid") it has none.
    """
    socket, home = quote(f"{folder}/run/control.sock"), quote(f"{folder}/")
    # A socket that a killed nginx left behind counts as one in use.
    run = f"rm -f {socket}; exec nginx -p {home} -c conf/nginx.conf -g 'daemon off;'"
    return ContainerSpec(
        image=image,
        program=("/bin/sh",),
        arguments=("-c", run),
        user=user,
        binds=(Bind(folder, folder, writable=True),),
        tmpfs=TMPFS,
        read_only=True,
        cap_drop=("ALL",),
        cap_add=() if user else AS_ROOT,
        log=Log("json-file", LOG_OPTIONS),
    )
