"""`beachhead reference record`: what it writes, what the claim makes of it, and that its key is nowhere."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assumptions._quality_compared import compared, per_token
from assumptions._quality_logprobs import scored
from assumptions._quality_reference import Reference, passages, passages_sha256, read
from flows.cli import main
from inventories.errors import BadInput
from serving.client import Client
from tasks.site import unrecorded
from tests.assumptions.scorer import Scorer, serving

KEY = "reference-key-0123456789"


def record(endpoint: str, *more: str, key: str = KEY) -> Result:
    arguments = ["reference", "record", "h200x8", "--endpoint", endpoint, "--key-env", "REFERENCE_KEY", *more]
    return CliRunner().invoke(main, arguments, env={"REFERENCE_KEY": key})


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, Scorer]:
    scorer, path = Scorer(), tmp_path_factory.mktemp("references") / "kimi.json"
    with serving(scorer) as address:
        done = record(address, "--repeat", "2", "--kind", "bf16", "--out", str(path), "--json")
    return path, done, scorer


def reference(path: Path) -> Reference:
    return read(path.read_bytes(), str(path))


def test_every_passage_is_scored_so_many_times(recorded: tuple[Path, Result, Scorer]) -> None:
    path, done, scorer = recorded
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["file"] == str(path)
    assert (told["passages"], told["repeats"], told["model"]) == (len(passages()), 2, "bf16")
    assert len(scorer.asked) == 2 * len(passages())
    assert {body["prompt"] for body in scorer.asked} == set(passages().values())
    assert all(body["echo"] and body["max_tokens"] == 0 and body["logprobs"] == 20 for body in scorer.asked)


def test_the_file_says_whose_answers_it_holds(recorded: tuple[Path, Result, Scorer]) -> None:
    about = reference(recorded[0]).about
    assert (about.model, about.endpoint_model, about.engine) == ("kimi-k2-thinking", "bf16", "version 0.33.0")
    assert (about.kind, about.tokens, about.temperature, about.repeats) == ("bf16", "ids", 0.0, 2)
    assert about.passages_sha256 == passages_sha256()


def test_the_key_is_nowhere(recorded: tuple[Path, Result, Scorer]) -> None:
    path, done, _ = recorded
    assert KEY not in path.read_text() + done.output + done.stderr


def test_a_changed_file_is_refused(recorded: tuple[Path, Result, Scorer]) -> None:
    changed = recorded[0].read_text().replace('"bf16"', '"vendor"', 1)
    with pytest.raises(BadInput, match="digest"):
        read(changed.encode(), "changed")
    with pytest.raises(BadInput, match="holds no reference"):
        read(b"{}", "empty")


@pytest.mark.parametrize(("noise", "near"), [(0.0, True), (0.02, True), (0.3, False)])
def test_another_kernel_is_near_and_a_rounding_far(
    recorded: tuple[Path, Result, Scorer], noise: float, near: bool
) -> None:
    texts = passages()
    with (
        serving(Scorer(noise=noise)) as address,
        Client(address, model="bf16", api_key=KEY, record=unrecorded) as client,
    ):
        found = compared(reference(recorded[0]), lambda name: scored(client, texts[name], name))
    ours = [each.ours for each in found if each.ours is not None]
    assert len(ours) == len(texts)
    kl, (low, high) = per_token(ours, "kl")
    assert (high < 0.001355) is near and (low > 0.001355) is not near
    assert low <= kl <= high
    assert all(sums.kl == 0 and sums.same_top == sums.tokens for each in found for sums in each.repeats)


FAULTS = {
    "no key": (Scorer(), ("--model", "bf16"), "wrong", "401"),
    "no logprobs": (Scorer(bare=True), (), KEY, "no logprobs of the prompt"),
    "several models": (Scorer(models=("a", "b")), (), KEY, "--model"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_can_not_be_recorded_says_why(fault: str, tmp_path: Path) -> None:
    scorer, more, key, said = FAULTS[fault]
    out = tmp_path / "out.json"
    with serving(scorer) as address:
        done = record(address, *more, "--out", str(out), key=key)
    assert done.exit_code == 2
    assert said in done.output + done.stderr
    assert not out.exists() and key not in done.output + done.stderr


@pytest.mark.parametrize("endpoint", ["ftp://host/v1", "nonsense", "http://user:word@host/v1"])
def test_no_address_is_bad_input(endpoint: str) -> None:
    done = record(endpoint)
    assert done.exit_code == 2 and "word" not in done.output + done.stderr


def test_a_key_that_is_not_set_and_an_engine_that_is_not_there(tmp_path: Path) -> None:
    arguments = ["reference", "record", "h200x8", "--endpoint", "http://127.0.0.1:9/v1", "--key-env", "NOT_SET_HERE"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2 and "NOT_SET_HERE" in done.output + done.stderr
    done = record("http://127.0.0.1:9/v1", "--out", str(tmp_path / "out.json"))
    assert done.exit_code == 2 and "see that it serves" in done.output + done.stderr
