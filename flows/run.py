"""One run: a locked inventory, a folder for its evidence, and a report at the end, however it ends.

Nothing here knows Prefect: a claim that is judged from the command line goes the same way.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from assumptions._conclusion import Header
from assumptions._core import Evidence, Outcome, Stage
from assumptions._judge import judge
from assumptions._ledger import Ledger, write_json
from assumptions._registry import Claim, keys
from assumptions._report import StageLine, render
from assumptions._tables import TablesResult, check_tables
from assumptions._vendor_pack import packed
from assumptions._verdict import Decision, Key, Verdict, decide
from assumptions._waivers import Waiver, waivers
from flows.plan_sheet import PlanSheet, sheet
from flows.plan_view import view
from flows.run_facts import facts_of
from flows.run_lock import lock
from flows.run_record import conclude, declare, found_on
from inventories.errors import Problem
from inventories.load import load, overridden
from inventories.schema import Inventory
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.simulated import SimulatedFact
from tasks.hosts import now
from tasks.narration import say, ticking
from tasks.runtimes.base import runtime
from tasks.service_gaps import ServiceWatch
from tasks.site import Site


class GateClosed(Exception):
    """A gate found no open verdict; the run ends here, with its report."""

    def __init__(self, stage: str, verdict: Verdict) -> None:
        super().__init__(f"{verdict.decision} at {stage}: {verdict.because}")
        self.stage, self.verdict = stage, verdict


class NotApproved(Exception):
    """The person who was asked said no, or nobody answered in time."""


folders: list[Path] = []  # of the runs that this process opened, newest last


def evidence_root() -> Path:
    """Where runs leave their evidence: $BEACHHEAD_EVIDENCE, else evidence/ in the working folder."""
    return Path(os.environ.get("BEACHHEAD_EVIDENCE") or "evidence").absolute()


def new_run_id() -> str:
    """Time in UTC, then four hex digits: sorts by age, and two at once differ."""
    return f"{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


@dataclass
class Run:
    """What one flow did and found.  `expected` is what it was to judge; `whole` that it is every claim there is."""

    flow: str
    inventory: Inventory
    site: Site
    expected: tuple[Key, ...] = ()
    whole: bool = False
    stages: list[StageLine] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None
    started_at: Any = field(default_factory=now)
    stopped: str = ""
    problem: Problem | None = None  # the fault that stopped it
    promoted: bool = False  # this run changed what is live
    touched: bool = False  # this run staged something
    sheet: PlanSheet | None = None  # what a plan shows beside its verdict
    png: bool = True  # write the report's pictures as files too
    scripted: dict[str, str] = field(default_factory=dict)  # hosts whose hardware is simulated, and what is
    unsure: set[str] = field(default_factory=set)  # hosts of which that could not be found out
    service: ServiceWatch | None = None  # while releases change: whether somebody is served
    waivers: tuple[Waiver, ...] = ()  # failures that somebody accepted
    environments: dict[Stage, dict[str, str]] = field(default_factory=dict)  # as found, at the stage's first look
    _header: Header | None = None
    _tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        """The run's evidence."""
        return self.site.folder

    @property
    def ledger(self) -> Ledger:
        """The run's records."""
        return Ledger(self.folder)

    def expect(self, stages: Sequence[Stage]) -> None:
        """Declare before looking what is to be judged."""
        self.expected = keys(stages)
        self.whole = set(stages) == set(Stage)
        if Stage.PLAN in stages:
            self.sheet = sheet(self.inventory)
            write_json(self.folder / "plan.json", self.site.redactor.tree(self.sheet.to_json()))

    def declare(self) -> Header:
        """Once, before the first look: what is to be judged, and by what."""
        self._header = self._header or declare(self)
        return self._header

    def judge(self, one: Claim, stage: Stage) -> Evidence:
        """Judge one claim and write its record."""
        self.declare()
        tell = say if stage is not Stage.PLAN else _nothing  # a plan is arithmetic: its answer comes at once
        with ticking(f"{stage}: judging {one.id}"):
            if stage is not Stage.PLAN:
                self.ask_whether_simulated()
            judged = judge(self.site, one, stage)
            said = "; ".join(f"{host}: {what}" for host, what in self.scripted.items())
            evidence = packed(self.site, replace(judged.evidence, simulated=said))
            evidence = found_on(self, one, stage, evidence)
        self.ledger.append(evidence)
        if evidence.finding.outcome is not Outcome.NOT_APPLICABLE:  # the end of the run lists those
            tell(f"{stage}: {one.id}: {evidence.finding.outcome} in {evidence.seconds:.1f} s")
        for name, rows in judged.tables.items():
            self._tables.setdefault(name, []).extend(rows)
        return evidence

    def ask_whether_simulated(self) -> None:
        """Once a host: a run on scripted hardware is marked as one, and never ends in GO."""
        for spec in self.site.specs:
            if spec.name in self._asked:
                continue
            self._asked.add(spec.name)
            try:
                what = look(self.site.host(spec.name), SimulatedFact())
            except Problem:
                self.unsure.add(spec.name)
                continue
            if what is not None:
                self.scripted[spec.name] = self.site.redactor.text(" | ".join(what.splitlines()))

    def so_far(self, stage: Stage) -> Verdict:
        """The verdict over one stage's claims."""
        due = tuple(key for key in self.expected if key[1] is stage)
        records = [record for record in self.ledger.read() if record.stage is stage]
        if not due:
            return Verdict(Decision.HOLDS, f"no claim is judged at {stage}", f"stage {stage}", {})
        simulated = tuple(self.scripted)
        scope = f"stage {stage}"
        return decide(due, records, whole=False, scope=scope, simulated=simulated, waivers=self.waivers)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """A line of the report's timetable, however the stage ends."""
        began, outcome, note = time.monotonic(), "stopped", ""
        say(name)
        try:
            yield
            outcome = "ok"
        except GateClosed as gate:
            outcome, note = str(gate.verdict.decision), gate.verdict.because
            raise
        except (Problem, NotApproved) as error:
            note = error.what if isinstance(error, Problem) else str(error)
            raise
        finally:
            self.stages.append(StageLine(name, outcome, time.monotonic() - began, self.site.redactor.text(note)))

    def finish(self) -> Verdict:
        """Check the tables, decide, write run.json and the report."""
        self._end_service_watch()
        header = self.declare()
        records, trail = self.ledger.read(), self.site.trail.read()
        tables = self._check(records, trail)
        self.verdict = conclude(self, header, tables.ok)
        facts = facts_of(self)
        problem = {k: getattr(self.problem, k) for k in ("what", "where", "fix")} if self.problem else None
        summary = {"verdict": asdict(self.verdict), "problem": self.site.redactor.tree(problem), **asdict(facts)}
        write_json(self.folder / "run.json", summary)
        plan = view(self.inventory, self.sheet) if self.sheet else None
        render(facts, self.verdict, records, tables, trail, self.folder, plan, png=self.png)
        return self.verdict

    def watch_service(self) -> None:
        """From here to the run's end a token a second is asked for at the gateway."""
        if self.service is None:
            self.service = ServiceWatch(self.site)
            self.service.start()

    def _end_service_watch(self) -> None:
        if self.service is not None:
            self.links["service"] = str(self.service.stop())
            say(f"service: {self.links['service']}")

    def _check(self, records: Sequence[Evidence], trail: Sequence[dict[str, Any]]) -> TablesResult:
        owner = {record_id: record.claim for record in records for record_id in record.trail}
        columns = ("id", "method", "status", "seconds", "purpose", "expected_status")
        asked = [
            {**{name: entry.get(name) for name in columns}, "claim": owner[entry["id"]], "path": _path(entry["url"])}
            for entry in trail
            if entry["kind"] == "request" and entry["id"] in owner and entry.get("purpose")
        ]
        rows = {**self._tables, **({"requests": asked} if asked else {})}
        if not any(rows.values()):
            return TablesResult(ok=True)
        import pandas as pd  # here, because it takes a second and most commands need no table

        return check_tables({name: pd.DataFrame(each) for name, each in rows.items() if each}, self.folder)


