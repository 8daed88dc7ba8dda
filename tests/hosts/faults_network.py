"""Real faults of the way to a host: link, routes, sshd, ports.  Each takes its change back at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.hosts.faults_waiting import restart_sshd, until
from tests.hosts.machine import Machine


@contextmanager
def link_down(machine: Machine) -> Iterator[None]:
    """The host's only link is down: nothing answers, and no connection is closed."""
    machine.run_in_container("ip link set eth0 down")
    try:
        yield
    finally:
        machine.run_in_container(f"ip link set eth0 up && ip route replace default via {machine.gateway}")


@contextmanager
def blackhole(machine: Machine) -> Iterator[None]:
    """The host's answers to this machine vanish; other hosts still reach it."""
    machine.run_in_container(f"ip route add blackhole {machine.gateway}/32")
    try:
        yield
    finally:
        machine.run_in_container(f"ip route del blackhole {machine.gateway}/32")


@contextmanager
def slow_network(machine: Machine, kbit: int = 64) -> Iterator[None]:
    """What the host sends goes at `kbit` per second (token bucket)."""
    machine.run_in_container(f"tc qdisc add dev eth0 root tbf rate {kbit}kbit burst 16kb latency 2s")
    try:
        yield
    finally:
        machine.run_in_container("tc qdisc del dev eth0 root")


@contextmanager
def package_server_unreachable(machine: Machine) -> Iterator[None]:
    """This host alone has no way to the package server."""
    server = f"{machine.gateway.rpartition('.')[0]}.2/32"
    machine.run_in_container(f"ip route add unreachable {server}")
    try:
        yield
    finally:
        machine.run_in_container(f"ip route del unreachable {server}")


@contextmanager
def host_key_changed(machine: Machine) -> Iterator[None]:
    """sshd answers with another key than the pinned one."""
    key = "/etc/ssh/ssh_host_ed25519_key"
    machine.run_in_container(f"mkdir -p /root/keys; mv {key}* /root/keys/; ssh-keygen -q -t ed25519 -N '' -f {key}")
    restart_sshd(machine)
    try:
        yield
    finally:
        machine.run_in_container("mv -f /root/keys/* /etc/ssh/")
        restart_sshd(machine)


@contextmanager
def port_taken(machine: Machine, port: int = 8000) -> Iterator[None]:
    """Another process listens on `port`, all addresses."""
    note = f"/run/port-{port}.pid"
    machine.start_in_container(f"echo $$ >{note}; exec python3 -m http.server {port} --directory /var/empty")
    until(machine, f"ss -Hltn 'sport = :{port}' | grep -q .")
    try:
        yield
    finally:
        machine.run_in_container(f"kill $(cat {note}); rm {note}")


@contextmanager
def sshd_frozen(machine: Machine) -> Iterator[None]:
    """sshd and its sessions are stopped in mid-work: connections are taken by the kernel, nobody speaks."""
    machine.run_in_container("pkill -STOP -x sshd")
    try:
        yield
    finally:
        machine.run_in_container("pkill -CONT -x sshd")


FAULTS: dict[str, Callable[..., AbstractContextManager[None]]] = {
    "link-down": link_down,
    "blackhole": blackhole,
    "slow-network": slow_network,
    "package-server-unreachable": package_server_unreachable,
    "host-key-changed": host_key_changed,
    "port-taken": port_taken,
    "sshd-frozen": sshd_frozen,
}
