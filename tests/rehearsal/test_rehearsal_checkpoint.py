"""The rehearsal's checkpoints are the same bytes on every machine: inventories pin these commits."""

import json
import struct

import pytest

from rehearsal.checkpoint import Checkpoint, checkpoints
from rehearsal.vocabulary import THINKING_TOKENS, follows, tokens

PINNED = {
    "beachhead/tiny-k2": "9537c33101621e690260f49dc035a0894c6ee8f1",
    "beachhead/tiny-k2-int4-native": "ca410ddf81c489a3e4bd287025aedc60d469b29a",
    "beachhead/tiny-k2-int4-gptq": "4625b20bcab147fe82ba8c9c52346cd79cd26bf7",
}


def test_the_pinned_commits_have_not_moved() -> None:
    assert {checkpoint.repo: checkpoint.revision for checkpoint in checkpoints()} == PINNED


def test_one_changed_byte_is_another_commit() -> None:
    assert Checkpoint("a/b", {"x": b"1"}).revision != Checkpoint("a/b", {"x": b"2"}).revision


@pytest.mark.parametrize("checkpoint", checkpoints(), ids=lambda checkpoint: checkpoint.repo)
def test_index_and_shards_agree(checkpoint: Checkpoint) -> None:
    index = json.loads(checkpoint.files["model.safetensors.index.json"])
    found, total = {}, 0
    for name, body in checkpoint.files.items():
        if not name.endswith(".safetensors"):
            continue
        (length,) = struct.unpack("<Q", body[:8])
        header = json.loads(body[8 : 8 + length])
        header.pop("__metadata__")
        found |= dict.fromkeys(header, name)
        total += len(body) - 8 - length
        assert max(entry["data_offsets"][1] for entry in header.values()) == len(body) - 8 - length
    assert found == index["weight_map"]
    assert total == index["metadata"]["total_size"]


def test_the_model_thinks_as_long_as_it_says() -> None:
    table, token, seen = follows(), "<think>", 0
    while (token := table[token][0]) != "</think>":
        seen += 1
    assert seen == THINKING_TOKENS
    assert len(set(tokens())) == len(tokens())
