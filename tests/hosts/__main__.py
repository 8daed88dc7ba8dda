"""`python -m tests.hosts up 4` gives a developer a fleet; `down` removes it; `list` shows what is there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.hosts import docker as engine
from tests.hosts.fleet import Fleet
from tests.hosts.gpus import CARDS
from tests.hosts.owners import KEPT, kept, reap
from tests.hosts.spec import OS_RELEASE, USER

HOME = Path("build/hosts")


def main(words: list[str]) -> int:
    """Do what the words say; a fault is one line on stderr and exit status 2."""
    asked = _parser().parse_args(words)
    try:
        return {"up": up, "down": down, "list": listing}[asked.what](asked)
    except (engine.EngineError, ValueError) as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 2


def up(asked: argparse.Namespace) -> int:
    """Start N hosts, write their inventory, and leave them running."""
    engine.start(HOME)
    folder = (HOME / "keys").resolve()
    if kept():
        raise ValueError("a fleet is up already; `python -m tests.hosts down` removes it")
    _empty(folder)
    gpus = asked.gpus if asked.gpu else 0
    fleet = Fleet(asked.n, folder=folder, os=asked.os, sudo=asked.sudo, gpu=asked.gpu, gpus=gpus)
    fleet.owner = KEPT
    try:
        fleet.up()
    except BaseException:
        fleet.down()
        raise
    file = HOME / f"{fleet.name}.yaml"
    file.write_text(fleet.inventory())
    for machine in fleet:
        options = f"-i {machine.client_key} -o UserKnownHostsFile={machine.known_hosts}"
        print(f"{machine.name}  ssh {options} {USER}@{machine.address}")
    print(f"packages   deb [signed-by=/etc/apt/keyrings/test-hosts.asc] {fleet.repository_url} stable main")
    print(f"inventory  {file}")
    return 0


def down(asked: argparse.Namespace) -> int:
    """Remove the fleets that `up` left running and those of dead processes; stop the engine that `up` started."""
    if engine.answers():
        gone = [*kept(), *reap()]
        for fleet in gone:
            engine.remove_fleet(fleet)
        engine.remove_fleet("build")
        print("removed: " + (" ".join(gone) or "nothing was up"))
    for file in HOME.glob("fleet-*.yaml"):
        file.unlink()
    _empty(HOME / "keys")
    engine.stop(HOME)
    return 0


def listing(asked: argparse.Namespace) -> int:
    """What is up, as Docker shows it."""
    template = f'{{{{.Names}}}}\t{{{{.Status}}}}\t{{{{.Label "{engine.LABEL}"}}}}'
    print(engine.docker("ps", "--all", "--filter", f"label={engine.LABEL}", "--format", template))
    return 0


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    parser.add_argument("what", choices=["up", "down", "list"])
    parser.add_argument("n", type=int, nargs="?", default=4, help="how many hosts")
    parser.add_argument("--os", default="debian-12", choices=["debian-12", *OS_RELEASE])
    parser.add_argument("--sudo", default="nopasswd", choices=["nopasswd", "password", "none"])
    parser.add_argument("--gpu", choices=list(CARDS), help="scripted GPUs of this kind")
    parser.add_argument("--gpus", type=int, default=8, help="how many of them in each host")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
