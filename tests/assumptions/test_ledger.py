"""The ledger gives back exactly what it was given, and never hides a line that broke."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assumptions._core import Evidence, Finding, Outcome, Part, Provenance, Severity, Stage
from assumptions._ledger import Ledger, LedgerBroken, write_json
from tasks import chain
from tasks.redaction import MASK

T = datetime(2026, 11, 22, 14, 3, 9, 123456, tzinfo=UTC)
PART = Part("weights", Outcome.PASS, "from the headers", "<= 72.9 GiB", "71.2 GiB")
FINDING = Finding(
    Outcome.FAIL, "too big", "<= 1", "2", "1", "guide §3", Provenance.MODELLED, 2.5, "GiB", (PART,), ("n",)
)
WHERE = ("node-a", "vllm 0.32.0", "tiny@4f1c", "0.1.0 fab4e35")
RECORD = Evidence(
    *("memory_fits", 2, Stage.PLAN, Severity.BLOCKING, "§3", "It fits", "Order more", FINDING, T, 0.25, ("c-1", "r-2")),
    *WHERE,
    excused="accepted by the owner",
)


def test_a_record_comes_back_equal_with_its_types(tmp_path):
    ledger = Ledger(tmp_path / "run")
    ledger.append(RECORD)
    (back,) = ledger.read()
    assert back == RECORD
    assert type(back.stage) is Stage
    assert type(back.finding.parts[0].outcome) is Outcome
    assert back.started_at.tzinfo is UTC
    assert isinstance(back.trail, tuple)


texts = st.text(st.characters())  # lone surrogates too: they come from undecodable output
findings = st.builds(
    Finding,
    **dict.fromkeys(("because", "expected", "measured", "threshold", "threshold_source", "unit"), texts),
    outcome=st.sampled_from(Outcome),
    provenance=st.sampled_from(Provenance),
    value=st.none() | st.floats(allow_nan=False),
    parts=st.lists(st.builds(Part, texts, st.sampled_from(Outcome), texts, texts, texts), max_size=2).map(tuple),
    notes=st.lists(texts, max_size=2).map(tuple),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.tuples(findings, st.datetimes(timezones=st.timezones()), texts), max_size=4))
def test_any_records_come_back_equal_in_order(tmp_path, drawn):
    ledger = Ledger(tmp_path)
    ledger.path.unlink(missing_ok=True)
    records = [
        replace(RECORD, finding=f, started_at=at.astimezone(UTC), host=host)
        for f, at, host in drawn
        if timedelta(days=2) < at.replace(tzinfo=None) - datetime(1, 1, 1) < timedelta(days=3_652_000)
    ]
    for record in records:
        ledger.append(record)
    assert ledger.read() == records


def test_a_number_json_has_no_word_for_survives_and_the_file_stays_json(tmp_path):
    ledger = Ledger(tmp_path)
    for value in (math.inf, -math.inf, math.nan):
        ledger.append(replace(RECORD, finding=replace(FINDING, value=value)))
    for line in ledger.path.read_text().splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    up, down, nan = (e.finding.value for e in ledger.read())
    assert (up, down) == (math.inf, -math.inf)
    assert math.isnan(nan)


def test_times_are_written_in_utc(tmp_path):
    Ledger(tmp_path).append(replace(RECORD, started_at=T.astimezone(timezone(timedelta(hours=9)))))
    assert json.loads(Ledger(tmp_path).path.read_text())["started_at"] == "2026-11-22T14:03:09.123456+00:00"
    with pytest.raises(ValueError, match="time zone"):
        Ledger(tmp_path).append(replace(RECORD, started_at=T.replace(tzinfo=None)))


def test_a_second_record_of_a_claim_is_kept(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(RECORD)
    ledger.append(RECORD)
    assert ledger.read() == [RECORD, RECORD]


def test_a_ledger_nobody_wrote_is_empty(tmp_path):
    assert Ledger(tmp_path / "none").read() == []
    assert Ledger(tmp_path / "none").read_partial() == ([], None)


def test_every_torn_length_of_the_last_line_is_told(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(RECORD)
    whole = ledger.path.read_bytes()
    for kept in (1, 2, len(whole) // 2, len(whole) - 1):
        ledger.path.write_bytes(whole + whole[:kept])
        records, partial = ledger.read_partial()
        assert records == [RECORD]
        assert partial == whole[:kept].decode()
        with pytest.raises(LedgerBroken, match="torn"):
            ledger.read()
        with pytest.raises(LedgerBroken, match="torn"):
            ledger.append(RECORD)
        assert ledger.path.read_bytes() == whole + whole[:kept]


def test_zeros_that_a_file_system_left_behind_are_a_partial_record(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(RECORD)
    with ledger.path.open("ab") as file:
        file.write(b"\0" * 64 + b"\xff")
    records, partial = ledger.read_partial()
    assert records == [RECORD]
    assert partial is not None


def _changed(**fields) -> str:
    from assumptions._plain import plain as _plain

    return json.dumps({**_plain(RECORD), **fields})


@pytest.mark.parametrize(
    "line",
    [
        *("", "nonsense", "[]", "{}", "null", '"text"', "[" * 100_000),
        *(_changed(stage="moon"), _changed(seconds=True), _changed(seconds="0.2"), _changed(claim=None)),
        *(_changed(trail="c-1"), _changed(started_at="soon"), _changed(version=1.5), _changed(more="x")),
        _changed(finding={"outcome": "PASS"}),
    ],
)
def test_a_malformed_line_is_a_problem_with_its_number(tmp_path, line):
    ledger = Ledger(tmp_path)
    for _ in range(3):
        ledger.append(RECORD)
    lines = ledger.path.read_text().splitlines()
    lines[1] = line
    ledger.path.write_text("\n".join(lines) + "\n")
    for read in (ledger.read, ledger.read_partial):
        with pytest.raises(LedgerBroken, match="line 2 ") as met:
            read()
        assert met.value.where == f"{ledger.path}:2"


def test_what_was_appended_outlives_a_process_that_is_killed(tmp_path):
    code = (
        "import os, sys; sys.path.insert(0, os.getcwd());"
        "from pathlib import Path; from assumptions._ledger import Ledger;"
        "sys.path.insert(0, 'tests/assumptions'); from test_ledger import RECORD;"
        f"Ledger(Path({str(tmp_path)!r})).append(RECORD); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == -9, done.stderr
    assert Ledger(tmp_path).read() == [RECORD]


def test_appending_waits_for_the_disk(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.fstat(handle).st_ino), real(handle)))
    ledger = Ledger(tmp_path)
    ledger.append(RECORD)
    assert synced == [ledger.path.stat().st_ino, tmp_path.stat().st_ino]


def test_a_folder_that_cannot_be_written_is_a_problem_not_a_traceback(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerBroken) as met:
        Ledger(tmp_path / "file").append(RECORD)
    assert str(tmp_path) in met.value.where


def test_write_json_replaces_whole_files_and_leaves_no_part(tmp_path):
    path = tmp_path / "deep" / "run.json"
    write_json(path, {"at": T, "stage": Stage.HOST, "finding": FINDING, "path": Path("/x"), "inf": math.inf})
    said = json.loads(path.read_text())
    assert said["at"] == "2026-11-22T14:03:09.123456+00:00"
    assert (said["stage"], said["finding"]["parts"][0]["outcome"], said["path"]) == ("host", "PASS", "/x")
    assert said["inf"] == "inf"
    with pytest.raises(TypeError):
        write_json(path, {"bad": object()})
    assert json.loads(path.read_text()) == said
    assert [each.name for each in path.parent.iterdir()] == ["run.json"]


def test_the_lines_are_chained_and_each_change_is_named(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.write("header", {"format": 2, "run": "r"})
    for name in "abc":
        ledger.append(replace(RECORD, claim=name))
    ledger.write("end", {"verdict": {}})
    data = ledger.path.read_bytes()
    assert chain.breaks(data) == []
    assert [entry["seq"] for _, entry in ledger.lines(data)] == [0, 1, 2, 3, 4]
    assert (ledger.header()["run"], ledger.ending()["record"]) == ("r", "end")
    assert [record.claim for record in ledger.read()] == ["a", "b", "c"]
    changed = data.replace(b'"claim":"b"', b'"claim":"x"')
    assert {(each.line, each.field) for each in chain.breaks(changed)} == {(3, "claim"), (3, "sha256")}


def test_a_run_that_was_killed_reads_as_a_part(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.write("header", {"format": 2, "run": "r"})
    ledger.append(RECORD)
    assert ledger.ending() is None
    with ledger.path.open("ab") as file:
        file.write(b'{"record":"cl')
    assert ledger.ending() is None
    assert ledger.read_partial() == ([RECORD], '{"record":"cl')


def test_a_ledger_of_the_first_form_is_read(tmp_path):
    """Claims alone, without digests and without the fields that came later."""
    new = (
        "trail_sha256",
        "observation",
        "not_again",
        "fingerprint",
        "depends_on",
        "expires_at",
        "carried",
        "simulated",
    )
    from assumptions._plain import plain

    old = {key: value for key, value in plain(RECORD).items() if key not in new}
    old["finding"] = {key: value for key, value in old["finding"].items() if key not in ("samples", "interval")}
    Ledger(tmp_path).path.write_text(json.dumps(old) + "\n")
    assert Ledger(tmp_path).read() == [RECORD]
    assert Ledger(tmp_path).header() is None and Ledger(tmp_path).ending() is None


def test_a_ledger_of_a_later_form_is_refused_with_one_line(tmp_path):
    Ledger(tmp_path).write("header", {"format": 3})
    with pytest.raises(LedgerBroken, match="form 3"):
        Ledger(tmp_path).read()


def test_planted_secrets_reach_no_file_of_a_run(tmp_path, monkeypatch):
    """In a command, an output, an observation, a finding, a table, a reason, a fault: cut out in all of them."""
    from assumptions._core import Assumption
    from flows.run import opened
    from tests.recorded.replay import KEY

    secrets = ("pla!nted-secret-1", KEY, "hf_" + "aB3" * 10)

    def observe(site, stage) -> dict[str, str]:
        site.trail.record("command", command=f"echo {secrets[0]}", stdout=secrets[1] * 2_000, stderr=secrets[2])
        return {f"key {text}": text for text in secrets}

    def judged(seen, inventory):
        said = " ".join(seen.values())
        part = Part(said, Outcome.PASS, said, said, said)
        return Finding(Outcome.PASS, *(said,) * 5, Provenance.MEASURED_HERE, 1.0, said, (part,), (said,))

    stub = Assumption(
        "memory-fit",
        "§1",
        "It holds.",
        (Stage.PLAN,),
        Severity.BLOCKING,
        "Mend it.",
        1,
        observe,
        judged,
        tables=lambda seen: {"kv": [{"name": n, "predicted": 1, "measured": 1, "unit": t} for n, t in seen.items()]},
    )
    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path))
    with opened("a100x4", "plan") as run:
        for secret in secrets[:2]:
            run.site.redactor.add(secret)
        run.expected = (("memory-fit", Stage.PLAN),)
        record = run.judge(stub, Stage.PLAN)
        run.stopped = f"it stopped at {secrets[0]}"
    assert record.observation == {f"key {MASK}": MASK} and record.not_again == ""
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    assert {"evidence.jsonl", "run.json", "report.html", "trail.jsonl", "kv.csv"} <= {path.name for path in files}
    leaks = [(path.name, s) for path in files for s in secrets if s.encode() in path.read_bytes()]
    assert leaks == []
