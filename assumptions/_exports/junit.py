"""JUnit XML, for a build server: a suite a stage, a case a claim.

A FAIL is a failure, an UNKNOWN an error (it is no pass), a claim that does not apply is skipped.  JUnit knows no
advice: advisory claims are skipped with their outcome in the message, so that they fail no build.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from assumptions._core import Evidence, Outcome, Stage
from assumptions._exports.base import Exported
from assumptions._verdict import blocks

ELEMENT = {Outcome.FAIL: "failure", Outcome.UNKNOWN: "error", Outcome.NOT_APPLICABLE: "skipped"}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def export(run: Exported) -> str:
    """The document, with counts and seconds."""
    root = Element("testsuites", {"name": f"{run.inventory} {run.run}: {run.decision}", **_counts(run.records)})
    for stage in Stage:
        records = tuple(record for record in run.records if record.stage is stage)
        if records:
            began = min(record.started_at for record in records)
            suite = SubElement(
                root,
                "testsuite",
                {"name": str(stage), "timestamp": began.strftime("%Y-%m-%dT%H:%M:%S"), **_counts(records)},
            )
            for record in records:
                _case(suite, record)
    indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + tostring(root, encoding="unicode") + "\n"


def _case(suite: Element, record: Evidence) -> None:
    finding = record.finding
    about = {"classname": f"beachhead.{record.stage}", "name": record.claim, "time": f"{record.seconds:.3f}"}
    case = SubElement(suite, "testcase", about)
    element = _element(record)
    if element:
        told = {"message": _xml(f"{finding.outcome}: {finding.because}")}
        if element != "skipped":
            told["type"] = str(finding.outcome)
        inside = SubElement(case, element, told)
        inside.text = _xml(f"{record.states}\nexpected: {finding.expected}\nmeasured: {finding.measured}")


def _element(record: Evidence) -> str:
    element = ELEMENT.get(record.finding.outcome, "")
    return "skipped" if element and not blocks(record) else element


def _counts(records: tuple[Evidence, ...]) -> dict[str, str]:
    elements = [_element(record) for record in records]
    return {
        "tests": str(len(elements)),
        "failures": str(elements.count("failure")),
        "errors": str(elements.count("error")),
        "skipped": str(elements.count("skipped")),
        "time": f"{sum(record.seconds for record in records):.3f}",
    }


def _xml(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
