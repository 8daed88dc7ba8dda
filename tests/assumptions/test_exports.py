"""Other tools' formats, held to their published rules; an UNKNOWN is a pass in none of them."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from assumptions._core import Evidence, Outcome, Severity, Stage
from assumptions._exports.base import Exported, exported, names
from assumptions._exports.ctrf import export as ctrf
from assumptions._exports.jsonl import export as jsonl
from assumptions._exports.junit import export as junit
from inventories.errors import BadInput
from tests.assumptions.test_ledger import FINDING, RECORD

COUNTS = ("tests", "failures", "errors", "skipped")


def record(outcome: Outcome, severity: Severity = Severity.BLOCKING, because: str = "x <&> \x00\x1b[1m é") -> Evidence:
    return replace(
        RECORD,
        claim=f"{outcome.lower()}-{severity}",
        severity=severity,
        excused="",
        stage=Stage.HOST,
        finding=replace(FINDING, outcome=outcome, because=because),
    )


RUN = Exported(
    "20261122T154846Z-d6b2",
    "a100x4",
    "beachhead 0.1.0 abc",
    "NO-GO",
    "it is",
    (*(record(outcome, severity) for outcome in Outcome for severity in Severity), RECORD),
)


def test_the_formats_are_the_listing_of_the_folder() -> None:
    assert names() == ["ctrf", "jsonl", "junit"]


def test_json_lines_are_flat_and_whole() -> None:
    lines = [json.loads(line) for line in jsonl(RUN).splitlines()]
    assert len(lines) == len(RUN.records) and "\n\n" not in jsonl(RUN)
    assert {line["outcome"] for line in lines} == {str(each) for each in Outcome}
    assert all(line["run"] == RUN.run and "observation" not in line and line["threshold"] for line in lines)


def test_junit_keeps_the_rules_that_its_readers_hold_it_to() -> None:
    """The rules of the Jenkins xunit plugin's junit-10.xsd, which the build servers' readers share."""
    root = ElementTree.fromstring(junit(RUN).encode())
    assert root.tag == "testsuites" and set(root.attrib) <= {"name", "time", *COUNTS}
    for suite in root:
        assert suite.tag == "testsuite" and {"name", "tests", "failures", "errors"} <= set(suite.attrib)
        assert set(suite.attrib) <= {"name", "time", "timestamp", *COUNTS}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        for case in suite:
            assert case.tag == "testcase" and set(case.attrib) == {"name", "classname", "time"}
            assert re.fullmatch(r"\d+\.\d{3}", case.attrib["time"])
            assert [each.tag for each in case] in ([], ["failure"], ["error"], ["skipped"])
            for each in case:
                assert set(each.attrib) == ({"message"} if each.tag == "skipped" else {"message", "type"})
        assert int(suite.attrib["tests"]) == len(suite)
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[count]) == len(suite.findall(f"testcase/{tag}"))
    for count in COUNTS:
        assert int(root.attrib[count]) == sum(int(suite.attrib[count]) for suite in root)


def test_junit_counts_an_unknown_as_an_error_and_advice_as_skipped() -> None:
    root = ElementTree.fromstring(junit(RUN).encode())
    tags = {case.attrib["name"]: [each.tag for each in case] for case in root.iter("testcase")}
    assert tags["unknown-blocking"] == ["error"] and tags["fail-blocking"] == ["failure"]
    assert tags["fail-advisory"] == tags["unknown-advisory"] == tags["not_applicable-blocking"] == ["skipped"]
    assert tags["pass-blocking"] == tags["pass-advisory"] == []


TEST = {"name": str, "status": str, "duration": int}
MORE = {
    "rawStatus": str,
    "start": int,
    "stop": int,
    "suite": list,
    "message": str,
    "tags": list,
    "extra": dict,
    "id": str,
    "trace": str,
    "labels": dict,
    "type": str,
    "filePath": str,
}
SUMMARY = ("tests", "passed", "failed", "skipped", "pending", "other", "start", "stop")


def test_ctrf_keeps_to_its_schema() -> None:
    """The rules of schema/ctrf.schema.json of ctrf-io/ctrf: required names, types, and no name beside the known."""
    report: dict[str, Any] = json.loads(ctrf(RUN))
    assert (report["reportFormat"], report["specVersion"]) == ("CTRF", "1.0.0")
    assert set(report) <= {"reportFormat", "specVersion", "reportId", "timestamp", "generatedBy", "extra", "results"}
    results = report["results"]
    assert {"tool", "summary", "tests"} <= set(results) <= {"tool", "summary", "tests", "environment", "extra"}
    assert results["tool"]["name"] and set(results["tool"]) <= {"name", "version", "extra"}
    summary = results["summary"]
    assert set(SUMMARY) <= set(summary) <= {*SUMMARY, "flaky", "suites", "duration", "extra"}
    assert all(type(summary[name]) is int for name in SUMMARY)
    statuses = [test["status"] for test in results["tests"]]
    assert summary["tests"] == len(statuses) == sum(summary[name] for name in SUMMARY[1:6])
    assert {status: statuses.count(status) for status in set(statuses)} == {s: summary[s] for s in set(statuses)}
    for test in results["tests"]:
        assert set(TEST) <= set(test) <= {*TEST, *MORE}
        assert all(type(test[name]) is kind for name, kind in (TEST | MORE).items() if name in test)
        assert test["name"] and test["suite"] and test["status"] in SUMMARY[1:6]
        assert (test["status"] == "passed") == (test["rawStatus"] == "PASS")


@pytest.mark.parametrize("form", ["ctrf", "jsonl", "junit"])
def test_a_real_run_and_a_part_of_it(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.plain import plan

    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path / "evidence"))
    folder = plan("a100x4").folder
    text = exported(folder, form)
    assert "memory-fit" in text and "NO-GO" in text
    lines = (folder / "evidence.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "evidence.jsonl").write_bytes(b"".join(lines[:-1]))
    assert "not ended" in exported(folder, form) and "NO-GO" not in exported(folder, form)


def test_an_unknown_format_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no format"):
        exported(tmp_path, "sarif")
