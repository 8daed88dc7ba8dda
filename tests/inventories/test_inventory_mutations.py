"""Whatever is done to an inventory file, load() answers with an Inventory or with BadInput."""

import copy

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventories.errors import BadInput
from inventories.load import HERE, load
from inventories.schema import Inventory

SHIPPED = {path.stem: path.read_bytes() for path in sorted(HERE.glob("*.yaml"))}
QUICK = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PIECES = [
    b"${",
    b"${HOME}",
    b"&a",
    b"*a",
    b"<<: *a\n",
    b"!!int x",
    b"!!bool q",
    b"!!binary x",
    b"0x_",
    b"2024-13-45",
    b"1:2:3",
    b": ",
    b"- ",
    b"\n",
    b"  ",
    b"\t",
    b"{",
    b"[",
    b"}",
    b"null",
    b".nan",
    b"1e999",
    b"\xff",
    b"\0",
    b"9" * 5000,
    b"%YAML 9.9\n",
    b"---\n",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["${", "${A}", "~", "0x"]),
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(SCALARS, v, max_size=3), max_leaves=6
)


def answers(tmp_path, name, body):
    path = tmp_path / f"{name}.yaml"
    path.write_bytes(body)
    try:
        assert isinstance(load(str(path)), Inventory)
    except BadInput as error:
        assert error.what and error.fix and error.where.startswith(str(path))
        assert len(str(error)) < 20_000


@QUICK
@given(data=st.data())
def test_bytes_changed_anywhere(tmp_path, data):
    name = data.draw(st.sampled_from(sorted(SHIPPED)))
    body = bytearray(SHIPPED[name])
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(body)))
        stop = min(len(body), start + data.draw(st.integers(0, 12)))
        body[start:stop] = data.draw(st.sampled_from(PIECES) | st.binary(max_size=8))
    answers(tmp_path, name, bytes(body))


@QUICK
@given(data=st.data())
def test_values_changed_anywhere(tmp_path, data):
    name = data.draw(st.sampled_from(sorted(SHIPPED)))
    tree = copy.deepcopy(yaml.safe_load(SHIPPED[name]))
    at = tree
    while True:
        key = data.draw(st.sampled_from(list(at) if isinstance(at, dict) else range(len(at))))
        if not (isinstance(at[key], dict | list) and at[key]) or data.draw(st.booleans()):
            break
        at = at[key]
    if data.draw(st.booleans()):
        at[key] = data.draw(VALUES)
    else:
        del at[key]
    answers(tmp_path, name, yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))


@pytest.mark.parametrize("piece", PIECES)
def test_each_piece_as_a_value_and_as_a_key(tmp_path, piece):
    body = SHIPPED["a100x4"]
    answers(tmp_path, "a100x4", body + b"hub: " + piece + b"\n")
    answers(tmp_path, "a100x4", body + piece + b": 1\n")
    answers(tmp_path, "a100x4", body.replace(b"{device: cuda}", b"{device: " + piece + b"}"))
