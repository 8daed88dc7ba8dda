"""A seal verifies on any machine, and no change of it goes unseen: a hundred random ones here, 1,000 with -m e2e."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from assumptions._recheck import rechecked
from assumptions._seal import ENVELOPE, RUN, sealed
from assumptions._seal_check import Checked, check
from assumptions._seal_envelope import opened as opened_envelope
from assumptions._seal_envelope import text_of
from assumptions._seal_pack import packed, unpacked
from assumptions._seal_sign import envelope, signers
from assumptions._terms import catalog_sha256
from inventories.errors import BadInput
from tasks import chain

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        shutil.which("ssh-keygen") is None and not os.environ.get("CI"), reason="ssh-keygen is not installed"
    ),
]


def key(folder: Path, name: str, *options: str) -> Path:
    file = folder / name
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@example.org", *options, "-f", str(file)]
    subprocess.run(made, check=True, timeout=60)
    return file


class Sealed:
    """A run that has long outputs and requests in its trail, and its seal."""

    def __init__(self, folder: Path) -> None:
        self.key = key(folder, "me")
        self.other = key(folder, "somebody")
        os.environ["BEACHHEAD_EVIDENCE"] = str(folder / "evidence")
        from flows.plain import plan
        from flows.run import Run

        asked = Run.expect

        def asks(run: Run, stages: Any) -> None:  # so that there is a trail, and a long output beside it
            asked(run, stages)
            run.site.trail.record("command", host="h", command="cat log", stdout="line\n" * 9_000, exit=0)
            run.site.trail.record("request", method="GET", url="u", response="é" * 200)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Run, "expect", asks)
            self.run = plan("a100x4").folder
        self.data = sealed(self.run, self.key)
        self.files, _ = unpacked(self.data, "it")
        self.signers = signers(f"{self.key}.pub")

    def check(self, data: bytes, by: str | None = None) -> Checked:
        return check(data, "it", self.signers if by is None else by)


@pytest.fixture(scope="module")
def seal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    before = os.environ.get("BEACHHEAD_EVIDENCE")
    yield Sealed(tmp_path_factory.mktemp("seal"))
    os.environ.pop("BEACHHEAD_EVIDENCE")
    if before is not None:
        os.environ["BEACHHEAD_EVIDENCE"] = before


def test_a_seal_verifies_and_every_verdict_is_made_again(seal: Sealed) -> None:
    found = seal.check(seal.data)
    assert found.faults == () and found.verified
    assert found.run.again == len(found.run.records) > 15
    assert sum(name.startswith("run/raw/") for name in seal.files) == 2
    assert found.signature is not None and found.signature.signer == "me@example.org"
    assert sealed(seal.run, seal.key) == seal.data, "the same run and key make the same bytes"


def test_the_statement_is_in_totos(seal: Sealed) -> None:
    statement, _, _ = opened_envelope(seal.files[ENVELOPE])
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert {each["name"]: each["digest"]["sha256"] for each in statement["subject"]} == {
        name: chain.sha256(content) for name, content in seal.files.items() if name != ENVELOPE
    }
    predicate = statement["predicate"]
    assert predicate["result"] == "FAILED" and "memory-fit@plan" in predicate["failedTests"]
    assert "run/inventory.json" in [each["name"] for each in predicate["configuration"]]
    names = [*predicate["passedTests"], *predicate["warnedTests"], *predicate["failedTests"]]
    assert len(names) == len(set(names)) and set(names) <= {
        f"{r.claim}@{r.stage}" for r in seal.check(seal.data).run.records
    }


def test_it_verifies_on_a_clean_machine(seal: Sealed, tmp_path: Path) -> None:
    """No home, no environment, no network, no evidence; and nothing heavy is imported."""
    (tmp_path / "it.zip").write_bytes(seal.data)
    (tmp_path / "me.pub").write_bytes(Path(f"{seal.key}.pub").read_bytes())
    code = (
        "import sys; sys.argv=['beachhead','verify','it.zip','--signer','me.pub','--json']\n"
        "from flows.cli import main\n"
        "try: main()\n"
        "except SystemExit as done: status = done.code\n"
        "names = 'prefect paramiko great_expectations pandas fabric asyncssh'.split()\n"
        "heavy = [name for name in names if name in sys.modules]\n"
        "print(heavy, file=sys.stderr); sys.exit(status)"
    )
    alone = (
        ["unshare", "-rn"] if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0 else []
    )
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path / "nowhere")}
    done = subprocess.run(
        [*alone, sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout)["result"] == "VERIFIED"
    assert done.stderr.strip() == "[]"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["it.zip", "me.pub"]


@pytest.mark.parametrize("count", [100, pytest.param(1_000, marks=pytest.mark.e2e)])
def test_random_changes_are_all_found_and_named(count: int, seal: Sealed) -> None:
    chance = random.Random(20261122 + count)
    changes: list[Callable[[Sealed, random.Random], tuple[str, bytes]]] = [byte, byte, field, forged]
    unnamed = []
    for number in range(count):
        made = changes[number % 4]
        name, data = made(seal, chance)
        found = seal.check(data)
        assert not found.verified and not found.intact, f"change {number} ({made.__name__} of {name}) was not found"
        if name and not any(name in fault.where for fault in found.faults):
            unnamed.append((number, made.__name__, name, [fault.where for fault in found.faults][:4]))
    assert unnamed == []


def byte(seal: Sealed, chance: random.Random) -> tuple[str, bytes]:
    """Any byte of the file; named is the entry whose content it was in."""
    at = chance.randrange(len(seal.data))
    data = bytearray(seal.data)
    data[at] ^= chance.randrange(1, 256)
    inside = [name for name, (start, end) in _spans(seal).items() if start <= at < end]
    return inside[0] if inside else "", bytes(data)


@cache
def _spans(seal: Sealed) -> dict[str, tuple[int, int]]:
    found = {}
    for name, content in seal.files.items():
        if content:
            head = seal.data.index(b"PK\x03\x04", seal.data.index(name.encode() + content[:20]) - 30)
            start = seal.data.index(content, head)
            found[name] = (start, start + len(content))
    return found


def field(seal: Sealed, chance: random.Random) -> tuple[str, bytes]:
    """Any value of any JSON in it, packed again as it should be; named is the file, and the line of a ledger."""
    name = chance.choice([n for n in seal.files if n.endswith((".json", ".jsonl")) and seal.files[n]])
    if name.endswith(".json"):
        whole = json.loads(seal.files[name])
        _mutate(whole, chance)
        content = (
            chain.line(whole) if name == ENVELOPE else (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()
        )
        return name, packed({**seal.files, name: content})
    lines = seal.files[name].splitlines(keepends=True)
    number = chance.randrange(len(lines))
    entry = json.loads(lines[number])
    _mutate(entry, chance)
    lines[number] = chain.line(entry)
    return f"{name}, line {number + 1}", packed({**seal.files, name: b"".join(lines)})


def forged(seal: Sealed, chance: random.Random) -> tuple[str, bytes]:
    """A field of the ledger, with every digest behind it made anew, the statement's too; all but the signature."""
    name = f"{RUN}evidence.jsonl"
    lines = [json.loads(line) for line in seal.files[name].splitlines()]
    number = chance.randrange(len(lines))
    body = chain.bare(lines[number])
    _mutate(body, chance)
    content, prev = b"", chain.START
    for n, entry in enumerate(lines):
        linked = chain.linked(body if n == number else chain.bare(entry), prev)
        prev = linked["sha256"]
        content += chain.line(linked)
    statement, _, _ = opened_envelope(seal.files[ENVELOPE])
    for each in statement["subject"]:
        if each["name"] == name:
            each["digest"]["sha256"] = chain.sha256(content)
    held = json.loads(seal.files[ENVELOPE]) | {"payload": text_of(chain.spelled(statement))}
    return ENVELOPE, packed({**seal.files, name: content, ENVELOPE: chain.line(held)})


