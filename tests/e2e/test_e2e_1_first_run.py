"""From nothing to live through Prefect, and what such a run leaves; a second run finds nothing to do."""

import http.client
import json
from collections import Counter

import httpx
import pytest

from assumptions._registry import keys
from tests.e2e.children import until
from tests.e2e.proving_ground import HOST, NAME, ProvingGround

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]


def test_the_first_run_ends_in_go_with_all_its_evidence(ground: ProvingGround) -> None:
    run = ground.flow_run(ground.first)
    assert (run["state_type"], run["state_name"]) == ("COMPLETED", "GO"), run["state"]
    folder = ground.newest_run()
    facts = json.loads((folder / "run.json").read_text())
    assert facts["verdict"]["decision"] == "GO"
    assert facts["links"]["approved"].startswith("unattended")
    assert folder.name in run["state"]["message"]
    page = (folder / "report.html").read_text()
    assert "GO" in page
    assert list((folder / "data_docs").rglob("index.html"))
    lines = [json.loads(line) for line in (folder / "evidence.jsonl").read_text().splitlines()]
    records = [line for line in lines if line["record"] == "claim"]
    judged = Counter((record["claim"], record["stage"]) for record in records)
    assert judged == Counter((claim, str(stage)) for claim, stage in keys())
    trail = {json.loads(line)["id"] for line in (folder / "raw" / "trail.jsonl").read_text().splitlines()}
    assert all(set(record["trail"]) <= trail for record in records)
    looked = [r for r in records if r["stage"] != "plan" and r["finding"]["outcome"] != "NOT_APPLICABLE"]
    assert {record["claim"] for record in looked if not record["trail"]} <= {"model-quality"}  # no results are declared
    assert looked


def test_the_host_serves_the_release_and_nothing_else(ground: ProvingGround) -> None:
    slots = ground.slots()
    assert slots["live"] is not None
    assert slots["candidate"] is slots["previous"] is None
    assert len(ground.engines()) == 1
    assert ground.engine(slots["live"])


def test_prefect_shows_the_run_as_a_person_would_tell_it(ground: ProvingGround) -> None:
    wanted = {f"{HOST}: prepare", f"{HOST}: stage the release", f"{HOST}: promote", f"{HOST}: fetch tiny-k2"}
    wanted |= {f"{stage}: judge {claim}" for claim, stage in keys()}
    of_run = {"flow_runs": {"id": {"any_": [ground.first]}}, "limit": 200}

    def all_there() -> set[str] | None:
        names = {task["name"] for task in ground.post("/task_runs/filter", of_run)}
        return names if wanted <= names else None

    until(f"task runs {sorted(wanted)}", all_there, seconds=60)
    tasks = ground.post("/task_runs/filter", of_run)
    assert {task["state_type"] for task in tasks} == {"COMPLETED"}
    logs = ground.post("/logs/filter", {"logs": {"flow_run_id": {"any_": [ground.first]}}, "limit": 200})
    assert any(": PASS in " in line["message"] for line in logs)


def test_prefect_keeps_a_table_for_each_stage_the_report_and_its_page(ground: ProvingGround) -> None:
    filters = {"artifacts": {"flow_run_id": {"any_": [ground.first]}}, "limit": 200}
    kept = {artifact["key"]: artifact for artifact in ground.post("/artifacts/filter", filters)}
    for stage in ("plan", "host", "weights", "staging", "live"):
        table = kept[f"{NAME}-judge-{stage}"]
        assert table["type"] == "table"
        rows = json.loads(table["data"]) if isinstance(table["data"], str) else table["data"]
        due = sorted(claim for claim, at in keys() if at == stage)
        assert sorted(row["claim"] for row in rows) == (due or ["none is judged here"])
    assert "GO" in kept[f"{NAME}-report"]["data"]
    address = kept[f"{NAME}-report-page"]["data"].partition("](")[2].rstrip(")")
    page = httpx.get(address, trust_env=False, timeout=30)
    assert page.status_code == 200, address
    assert page.text == (ground.newest_run() / "report.html").read_text()


def _status(ground: ProvingGround, method: str, path: str, *, key: bool = False) -> int:
    asked = http.client.HTTPSConnection("127.0.0.1", ground.live_port, timeout=60, context=ground.trust())
    body = json.dumps({"model": "tiny-k2", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4})
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {ground.key()}"} if key else {})
    asked.request(method, path, body=body if method == "POST" else None, headers=headers)
    with asked.getresponse() as answer:
        answer.read()
    asked.close()
    return answer.status


def test_the_gateway_wants_a_key_and_keeps_the_engine_s_other_routes_shut(ground: ProvingGround) -> None:
    assert _status(ground, "POST", "/v1/chat/completions") == 401
    assert _status(ground, "POST", "/v1/chat/completions", key=True) == 200
    for method, path in (("POST", "/invocations"), ("GET", "/metrics"), ("POST", "/tokenize"), ("GET", "/docs")):
        assert _status(ground, method, path) == 401, path
        assert _status(ground, method, path, key=True) == 404, path
    with ground.client() as client:
        whole = client.chat("Say one sentence.", max_tokens=512, temperature=0)
        streamed = client.stream("Say one sentence.", max_tokens=512, temperature=0)
    assert whole.content
    assert (streamed.content, streamed.thinking) == (whole.content, whole.thinking)
    assert streamed.chunks > 2


def test_a_second_run_changes_nothing(ground: ProvingGround) -> None:
    journal, slots = ground.journal(), ground.slots()
    engine = ground.engine(slots["live"])
    done = ground.beachhead("provision", NAME, "--yes", "--json")
    assert done.code == 0, done
    assert (done.told["decision"], done.told["changes"], done.told["problem"]) == ("GO", [], None)
    assert Counter((c["claim"], c["stage"]) for c in done.told["claims"]) == Counter((c, str(s)) for c, s in keys())
    assert ground.journal() == journal
    assert ground.slots() == slots
    assert ground.engine(slots["live"]) == engine is not None
