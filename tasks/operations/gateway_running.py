"""The gateway's nginx runs, with the configuration and the keys that lie on the host now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from shlex import quote

from tasks.facts.base import look
from tasks.facts.gateway_state import GatewayState, GatewayStateFact, ask_loaded
from tasks.facts.listener import ListenerFact
from tasks.facts.process import ProcessFact
from tasks.gateway.plan import GatewayPlan
from tasks.hosts import Host, lines
from tasks.operations.base import Step
from tasks.operations.gateway_words import NginxWords
from tasks.operations.service import PortTaken, Stopped

IN_A_ROW = 10  # an old worker accepts connections until it is told to go, so one right answer is not yet all of them
TAKES_OVER_S = 30  # a reload is done in well under a second; a host under load may need more


@dataclass(frozen=True)
class GatewayRunning:
    """Asked over its control socket, nginx names the configuration and the keys file that lie on disk.

    A reload begins new workers and lets the old ones end their streams; `port` is the first that it listens on.
    """

    gateway: GatewayPlan
    words: NginxWords = field(repr=False)

    @property
    def name(self) -> str:
        """For a person."""
        return "gateway running"

    @property
    def _port(self) -> int:
        return int(self.gateway.listens[0].rpartition(":")[2])

    def plan(self, host: Host) -> Iterator[Step]:
        """Start it, or test and reload; refuse where its port is someone else's."""
        state = look(host, GatewayStateFact(self.gateway.folder))
        if state.current and (state.pid is not None or not self.words.own_process):
            return
        if state.answers:
            orphans = self.words.own_process and state.pid is None
            why = "start the gateway again: its workers have no master" if orphans else "reload the gateway"
            yield Step(why, f"{self._tested()}; {{ {self.words.reload}; }} || exit; {self._taken_over(state)}")
            return
        if state.pid is None:
            self._port_is_free(host)
        why = "start the gateway"
        yield Step(why, f"{self._tested()}; {{ {self.words.start}; }} || exit; {self._taken_over(state)}")

    def _tested(self) -> str:
        """Nothing behind it runs where nginx refuses what is on disk."""
        return f"cd {quote(self.gateway.folder)} || exit; {{ {self.words.test('conf')}; }} || exit"

    def _taken_over(self, state: GatewayState) -> str:
        """Wait until it says what it should; else its own last words, and a failure."""
        wanted = quote(f"{state.mark} {state.keys}")
        log = quote(f"{self.gateway.folder}/error.log")
        ask = ask_loaded(self.gateway.folder)
        return (
            f'n=0; for i in $(seq {TAKES_OVER_S * 10}); do [ "$({ask})" = {wanted} ] && n=$((n + 1)) || n=0; '
            f"[ $n -lt {IN_A_ROW} ] || exit 0; sleep 0.1; done; "
            f"echo 'nginx did not take the configuration over within {TAKES_OVER_S} s' >&2; "
            f"tail -n 5 {log} >&2; exit 1"
        )

    def _port_is_free(self, host: Host) -> None:
        listener = look(host, ListenerFact(self._port))
        if listener.busy:
            holder = f"process {listener.holder}" if listener.holder else "a process of another user"
            raise PortTaken(
                f"port {self._port} is taken, and not by our gateway",
                where=f"{host.name}: {holder}",
                fix="stop it or choose another serving.live_port in the inventory; nothing of it was touched",
            )


@dataclass(frozen=True)
class GatewayStopped:
    """No nginx of the gateway's folder runs.  Streams end with it."""

    folder: str

    @property
    def name(self) -> str:
        """For a person."""
        return "gateway stopped"

    def plan(self, host: Host) -> Iterator[Step]:
        """Ask the master to end at once; the process is known by its own command line."""
        state = look(host, GatewayStateFact(self.folder))
        if state.pid is not None:
            wait = f"for i in $(seq 50); do kill -0 {state.pid} 2>/dev/null || exit 0; sleep 0.2; done; exit 1"
            yield Step(f"stop the gateway (pid {state.pid})", f"kill -TERM {state.pid}; {wait}")


@dataclass(frozen=True)
class EarlierGatewaysStopped:
    """No gateway of an earlier Beachhead runs: a Python process, known by its pid file `run/gateway-*.pid`."""

    root: str

    @property
    def name(self) -> str:
        """For a person."""
        return "no earlier gateway"

    def plan(self, host: Host) -> Iterator[Step]:
        """Stop each one that still runs."""
        found = host.run(f"ls -1 {quote(self.root)}/run/gateway*.pid 2>/dev/null || true").check()
        for file in lines(found.stdout):
            if look(host, ProcessFact(file)).running:
                yield from Stopped("an earlier gateway", file).plan(host)
