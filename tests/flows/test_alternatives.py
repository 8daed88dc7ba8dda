"""The catalog bound to the search: every shipped inventory has an answer, quickly, from configuration alone."""

import json
from itertools import pairwise

import pytest

from flows import alternatives, offers
from flows.alternatives import for_inventory, launch_flags, variant
from inventories import machines as catalog
from inventories.errors import BadInput
from inventories.load import load, names
from inventories.machines import Span
from tasks.engines.vllm import options

SHIPPED = {name: load(name) for name in names()}
FOUND = {name: for_inventory(inventory) for name, inventory in SHIPPED.items()}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_inventory_has_an_answer(name):
    found = FOUND[name]
    json.dumps(found.to_json(), allow_nan=False)
    assert bool(found.proven) != bool(found.none_because)
    assert found.declared or SHIPPED[name].kind == "rehearsal"
    assert len(found.proven) <= 5 and len(found.on_paper) <= 5
    assert all(o.proven and o.verdict == "fits" for o in found.proven)
    assert all(o.unproven and not o.proven for o in found.on_paper)


def test_8x_h200_serves_kimi_k2_thinking_at_256k_and_nothing_proven_is_an_a100():
    for name in ("a100x4", "a100x8", "h200x8"):
        proven = {o.machine: o for o in FOUND[name].proven}
        assert proven["h200x8"].context_tokens == 262_144 and proven["h200x8"].dcp == 1
        assert all(not o.machine.startswith("a100") for o in FOUND[name].proven)
        prices = [o.hardware_usd.mid for o in FOUND[name].proven]
        assert prices == sorted(prices)
    assert FOUND["h200x8"].declared_because == ""


def test_4x_a100_is_short_by_67_gib_and_offloading_is_on_paper_only():
    found = FOUND["a100x4"]
    assert "short by 67.02 GiB" in found.declared_because and "no measured run" in found.declared_because
    assert [o.verdict for o in found.declared] == ["does-not-fit", "tight", "tight"]


def test_8x_a100_names_the_longest_context_and_that_no_log_shows_an_a100():
    found = FOUND["a100x8"]
    assert "the longest context that may fit is" in found.declared_because
    assert all("no public log found of Kimi K2 Thinking on 8x a100-80gb" in o.unproven for o in found.declared)
    assert {o.utilization for o in found.declared if o.context_tokens < 262_144} == {0.95}


def test_a_gguf_is_a_variant_of_its_own_model_alone():
    ids = [c.id for c in offers.checkpoints("kimi-k2.5")]
    assert ids == ["kimi-k2.5", "kimi-k2.5-ud-q2-k-xl"]
    ids = [c.id for c in offers.checkpoints("kimi-k2-thinking")]
    assert ids == ["kimi-k2-thinking", "kimi-k2-thinking-ud-tq1-0"]
    mac = FOUND["mac-studio-m3-ultra"]
    assert mac.declared[0].verdict == "tight" and "lossy" in " ".join(mac.declared[0].unproven)


def test_a_rehearsal_and_mixed_hosts_are_refused_in_words():
    assert "no GPU" in FOUND["rehearsal"].none_because
    base = SHIPPED["a100x16"]
    other = base.hosts[1].model_copy(update={"gpu": "h100-80gb"})
    mixed = for_inventory(base.model_copy(update={"hosts": (base.hosts[0], other)}))
    assert "different cards" in mixed.none_because and not mixed.declared


def test_a_checkpoint_for_another_engine_is_refused_in_words():
    base = SHIPPED["h200x8"]
    gguf = base.model_copy(update={"model": base.model.model_copy(update={"catalog": "kimi-k2.5-ud-q2-k-xl"})})
    assert "not for vllm, but for llamacpp" in for_inventory(gguf).none_because


def test_a_cheaper_like_machine_comes_first_and_a_price_taken_away_comes_last(monkeypatch):
    known = dict(catalog.machines())
    h200 = known["h200x8"]
    cheap = Span(low=1, mid=2, high=3, unit="USD", source="a test's own figure", as_of="2026-01-01", basis="assumed")
    known["cheap"] = h200.model_copy(update={"id": "cheap", "hardware_usd": cheap})
    known["h200x8"] = h200.model_copy(update={"hardware_usd": None})
    monkeypatch.setattr(alternatives, "machines", lambda: known)
    found = for_inventory(SHIPPED["a100x4"])
    assert [o.machine for o in found.proven] == ["cheap", "rtx-pro-6000x8", "h200x8"]
    assert found.proven[-1].hardware_usd is None and found.proven[-1].price_basis == "no price found"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_option_has_flags_that_the_engine_accepts(name):
    inventory, found = SHIPPED[name], FOUND[name]
    for option in (*found.declared, *found.proven, *found.on_paper):
        flags = launch_flags(inventory, option)
        if option.engine != "vllm":
            assert flags == ()
            continue
        options(variant(inventory, option))  # raises BadInput on a wrong one
        words = [word for flag in flags for word in flag.words]
        given = dict(pairwise(words))
        assert given["--max-model-len"] == str(option.context_tokens) and all(flag.why for flag in flags)
        assert given.get("--tensor-parallel-size", "1") == str(option.tp)
        assert given.get("--decode-context-parallel-size", "1") == str(option.dcp)
        assert given.get("--kv-cache-dtype", "auto") == option.kv_dtype
        assert ("--gpu-memory-utilization" in words) == (option.utilization is not None)


def test_an_inventorys_own_options_are_asked_and_kept():
    base = SHIPPED["a100x8"]
    own = {"device": "cuda", "gpu_memory_utilization": 0.95, "decode_context_parallel": 8, "trust_remote_code": True}
    told = base.model_copy(update={"engine": base.engine.model_copy(update={"options": own})})
    first = for_inventory(told).declared[0]
    assert (first.utilization, first.dcp) == (0.95, 8)
    words = [word for flag in launch_flags(told, first) for word in flag.words]
    assert "--trust-remote-code" in words and words.count("--decode-context-parallel-size") == 1


@pytest.mark.parametrize("bad", [{"decode_context_parallel": "eight"}, {"gpu_memory_utilization": [1]}, {"x": 1}])
def test_options_that_are_not_the_engines_are_one_clear_error(bad):
    base = SHIPPED["a100x8"]
    with pytest.raises(BadInput, match=next(iter(bad))):
        for_inventory(base.model_copy(update={"engine": base.engine.model_copy(update={"options": bad})}))


@pytest.mark.parametrize("change", [{"tensor_parallel": 7}, {"tensor_parallel": 1}, {"pipeline_parallel": 8}])
def test_a_split_that_cannot_be_is_told_and_the_search_goes_on(change):
    base = SHIPPED["a100x8"]
    found = for_inventory(base.model_copy(update={"engine": base.engine.model_copy(update=change)}))
    assert found.declared and found.proven and found.declared_because
