"""The report of one run, for the person who decides: one HTML file that needs nothing else, and the same in Markdown.

Nothing is judged here.  Every text that comes from outside is escaped where it is printed.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from assumptions._core import Evidence, Outcome
from assumptions._ledger import write_whole
from assumptions._tables import TablesResult
from assumptions._verdict import Decision, Verdict, blocks

TEMPLATES = Path(__file__).parent / "_templates"
CUT, WHOLE_RECORDS = 4_000, 60  # characters of one output, and raw records of one claim, that the page shows
OUTCOMES = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)
MEANING = {
    Decision.GO: "Every claim that could stop this deployment was judged once, and each one holds or does not apply.",
    Decision.NO_GO: "At least one claim that this deployment depends on was judged and does not hold.",
    Decision.UNKNOWN: "Something that this deployment depends on could not be found out. Unknown is not a yes.",
    Decision.HOLDS: "Only a part of the claims was judged. Nothing in that part stands in the way; this is not a GO.",
}
REHEARSED = (
    "Everything that this machine can judge was judged once and holds. No GPU was seen: this is no GO for hardware."
)
DISAGREE = "Open the Data Docs, see which rows disagree, mend their cause and run again."
UNTOLD = "Run the flow again. A GO needs exactly one record of every expected claim, and tables that agree."


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage of the flow: how it ended, in one word, and how long it took."""

    name: str
    outcome: str
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known about the run itself.  `changes` is what it changed on hosts, and empty when nothing was."""

    run_id: str
    inventory_name: str
    inventory_title: str
    kind: str  # rehearsal or production
    flow: str
    started_at: datetime
    ended_at: datetime
    product_commit: str
    model: str
    model_revision: str
    engine: str
    hosts: tuple[str, ...]
    proves: tuple[str, ...] = ()
    does_not_prove: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    stages: tuple[StageLine, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing between this run and a GO, and what to do about it."""

    kind: str  # FAIL or UNKNOWN
    what: str
    title: str
    because: str
    remedy: str
    anchor: str = ""


def render(
    run: RunFacts,
    verdict: Verdict,
    evidence: Sequence[Evidence],
    tables: TablesResult,
    trail: Sequence[Mapping[str, Any]],
    folder: Path,
) -> tuple[Path, Path]:
    """Write `folder`/report.md and `folder`/report.html, and give both paths in that order."""
    docs = tables.data_docs
    view = {
        "run": run,
        "verdict": verdict,
        "word": word(verdict.decision, run.kind),
        "meaning": meaning(verdict.decision, run.kind),
        "records": [(f"claim-{n}", each) for n, each in enumerate(evidence, start=1)],
        "obstacles": obstacles(verdict, evidence),
        "advisory": [(f"claim-{n}", each) for n, each in enumerate(evidence, start=1) if not blocks(each)],
        "counts": [(outcome, verdict.counts.get(str(outcome), 0)) for outcome in OUTCOMES],
        "tables": tables,
        "docs": docs.relative_to(folder).as_posix() if docs and docs.is_relative_to(folder) else docs,
        "trail": {str(each.get("id")): each for each in trail},
        "bars": _bars(run.stages),
        "whole_records": WHOLE_RECORDS,
    }
    paths = folder / "report.md", folder / "report.html"
    for path, environment in zip(paths, (_markdown(), _html()), strict=True):
        write_whole(path, environment.get_template(path.name + ".j2").render(view))
    return paths


def obstacles(verdict: Verdict, evidence: Sequence[Evidence]) -> list[Obstacle]:
    """Failed claims first, then what could not be found out, then what has no record of its own."""
    found, told = [], set()
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN):
        for n, e in enumerate(evidence, start=1):
            if blocks(e) and e.finding.outcome is outcome:
                told.add(f"{e.claim} ({e.stage}): {e.finding.because}")
                what = f"{e.claim} ({e.stage})"
                found.append(Obstacle(str(outcome), what, e.states, e.finding.because, e.remedy, f"claim-{n}"))
    unjudged = [line for line in verdict.unresolved if line.endswith(": not judged")]
    if len(unjudged) > 1:
        names = ", ".join(line.removesuffix(": not judged") for line in unjudged)
        told.update(unjudged)
        what = f"{len(unjudged)} claims were not judged"
        found.append(Obstacle(str(Outcome.UNKNOWN), what, what, names, UNTOLD))
    for line in (*verdict.blocking, *verdict.unresolved):
        if line not in told:
            what, _, because = line.partition(": ")
            remedy = DISAGREE if what == "evidence tables" else UNTOLD
            found.append(Obstacle(str(Outcome.UNKNOWN), what, what, because or what, remedy))
    return found


def word(decision: Decision, kind: str) -> str:
    """The decision as it is headed: a rehearsal's GO must not be taken for one about hardware."""
    return f"{decision} (rehearsal)" if kind == "rehearsal" else str(decision)


def meaning(decision: Decision, kind: str) -> str:
    """What the decision says, in a sentence."""
    if kind == "rehearsal" and decision is Decision.GO:
        return REHEARSED
    return MEANING[decision]