def _mutate(value: Any, chance: random.Random) -> None:
    """Change one leaf, wherever it is."""
    leaves: list[tuple[Any, Any]] = []
    rest = [value]
    while rest:
        at = rest.pop()
        for each, inner in at.items() if isinstance(at, dict) else enumerate(at):
            (rest if isinstance(inner, (dict, list)) and inner else leaves).append(
                inner if isinstance(inner, (dict, list)) and inner else (at, each)
            )
    holder, where = chance.choice(leaves)
    old = holder[where]
    holder[where] = (
        (not old) if isinstance(old, bool) else old + 1 if isinstance(old, (int, float)) else f"{old}x" if old else "x"
    )


@pytest.mark.parametrize("change", ["finding.outcome", "severity", "verdict", "claims", "expected", "whole", "excused"])
def test_who_signs_a_change_anew_is_still_told_from_the_records(seal: Sealed, change: str) -> None:
    """A forger with a key of his own makes every digest and the signature; the judges say otherwise."""
    name = f"{RUN}evidence.jsonl"
    lines = [chain.bare(json.loads(line)) for line in seal.files[name].splitlines()]
    fit = next(line for line in lines if line.get("claim") == "memory-fit")
    if change == "finding.outcome":
        fit["finding"]["outcome"] = "PASS"
    elif change in ("severity", "excused"):
        fit[change] = "advisory" if change == "severity" else "because I say so"
    elif change == "verdict":
        lines[-1]["verdict"] |= {"decision": "HOLDS", "blocking": []}
    elif change == "claims":
        lines[0]["claims"]["memory-fit"]["thresholds"]["GIB"] = 1
    elif change == "expected":
        lines[0]["expected"] = [each for each in lines[0]["expected"] if each[0] != "memory-fit"]
    else:
        lines[0]["whole"] = True
    content, prev = b"", chain.START
    for entry in lines:
        linked = chain.linked(entry, prev)
        prev = linked["sha256"]
        content += chain.line(linked)
    files = {n: c for n, c in seal.files.items() if n != ENVELOPE} | {name: content}
    statement, _, _ = opened_envelope(seal.files[ENVELOPE])
    for each in statement["subject"]:
        each["digest"]["sha256"] = chain.sha256(files[each["name"]])
    data = packed({**files, ENVELOPE: envelope(statement, seal.other)})
    found = seal.check(data, signers(f"{seal.other}.pub"))
    assert found.signature is not None and found.signature.holds
    assert not found.verified
    part = "verdict" if change in ("verdict", "whole") else "claim" if change == "expected" else change
    assert any(part in fault.where for fault in found.faults), found.faults