def _nothing(text: str) -> None:
    """Said to nobody."""


def _path(url: str) -> str:
    return "/" + url.split("://", 1)[-1].partition("/")[2]


@contextmanager
def opened(name: str, flow: str, *, context: int | None = None) -> Iterator[Run]:
    """A run of `flow` on the inventory called `name`; its report is written however the block ends.

    GateClosed, NotApproved and Problem end the block quietly: the run's verdict says so, and `run.problem` holds
    the fault, for the caller to raise once the report is written.
    """
    inventory = overridden(load(name), context_tokens=context)
    engine(inventory.engine.kind).check(inventory)
    runtime(inventory).check(inventory)
    accepted = waivers(inventory.name, now().date())
    run_id = new_run_id()
    held = lock(inventory, run_id)
    site = Site(inventory, evidence_root() / inventory.name / run_id, run_id=run_id)
    run = Run(flow, inventory, site, waivers=accepted)
    folders.append(run.folder)
    write_json(run.folder / "inventory.json", inventory.model_dump(mode="json"))
    try:
        yield run
    except (GateClosed, NotApproved) as error:
        run.stopped = str(error)
    except Problem as problem:
        run.stopped, run.problem = site.redactor.text(problem.what), problem
    except BaseException as error:
        run.stopped = f"{type(error).__name__}: {error}"
        raise
    finally:
        try:
            run.finish()
        finally:
            site.close()
            held.close()
