"""Each way to get an inventory wrong ends in one BadInput that says what, where and what to do."""

import pytest
import yaml

from inventories.errors import BadInput
from inventories.load import HERE, load

GOOD = (HERE / "a100x4.yaml").read_text()


def edited(old, new):
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def refused(tmp_path, body):
    path = tmp_path / "a100x4.yaml"
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    with pytest.raises(BadInput) as caught:
        load(str(path))
    error = caught.value
    assert type(error) is BadInput and error.where.startswith(str(path)) and error.fix
    assert "Traceback" not in str(error) and "pydantic" not in str(error)
    return error


REVISION = "  catalog: kimi-k2-thinking\n"
HOST = "  - name: a100x4\n"
CASES = {
    "unknown key": (
        edited("  context_tokens:", "  context_toekns:"),
        "serving.context_toekns: unknown key (got 262144)",
        "'context_tokens'",
    ),
    "unknown key, nothing near": (GOOD + "zzzz: 1\n", "zzzz: unknown key (got 1)", "known keys here: name, title"),
    "unknown key in a list": (
        edited("    cpu_cores: 64", "    cpu_core: 64"),
        "hosts.0.cpu_core: unknown key",
        "'cpu_cores'",
    ),
    "missing key": (edited("    cpu_cores: 64\n", ""), "hosts.0.cpu_cores: Field required", "add hosts.0.cpu_cores"),
    "wrong type": (
        edited("gpus: 4", "gpus: four"),
        "hosts.0.gpus: Input should be a valid integer",
        "named above",
    ),
    "wrong type shows the value": (edited("gpus: 4", "gpus: four"), "(got 'four')", "named above"),
    "unquoted version": (
        edited('"0.33.0"', "0.33"),
        "engine.version: Input should be a valid string",
        "put engine.version in quotes",
    ),
    "upper-case revision": (
        edited(REVISION, f"{REVISION}  revision: {'A' * 40}\n"),
        "model.revision:",
        "40 lower-case hex",
    ),
    "short revision": (
        edited(REVISION, f"{REVISION}  revision: abc1234\n"),
        "(got 'abc1234')",
        "never a branch or tag",
    ),
    "branch as revision": (edited(REVISION, f"{REVISION}  revision: main\n"), "(got 'main')", "never a branch or tag"),
    "duplicate hosts": (
        edited("model:\n", f"{HOST}    ram_gib: 1\n    cpu_cores: 1\nmodel:\n"),
        "host names must differ",
        "named above",
    ),
    "gpu without count": (edited("    gpus: 4\n", ""), "hosts.0: gpu and gpus go together", "named above"),
    "count without gpu": (edited("    gpu: a100-80gb\n", ""), "hosts.0: gpu and gpus go together", "named above"),
    "more ranks than GPUs": (
        edited("tensor_parallel: 4", "tensor_parallel: 4\n  pipeline_parallel: 2"),
        "= 8 ranks, but only 4",
        "named above",
    ),
    "same ports": (GOOD + "  slots: [8000, 8001]\n", "three different ports", "named above"),
    "infinite memory": (edited("ram_gib: 512", "ram_gib: .inf"), "hosts.0.ram_gib:", "named above"),
    "unknown GPU": (edited("gpu: a100-80gb", "gpu: a100-40gb"), "hosts.0.gpu: not in the catalog", "a100-80gb"),
    "unknown model": (
        edited("kimi-k2-thinking", "kimi-k2-thinkin"),
        "model.catalog: not in the catalog",
        "kimi-k2-thinking",
    ),
    "no hosts": (GOOD[: GOOD.index("hosts:")] + "hosts: []\n" + GOOD[GOOD.index("model:") :], "hosts:", "named above"),
    "no mapping": ("- a\n- b\n", "expected a mapping of keys, got a list of 2", "name"),
    "a word": ("hello\n", "expected a mapping of keys, got 'hello'", "name"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_fault_is_named(case, tmp_path):
    body, what, fix = CASES[case]
    error = refused(tmp_path, body)
    assert what in error.what
    assert fix in error.fix


def line_of(text, part):
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


LATE = len(GOOD.splitlines()) + 1
WITH_LINE = {
    "duplicate key": (GOOD + "name: twice\n", LATE, f"duplicate key 'name' (first at line {line_of(GOOD, 'name:')})"),
    "duplicate nested key": (GOOD + "  context_tokens: 1\n", LATE, "duplicate key 'context_tokens'"),
    "syntax": (GOOD + "hub: {a: [1, 2}\n", LATE, "not valid YAML"),
    "tab": (GOOD + "hub:\n\tendpoint: x\n", LATE + 1, "not valid YAML"),
    "undefined variable": (
        GOOD + "  live_address: ${BEACHHEAD_NOT_SET}\n",
        LATE,
        "${BEACHHEAD_NOT_SET} is not defined",
    ),
    "foreign variable": (GOOD + "  live_address: ${HOME}\n", LATE, "${HOME} is not allowed"),
    "broken variable": (GOOD + "  live_address: ${BEACHHEAD_X\n", LATE, "cannot read '${BEACHHEAD_X'"),
    "two documents": (GOOD + "---\nname: b\n", LATE, "expected a single document"),
    "foreign tag": (GOOD + "hub: !!python/object:os.system {}\n", LATE, "is not allowed"),
    "a list as key": (GOOD + "? [a, b]\n: 1\n", LATE, "a key must be plain text"),
    "alias that holds itself": (GOOD + "hub: &a {b: *a}\n", LATE, "alias"),
    "control character": (GOOD + "hub: \x07\n", LATE, "control character"),
    "a book as value": (GOOD + f"hub: {'x' * 5000}\n", LATE, "5000 characters"),
    "empty": ("", 1, "the file is empty"),
    "comment only": ("# nothing\n", 1, "the file is empty"),
}


@pytest.mark.parametrize("case", WITH_LINE)
def test_the_line_is_named(case, tmp_path, monkeypatch):
    monkeypatch.delenv("BEACHHEAD_NOT_SET", raising=False)
    body, line, what = WITH_LINE[case]
    error = refused(tmp_path, body)
    assert what in error.what
    assert f"a100x4.yaml, line {line}" in error.where


def test_an_undefined_variable_says_how_to_define_it(tmp_path):
    error = refused(tmp_path, GOOD + "  live_address: ${BEACHHEAD_NOT_SET}\n")
    assert "export BEACHHEAD_NOT_SET=" in error.fix and "${BEACHHEAD_NOT_SET:-default}" in error.fix


@pytest.mark.parametrize("body", [b"\x89PNG\r\n\x1a\n\x00\xff", b"\xff\xfename: a\n", b"\x00" * 64, b"[" * 4000])
def test_junk_is_refused(tmp_path, body):
    refused(tmp_path, body)


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path):
    assert "1 MiB" in refused(tmp_path, b"# " + b"x" * (1 << 20)).what


def test_every_fault_has_its_own_line(tmp_path):
    data = yaml.safe_load(GOOD)
    data["hosts"][0] |= {"ram_gib": -1, "cpu_cores": "many"}
    data["engine"]["version"] = "newest"
    error = refused(tmp_path, yaml.safe_dump(data))
    lines = error.what.splitlines()
    assert lines[0] == "3 values are not right:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "hosts.0.ram_gib",
        "hosts.0.cpu_cores",
        "engine.version",
    ]


