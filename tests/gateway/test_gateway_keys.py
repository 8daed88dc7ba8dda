"""API keys: the rules of the file, and `beachhead keys` on a gateway that runs."""

import json
import os
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.keys_command import keys as command
from inventories.errors import BadInput
from tasks.facts.base import NotUnderstood
from tasks.facts.gateway_keys import GatewayKeysFact
from tasks.gateway import keys
from tasks.gateway.keys import DEPLOYMENT, ClientKey, entry, new_key
from tasks.hosts import CommandFailed
from tasks.local import LocalHost
from tasks.operations.base import converge
from tasks.operations.gateway_keys import DeploymentKey, GatewayKeys

TODAY = date(2026, 11, 22)
ANN, BOB = entry("ann", "a", TODAY), entry("bob", "b", TODAY)


def test_a_key_is_random_and_told_by_its_digest_alone() -> None:
    made = new_key()
    assert made.startswith("bh_") and len(made) == 46 and made != new_key()
    assert made not in keys.render((entry("ann", made, TODAY),))


def test_the_file_is_read_as_it_was_written() -> None:
    assert keys.parse(keys.render((BOB, ANN))) == (ANN, BOB)
    for bad in ("ann", "ann x 2026-11-22", f"Ann {ANN.sha256} 2026-11-22", f"ann {ANN.sha256} today", "\n"):
        with pytest.raises(ValueError, match="line 1"):
            keys.parse(bad)
    with pytest.raises(NotUnderstood):
        GatewayKeysFact("/keys").parse("present\nnonsense\n")
    assert GatewayKeysFact("/keys").parse("absent\n").keys == ()


def test_add_rotate_retire_remove() -> None:
    two = keys.added((ANN,), "bob", "b", TODAY)
    both = keys.rotated(two, "ann", "a2", TODAY)
    assert [key.name for key in keys.parse(keys.render(both))] == ["ann", "ann", "bob"]
    newest = keys.parse(keys.render(keys.retired(keys.parse(keys.render(both)), "ann")))
    assert newest == (entry("ann", "a2", TODAY), BOB)
    assert keys.removed(both, "ann") == (BOB,)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: keys.added((ANN,), "ann", "x", TODAY),
        lambda: keys.removed((ANN,), "bob"),
        lambda: keys.retired((ANN,), "ann"),
        lambda: keys.rotated(keys.rotated((ANN,), "ann", "x", TODAY), "ann", "y", TODAY),
        lambda: keys.added((), DEPLOYMENT, "x", TODAY),
        lambda: keys.removed((entry(DEPLOYMENT, "x", TODAY),), DEPLOYMENT),
        lambda: keys.added((), "a b", "x", TODAY),
        lambda: keys.added((), "a\nb", "x", TODAY),
    ],
)
def test_what_makes_no_sense_is_bad_input(wrong: object) -> None:
    with pytest.raises(BadInput):
        wrong()  # type: ignore[operator]


def test_the_deployment_has_one_key_and_the_others_stay(tmp_path: Path) -> None:
    file, host = tmp_path / "keys", LocalHost()
    file.write_text(keys.render((ANN,)))
    for key in ("one", "two"):
        assert len(converge(host, DeploymentKey(str(file), key, TODAY)).steps) == 1
        assert not converge(host, DeploymentKey(str(file), key, date(2027, 1, 1))).steps
        assert keys.parse(file.read_text()) == (ANN, entry(DEPLOYMENT, key, TODAY))
    assert file.stat().st_mode & 0o777 == 0o600


def test_two_who_change_it_at_once_do_not_undo_each_other(tmp_path: Path) -> None:
    file, host = tmp_path / "keys", LocalHost()
    before = GatewayKeysFact(str(file)).parse("absent\n").sha256
    converge(host, GatewayKeys(str(file), before, (ANN,)))
    with pytest.raises(CommandFailed, match="somebody else"):
        converge(host, GatewayKeys(str(file), before, (BOB,)))
    assert keys.parse(file.read_text()) == (ANN,)


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inventory for this machine, nothing deployed; its host's root."""
    checkout = Path(__file__).parent.parent.parent
    text = (checkout / "inventories" / "rehearsal.yaml").read_text()
    text = text.replace("${BEACHHEAD_CHECKOUT}/.rehearsal/host", str(tmp_path / "host"))
    text = text.replace("address: 127.0.0.1\n      port: 22022", "address: local").replace(
        "name: rehearsal\n", "name: here\n"
    )
    (tmp_path / "inventories").mkdir()
    (tmp_path / "inventories" / "here.yaml").write_text(text)
    for name in ("INVENTORIES", "EVIDENCE", "HOME"):
        monkeypatch.setenv(f"BEACHHEAD_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("BEACHHEAD_CHECKOUT", str(tmp_path))
    return tmp_path / "host"


def test_a_key_is_printed_once_and_kept_nowhere(declared: Path, tmp_path: Path) -> None:
    made = CliRunner().invoke(command, ["here", "add", "ann"], catch_exceptions=False)
    key = made.stdout.strip()
    assert made.exit_code == 0 and key.startswith("bh_") and "\n" not in key, made.output
    told = CliRunner().invoke(command, ["here", "list", "--json"], catch_exceptions=False)
    assert [each["name"] for each in json.loads(told.stdout)["keys"]] == ["ann"]
    for folder, _, names in os.walk(tmp_path):
        for name in names:
            assert key.encode() not in (Path(folder) / name).read_bytes(), f"the key stands in {folder}/{name}"
    assert keys.parse((declared / "gateway" / "keys").read_text()) == (entry("ann", key, date.today()),)


def test_rotation_through_the_command_line(declared: Path) -> None:
    def ask(*words: str) -> str:
        return CliRunner().invoke(command, ["here", *words], catch_exceptions=False).stdout.strip()

    first, second = ask("add", "ann"), ask("rotate", "ann")
    lines = keys.parse((declared / "gateway" / "keys").read_text())
    assert [line.sha256 for line in lines] == [entry("ann", key, date.today()).sha256 for key in (first, second)]
    assert ask("rotate", "ann", "--retire") == ""
    assert keys.parse((declared / "gateway" / "keys").read_text()) == (entry("ann", second, date.today()),)
    ask("remove", "ann")
    assert (declared / "gateway" / "keys").read_text() == ""
    for wrong in (["add"], ["remove", "bob"], ["add", "ann", "--retire"], ["add", "Not A Name"]):
        with pytest.raises(BadInput):
            ask(*wrong)


def test_a_line_says_nothing_that_opens_a_door() -> None:
    assert repr(ANN) == repr(ClientKey("ann", ANN.sha256, "2026-11-22"))