def test_a_signature_by_somebody_else_is_not_verified(seal: Sealed, tmp_path: Path) -> None:
    other = sealed(seal.run, seal.other)
    for by in ("", seal.signers):
        found = seal.check(other, by)
        assert found.intact and not found.verified
    listed = tmp_path / "allowed_signers"
    listed.write_text(f'# ours\nlead@example.org namespaces="git" {Path(f"{seal.key}.pub").read_text()}')
    assert not seal.check(seal.data, signers(str(listed))).verified, "the key may sign for git alone"
    listed.write_text(listed.read_text().replace('"git"', '"beachhead-seal"'))
    found = seal.check(seal.data, signers(str(listed)))
    assert found.verified and found.signature is not None and found.signature.signer == "lead@example.org"


def test_a_file_more_or_less_is_named(seal: Sealed) -> None:
    more = seal.check(packed({**seal.files, "run/raw/extra.txt": b"x"}))
    assert {f.where for f in more.faults} == {"run/raw/extra.txt"}
    less = seal.check(packed({n: c for n, c in seal.files.items() if n != "catalog/prices.yaml"}))
    assert "catalog/prices.yaml" in {f.where for f in less.faults}
    lost = next(name for name in seal.files if name.startswith("run/raw/") and name.endswith(".txt"))
    gone = seal.check(packed({n: c for n, c in seal.files.items() if n != lost}))
    assert lost in {f.where for f in gone.faults}


def test_another_installation_says_that_it_can_not_judge_again(seal: Sealed) -> None:
    files = {n.removeprefix(RUN): c for n, c in seal.files.items() if n.startswith(RUN)}
    assert rechecked(files, catalog_sha256(), catalog_sha256()).faults == ()
    found = rechecked(files, catalog_sha256(), "0" * 64)
    assert [f.where for f in found.faults] == ["catalog/"] and "check with beachhead" in found.faults[0].what


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04" + b"\0" * 60, b"\0" * 4096])
def test_what_is_no_seal_is_bad_input_or_not_verified(data: bytes) -> None:
    try:
        assert not check(data, "it", "").intact
    except BadInput as bad:
        assert "no seal" in bad.what


def test_a_run_that_has_not_ended_or_is_of_the_first_form_is_not_sealed(seal: Sealed, tmp_path: Path) -> None:
    lines = (seal.run / "evidence.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "evidence.jsonl").write_bytes(b"".join(lines[:-1]))
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(BadInput, match="has not ended"):
        sealed(tmp_path, seal.key)
    (tmp_path / "evidence.jsonl").write_bytes(b"")
    with pytest.raises(BadInput, match="before runs could be sealed"):
        sealed(tmp_path, seal.key)


def test_a_key_that_can_not_sign_is_bad_input(seal: Sealed, tmp_path: Path) -> None:
    (tmp_path / "no").write_text("no key")
    (tmp_path / "no").chmod(0o600)
    with pytest.raises(BadInput, match="can't sign"):
        sealed(seal.run, tmp_path / "no")
    with pytest.raises(BadInput, match="no public key"):
        signers(str(seal.key))