@pytest.mark.parametrize("key", ["password", "hub_token", "api_key"])
def test_what_looks_like_a_secret_is_not_printed(tmp_path, key):
    error = refused(tmp_path, GOOD + f"hub:\n  {key}: hunter2-hunter2\n")
    assert f"hub.{key}: unknown key" in error.what and "hunter2" not in str(error)


def test_a_token_in_place_of_its_variable_is_not_printed(tmp_path):
    error = refused(tmp_path, GOOD + "hub:\n  token_env: hf_abcdef123\n")
    assert "hub.token_env" in error.what and "hf_abc" not in str(error)


@pytest.mark.parametrize(("wanted", "near"), [("a100x5", "a100x4"), ("rehersal", "rehearsal"), ("h200", "h200x8")])
def test_an_unknown_name_gets_the_nearest_and_the_list(wanted, near):
    with pytest.raises(BadInput) as caught:
        load(wanted)
    assert wanted in caught.value.what and str(HERE) in caught.value.where
    assert "did you mean" in caught.value.fix and near in caught.value.fix.split("?")[0]
    assert "mac-studio-m3-ultra" in caught.value.fix


@pytest.mark.parametrize("wanted", ["", "..", "../inventories/a100x4", "a100x4.yml", "a\0b", "/etc/passwd", "A100X4"])
def test_what_is_no_name_is_unknown(wanted):
    with pytest.raises(BadInput, match="unknown inventory"):
        load(wanted)


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    for path, what in (("folder.yaml", "cannot read"), ("gone.yaml", "no such file"), ("a\0b.yaml", "cannot read")):
        with pytest.raises(BadInput, match=what):
            load(f"{tmp_path}/{path}")


def test_plain_aliases_work(tmp_path):
    text = edited("    cpu_cores: 64\n", "    cpu_cores: &cores 64\n").replace(
        "  context_tokens: 262144", "  context_tokens: *cores"
    )
    path = tmp_path / "a100x4.yaml"
    path.write_text(text)
    assert load(str(path)).serving.context_tokens == 64
