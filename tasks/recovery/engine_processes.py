"""The processes of the live engine on the host, as the kernel has them, and signals to all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

from tasks.compose.names import Project, engine_service
from tasks.facts.base import look
from tasks.facts.docker_access import DockerAccessFact
from tasks.facts.reading import match, understood, whole
from tasks.recovery.scene import NotToBeDrilled, Scene
from tasks.runtimes.process import pid_file

_STATS = r"cat /proc/[0-9]*/stat 2>/dev/null | sed -nE 's/^([0-9]+) \((.*)\) ([A-Za-z] .*)$/\1 \3|\2/p'"
_PICK = """awk -F'|' -v wanted="$wanted" '{
  split($1, f, " "); if (index(wanted, " " f[%d] " ")) print f[1], f[21], f[2], $2
}'"""
PID, SESSION = 1, 5  # where they stand in a line of _STATS
GONE = "ZX"  # states of what runs no more


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """A process by number and start time, so that a number that was given again is not mistaken; T is stopped."""

    pid: int
    start: int
    state: str
    name: str

    def is_same(self, other: EngineProcess) -> bool:
        """Whether it is that very process."""
        return (self.pid, self.start) == (other.pid, other.start)


@dataclass(frozen=True)
class EngineProcessesFact:
    """Every process of the sessions, or with these numbers, that `wanted` (shell) prints; zombies are left out.

    Sample: "4711 88123 S VLLM::EngineCor\\n4713 88127 T python3"
    """

    wanted: str
    by: int = SESSION
    needs_root: bool = False

    @property
    def command(self) -> str:
        """One look at /proc."""
        return f'wanted=" $({self.wanted} | tr "\\n" " ") "; {_STATS} | {_PICK % self.by}'

    @understood
    def parse(self, stdout: str) -> tuple[EngineProcess, ...]:
        """A line each."""
        found = []
        for line in stdout.splitlines():
            pid, start, state, name = match(r"([0-9]+) ([0-9]+) ([A-Za-z]) (.*)", line).groups()
            if state not in GONE:
                found.append(EngineProcess(whole(pid), whole(start), state, name))
        return tuple(found)


def fact(scene: Scene) -> EngineProcessesFact:
    """Of the session that the pid file names, or of the slot's container."""
    if scene.inventory.serving.runtime == "compose":
        name = Project(scene.root).container(engine_service(scene.slot))
        asked = f"docker top {quote(name)} -eo pid 2>/dev/null | tail -n +2 | tr -d ' '"
        return EngineProcessesFact(asked, PID, look(scene.host, DockerAccessFact()).needs_root)
    return EngineProcessesFact(f"cut -d' ' -f1 {quote(pid_file(scene.root, scene.slot))} 2>/dev/null")


def processes(scene: Scene) -> tuple[EngineProcess, ...]:
    """Those that run now, stopped ones too."""
    return look(scene.host, fact(scene))


def required(scene: Scene) -> tuple[EngineProcess, ...]:
    """The same; raises where there is none."""
    if found := processes(scene):
        return found
    raise NotToBeDrilled(
        "no process of the live engine is there",
        where=f"{scene.host.name}: release {scene.slot.release}, port {scene.slot.port}",
        fix="see `beachhead watch`",
    )


def signalled(scene: Scene, signal: str, whom: Sequence[EngineProcess]) -> None:
    """Send `signal` to each of them that is still the same process; in containers they belong to others: as root."""
    scene.host.run(signal_words(signal, whom), sudo=in_container(scene)).check()


def in_container(scene: Scene) -> bool:
    """Whether the engine's processes may belong to another user."""
    return scene.inventory.serving.runtime == "compose"


def signal_words(signal: str, whom: Sequence[EngineProcess]) -> str:
    """Shell for that."""
    pairs = " ".join(f"{each.pid}:{each.start}" for each in whom)
    same = "[ \"$(sed 's/.*) //' /proc/$p/stat 2>/dev/null | cut -d' ' -f20)\" = \"${each#*:}\" ]"
    return f"for each in {pairs}; do p=${{each%:*}}; {same} && kill -{signal} $p; done 2>/dev/null; true"


def still(whom: Sequence[EngineProcess], now: Sequence[EngineProcess]) -> tuple[EngineProcess, ...]:
    """Which of `whom` are among `now`, as they are now."""
    return tuple(each for each in now if any(each.is_same(one) for one in whom))