def summary_lines(verdict: Verdict, evidence: Sequence[Evidence], kind: str = "production") -> list[str]:
    """The verdict for a terminal: plain text, no line over 100 columns.  Print it with markup off."""
    found = obstacles(verdict, evidence)
    remedies = {each.anchor: each.remedy for each in found if each.anchor}
    lines = _wrap(f"{word(verdict.decision, kind)}  {textwrap.shorten(verdict.because, 180, placeholder=' …')}")
    lines += [
        *_wrap(f"{meaning(verdict.decision, kind)}  Scope: {verdict.scope}."),
        *([""] if evidence or found else []),
    ]
    for n, e in enumerate(evidence, start=1):
        mark = "" if blocks(e) else " [does not block]"
        lines += _wrap(f"{e.finding.outcome:<14} {e.claim} ({e.stage}){mark}: {e.finding.because}", indent=15)
        if f"claim-{n}" in remedies:
            lines += _wrap(" " * 15 + f"next: {remedies[f'claim-{n}']}", indent=21)
    for each in found:
        if not each.anchor:
            lines += _wrap(f"{each.kind:<14} {each.what}: {each.because}", indent=15)
            lines += _wrap(" " * 15 + f"next: {each.remedy}", indent=21)
    return lines


def _wrap(text: str, indent: int = 0) -> list[str]:
    return textwrap.wrap(clean(text), 100, subsequent_indent=" " * indent)


def clean(value: object) -> str:
    """Text without terminal sequences, control characters, or marks that turn the reading direction."""
    text = re.sub(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?", "", str(value))
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    return re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "\N{REPLACEMENT CHARACTER}", text
    )


def number(value: float | None) -> str:
    """A figure with up to six digits and thousands separators: 790,000 or 0.7912."""
    if value is None or not math.isfinite(value):
        return "none" if value is None else str(value)
    if value == int(value):
        return f"{int(value):,}"
    places = min(9, max(0, 5 - math.floor(math.log10(abs(value)))))
    shown = f"{value:,.{places}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def duration(seconds: float) -> str:
    """Seconds for a reader: 0.42 s, 12 s, 3 min 12 s, 1 h 04 min."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def when(value: datetime | str) -> str:
    """A time in UTC to the second; text that is no time stays as it is."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at.tzinfo else str(value)
    except (ValueError, OverflowError):
        return str(value)


def link(address: object) -> str:
    """The address when it is http, https or a path beside the report; else nothing."""
    text = clean(address).strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    near = re.fullmatch(r"[\w.@+-][\w./@+-]*", text)
    return text if near or (parts.scheme in ("http", "https") and parts.netloc) else ""


def cut(value: object, record: str) -> str:
    """At most CUT characters of one raw output; the rest is named, with the place where the whole lies."""
    text = clean(value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False, default=str))
    if len(text) <= CUT:
        return text
    return f"{text[:CUT]}\n… cut: {CUT:,} of {len(text):,} characters; the whole lies in raw/trail.jsonl, id {record}"


def escape_markdown(value: object) -> str:
    """One line of Markdown that reads as the text itself: no HTML, links, emphasis, headings, lists or table cells."""
    if isinstance(value, Markup):
        return str(value)
    text = " ".join(clean(value).split())
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)
    text = re.sub(r"<(?=[A-Za-z!/?])", "&lt;", text)
    text = re.sub(r"([\\`*\[\]|~])", r"\\\1", text)
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
    return re.sub(r"^(#+\s|>(?!=)|[+-]\s|-{3,}|={2,}|\d+(?=[.)]\s))", _guard, text + " ").rstrip()


def _guard(start: re.Match[str]) -> str:
    """A backslash before the mark that would begin a heading, a quote or a list."""
    return start[0] + "\\" if start[0].isdigit() else "\\" + start[0]


def _bars(stages: Sequence[StageLine]) -> list[tuple[StageLine, float, float]]:
    """Each stage with its start and width in per cent of the whole."""
    total = sum(stage.seconds for stage in stages) or 1.0
    out, start = [], 0.0
    for stage in stages:
        width = 100 * stage.seconds / total
        out.append((stage, round(min(start, 99.4), 2), round(max(width, 0.6), 2) if stage.seconds else 0.0))
        start += width
    return out


def _html() -> Environment:
    return _environment(Environment(autoescape=True, finalize=_tidy, **_common()))


def _markdown() -> Environment:
    return _environment(Environment(autoescape=False, finalize=escape_markdown, **_common()))  # noqa: S701


def _common() -> dict[str, Any]:
    loader = FileSystemLoader(TEMPLATES)
    return {"loader": loader, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}


def _environment(environment: Environment) -> Environment:
    environment.filters |= {"number": number, "duration": duration, "when": when, "link": link, "cut": cut}
    environment.globals["css"] = Markup((TEMPLATES / "report.css").read_text("utf-8"))  # noqa: S704 - our own file
    return environment


def _tidy(value: Any) -> Any:
    return value if isinstance(value, Markup) else clean(value)
