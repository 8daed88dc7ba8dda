"""The tools of the bench: each is one command line, a new process for each run, and a way to read what it changed."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts.fleet import Fleet
from tests.hosts.spec import USER

HERE = Path(__file__).resolve().parent
PEERS, CACHE = HERE / "peers", HERE.parent / ".bench"
INSTALL_S, RUN_S = 900, 1800
PYINFRA, ANSIBLE = "converge_pyinfra.lock", "converge_ansible.lock"


class ToolFailed(Exception):
    """A tool could not be had, or did not do the ten steps; the text says why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One contestant: its title, its words for a fleet whose files lie in a folder, and its count of changes."""

    title: str
    command: Callable[[Path], list[str]]
    changed: Callable[[str], int]
    environment: dict[str, str] = field(default_factory=dict)
    lock: str = ""
    most_hosts: int = 1000  # it is too slow to be run on more


@dataclass(frozen=True, slots=True)
class Timed:
    """One run of one tool on one fleet."""

    seconds: float
    changed: int


def _ours(*words: str) -> Callable[[Path], list[str]]:
    return lambda folder: [sys.executable, "-m", "bench.converge_ours", str(next(folder.glob("fleet-*.yaml"))), *words]


def _pyinfra(folder: Path) -> list[str]:
    inventory, deploy = str(folder / "pyinfra_inventory.py"), str(PEERS / "converge_pyinfra_deploy.py")
    return [str(home(PYINFRA) / "bin/pyinfra"), "-y", inventory, deploy]


def _ansible(*words: str) -> Callable[[Path], list[str]]:
    def command(folder: Path) -> list[str]:
        play = str(home(ANSIBLE) / "bin/ansible-playbook")
        return [play, "-i", str(folder / "ansible.ini"), *words, str(PEERS / "converge_ansible.yml")]

    return command


def _summed(pattern: str) -> Callable[[str], int]:
    """The sum of all numbers that `pattern` finds; a tool that says none did not come to its end."""

    def changed(said: str) -> int:
        found = re.findall(pattern, said, re.MULTILINE)
        if not found:
            raise ToolFailed(f"it does not say what it changed:\n{said[-1500:]}")
        return sum(int(number) for number in found if number != "-")

    return changed


ANSIBLE_TUNED = {
    "ANSIBLE_FORKS": "32",
    "ANSIBLE_PIPELINING": "true",
    "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
}
OURS = Tool("Beachhead", _ours(), _summed(r"^changed=(\d+)$"))
TOOLS = {
    "ours": OURS,
    "one-by-one": Tool("Beachhead, not reading ahead", _ours("--one-by-one"), OURS.changed),
    "prefect": Tool("Beachhead through Prefect", _ours("--through", "prefect"), OURS.changed),
    "pyinfra": Tool("pyinfra 3.10.0", _pyinfra, _summed(r"^ *Grand total +\d+ +(\d+|-) "), lock=PYINFRA),
    "ansible": Tool("Ansible 2.19.14, tuned", _ansible(), _summed(r"\bchanged=(\d+)"), ANSIBLE_TUNED, ANSIBLE),
    "ansible-defaults": Tool(
        "Ansible 2.19.14, defaults", _ansible("-e", "facts=true"), _summed(r"\bchanged=(\d+)"), {}, ANSIBLE, 1
    ),
}


def home(lock: str) -> Path:
    """Where the peer of this lock is installed."""
    mark = hashlib.sha256((PEERS / lock).read_bytes() + sys.version.encode()).hexdigest()[:12]
    return CACHE / f"{Path(lock).stem}-{mark}"


def install(tool: Tool) -> None:
    """The peer's own Python, from its lock, the first time."""
    if not tool.lock or (home(tool.lock) / "ready").exists():
        return
    print(f"installing {tool.title} into {home(tool.lock)} (once)", file=sys.stderr)
    python = home(tool.lock) / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(PEERS / tool.lock)]
    for words in ([sys.executable, "-m", "venv", "--clear", str(home(tool.lock))], pip):
        done = subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        if done.returncode:
            raise ToolFailed(done.stderr[-800:])
    (home(tool.lock) / "ready").touch()


def write_files(fleet: Fleet, folder: Path) -> None:
    """The fleet in each tool's own words."""
    (folder / f"{fleet.name}.yaml").write_text(fleet.inventory(), encoding="utf-8")
    known = folder / "known_hosts"
    known.write_text("".join(machine.known_hosts.read_text() for machine in fleet), encoding="utf-8")
    key = str(fleet[0].client_key)
    given = {"ssh_user": USER, "ssh_key": key, "ssh_known_hosts_file": str(known)}
    given["ssh_strict_host_key_checking"] = "yes"
    hosts = [(machine.name, given | {"ssh_hostname": machine.address}) for machine in fleet]
    (folder / "pyinfra_inventory.py").write_text(f"hosts = {hosts!r}\n", encoding="utf-8")
    lines = [f"{m.name} ansible_host={m.address} ansible_ssh_host_key_checking=true" for m in fleet]
    common = f"ansible_user={USER}\nansible_ssh_private_key_file={key}\n"
    common += f"ansible_ssh_common_args=-o UserKnownHostsFile={known} -o StrictHostKeyChecking=yes\n"
    (folder / "ansible.ini").write_text("\n".join([*lines, "", "[all:vars]", common]), encoding="utf-8")


def run(tool: Tool, folder: Path) -> Timed:
    """Wall time of one new process, and what it says it changed; raises ToolFailed."""
    environment = {**os.environ, "ANSIBLE_HOME": str(folder / "ansible"), "PREFECT_HOME": str(folder / "prefect")}
    environment |= {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false", **tool.environment}
    began = time.perf_counter()
    done = subprocess.run(
        tool.command(folder),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        cwd=HERE.parent,
        env=environment,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise ToolFailed(f"{tool.title} ended with {done.returncode}:\n{done.stdout[-2500:]}{done.stderr[-2500:]}")
    return Timed(seconds, tool.changed(done.stdout + done.stderr))
