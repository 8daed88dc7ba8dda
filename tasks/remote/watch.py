"""Runs on the host for as long as the host does: the live engine answers, or it is started anew, or it stays down.

Argument: a JSON file, see `Watch` in tasks/operations/watch.py.  It follows `state/slots.json`, keeps what it knows in
`state/watch.json`, and appends what happens to `state/watch-events.jsonl`.  Python 3.9 and later, nothing else.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.remote import watch_host as host
from tasks.remote import watch_rules as rules
from tasks.remote.watch_notes import Notes, Slot
from tasks.remote.watch_probe import Http, health, probe
from tasks.remote.watch_rules import Decision, Limits, Seen, State, decide

WORD_S = 60.0  # for one of the runtime's commands
GONE_S = 30.0  # from the kill until the port is free
LOADING_S = 2.0  # between two looks at an engine that starts
SLICE_S = 0.5


class Watchdog:
    """One host's watchdog."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.root, self.notes = config, Path(config["root"]), Notes(config)
        self.limits = Limits(**config["limits"])
        self.live, self.state = self.notes.remembered()
        self.words: dict[str, Any] = {}
        self.tries: dict[str, list[float]] = {}
        self.stuck_logs: set[Path] = set()

    def follow(self) -> str:
        """Read what is live; gives why nothing may be done now, or nothing."""
        file = self.root / "state/slots.json"
        slots = host.read_json(file)
        if not isinstance(slots, dict) and file.exists():
            return "state/slots.json can't be read"
        live: Slot = (slots or {}).get("live")
        if live != self.live:
            self.live, self.state = live, State(since=host.uptime())
            self.notes.tell("follows", live)
        self.words = self._words(live)
        if not live:
            return "nothing is live"
        if not self.words:
            return f"no commands for release {live['release']} at port {live['port']}"
        if run := self._working():
            return f"run {run} works on this host"
        rival = (slots or {}).get("candidate")
        if rival and self.config["in_place"] and self._alive(self._words(rival)):
            return f"the candidate {rival['release']} has the host"
        return ""

    def _working(self) -> str:
        return host.lease_holder(self.root, self.notes.boot, host.uptime())

    def _words(self, slot: Slot) -> dict[str, Any]:
        if not slot:
            return {}
        return host.read_json(self.root / f"releases/{slot['release']}/watch-{slot['port']}.json") or {}

    def _alive(self, words: dict[str, Any]) -> bool:
        return bool(words) and host.shell(words["alive"], WORD_S)[0] == 0

    def look(self) -> Seen:
        """Is its process there, and does it answer?"""
        hold = self.follow()
        if not self.live or not self.words:
            return Seen(rules.UNCLEAR, hold, hold)
        if not self._alive(self.words):
            return Seen(rules.GONE, "its process is gone", hold)
        engine = Http(self.live["port"], self.notes.key)
        return replace(probe(engine, self.config["deadline_s"], self.words["extra"]), hold=hold)

    def round(self) -> None:
        """One look, one decision, one act."""
        if self.notes.asked_to_reset():
            self.notes.reset_done()
            self.state = rules.reset(self.state, host.uptime())
            self.notes.tell("reset", self.live, why="a person asked for it")
        self.companions()
        seen = self.look()
        if not seen.hold:
            self._cut_log()
        limits = replace(self.limits, start_budget_s=self.words.get("start_budget_s", self.limits.start_budget_s))
        decision = decide(limits, self.state, seen, host.uptime())
        if decision.action:
            self.act(decision)
            return
        self._note(decision)

    def _note(self, decision: Decision, evidence: dict[str, Any] | None = None) -> None:
        self.state = decision.state
        self.notes.save(self.live, self.state)
        for event in decision.events:
            more = evidence if evidence and event["event"] in ("restart", "opened") else {}
            self.notes.tell(**event, **more, live=self.live)

    def act(self, decision: Decision) -> None:
        """Under the lease's lock, so that no run begins meanwhile; nothing where one has begun since the look.

        It is counted before it is done: a watchdog that dies here has not forgotten the start.
        """
        evidence, before = self.evidence(), self.live
        with host.locked(self.root / "lease.lock", 5) as ours:
            if not ours or self.follow() or self.live != before:
                return
            self._note(decision, evidence)
            host.shell(self.words["kill"], WORD_S)
            self._wait_gone()
            if decision.action == rules.RESTART:
                status, said = host.shell(self.words["start"], WORD_S)
                if status != 0:
                    self.notes.tell("start failed", before, status=status, why=said)

    @property
    def port(self) -> int:
        """The live engine's."""
        return int(self.live["port"]) if self.live else 0

    def evidence(self) -> dict[str, Any]:
        """What stood there before it was killed."""
        log = self.words.get("log", "")
        return {
            "health": health(Http(self.port, self.notes.key)),
            "processes": host.processes(self.port),
            "log": host.shell(log, 10)[1] if log else "",
        }

    def _wait_gone(self) -> None:
        end = time.monotonic() + GONE_S
        while self._alive(self.words) or host.listener(self.port):
            if time.monotonic() > end:
                self.notes.tell("not gone", self.live, why=f"killed, and still there after {GONE_S:g} s")
                return
            time.sleep(0.2)

    def companions(self) -> None:
        """What must run beside the engine, as the gateway: started where it is gone, but not for ever."""
        now = host.uptime()
        for each in self.config["companions"]:
            tries = self.tries[each["name"]] = [
                at for at in self.tries.get(each["name"], ()) if now - at < self.limits.within_s
            ]
            if self._working():
                continue
            if len(tries) < self.limits.restarts and not self._alive(each):
                tries.append(now)
                status, said = host.shell(each["start"], WORD_S)
                self.notes.tell(f"{each['name']} {'started' if status == 0 else 'did not start'}", why=said)
            self._turn_log(each)

    def _turn_log(self, companion: dict[str, Any]) -> None:
        """A log that has grown is set aside and begun anew; where it can't be begun, it goes on under its own name."""
        log = Path(companion.get("log") or "")
        try:
            if not log.name or not host.set_aside(log, host.LOG_BYTES, host.LOGS_KEPT):
                return
            status, said = host.shell(companion["reopen"], WORD_S)
            if status != 0:
                log.with_name(f"{log.name}.1").replace(log)
        except OSError as error:
            status, said = 1, str(error)
        self._tell_of(log, f"{companion['name']} log", "begun anew", None if status == 0 else said)

    def _cut_log(self) -> None:
        """The engine's log, which it goes on writing to."""
        log = Path(self.words.get("grows") or "")
        try:
            if not log.name or not host.cut_short(log, host.LOG_BYTES, host.LOG_HEAD_BYTES):
                return
            why = None
        except OSError as error:
            why = str(error)
        self._tell_of(log, "engine log", "cut short", why, self.live)

    def _tell_of(self, log: Path, name: str, done: str, why_not: str | None, live: Slot = None) -> None:
        """What was done with a log; why it was not is told once, until it is done."""
        if why_not is None:
            self.stuck_logs.discard(log)
            self.notes.tell(f"{name} {done}", live)
        elif log not in self.stuck_logs:
            self.stuck_logs.add(log)
            self.notes.tell(f"{name} not {done}", live, why=why_not)

    def wait(self) -> None:
        """Until the next round; shorter while the engine loads, and at once where a reset is asked for."""
        loading = self.state.phase == rules.STARTING and not self.state.breaker
        pause = min(LOADING_S, self.config["every_s"]) if loading else self.config["every_s"]
        end = time.monotonic() + pause
        while time.monotonic() < end and not self.notes.asked_to_reset():
            time.sleep(min(SLICE_S, max(0.0, end - time.monotonic())))


def main(config: dict[str, Any]) -> None:
    """Watch until told to stop; one watchdog for each root."""
    root = Path(config["root"])
    with host.locked(root / "run/watch.lock", 10) as ours:
        if not ours:
            raise SystemExit("another watchdog watches this root")
        watchdog = Watchdog(config)
        host.replace_text(root / "run/watch.pid", f"{os.getpid()} {host.stat_of(os.getpid())[20]}\n")
        watchdog.notes.tell("watching", watchdog.live, mark=config["mark"])
        watchdog.notes.save(watchdog.live, watchdog.state)
        while True:
            watchdog.round()
            watchdog.wait()


if __name__ == "__main__":
    main(host.read_json(Path(sys.argv[1])))
