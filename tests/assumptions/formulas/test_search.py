"""The search: ranking, refusal of what is wrong, and that nothing is called proven without a log that shows it."""

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assumptions.formulas.asking import answered, at_longest, certain, file_only
from assumptions.formulas.declared import on_declared
from assumptions.formulas.knobs import Knobs, allows_fp8, context_splits, ladder, splits
from assumptions.formulas.memory import Range, fit, read
from assumptions.formulas.offers import Checkpoint, Offer, Run, Want, same_text_model
from assumptions.formulas.search import best_on, search

DATA = Path(__file__).parent / "data" / "configs"
KIMI = read(json.loads((DATA / "moonshotai--Kimi-K2.5_config.json").read_text()))
LLAMA = read(json.loads((DATA / "meta-llama--Meta-Llama-3.1-8B_config.json").read_text()))
K2 = Checkpoint(id="k2", title="Kimi K2.5", arch=KIMI, file_bytes=595_148_192_736)
GGUF = Checkpoint(id="q2", title="two bits", arch=None, file_bytes=375_000_000_000, engine="llamacpp", lossy="lossy")
WANT = Want(context_tokens=262_144, concurrent_requests=1, vllm="0.33.0")
H200_RUN = Run(arch=KIMI, tp=8, pp=1, dcp=1, kv_dtype="auto", kv_tokens=715_072, vllm="0.11.0")


def usd(mid: float | None) -> Range | None:
    return None if mid is None else Range(0.9 * mid, mid, 1.1 * mid)


def offer(id: str, *, gib: float = 139.80, cc: float | None = 9.0, gpus: int = 8, price: float | None = None, **more):
    return Offer(
        id=id, title=id, gpu=id, memory_gib=gib, compute_capability=cc, gpus=gpus, hardware_usd=usd(price), **more
    )


H200 = offer("h200", price=333_000, runs=(H200_RUN,))
H100 = offer("h100", gib=79.18, price=317_000)
A100 = offer("a100", gib=79.18, cc=8.0, price=275_000)
B200 = offer("b200", gib=178.35, cc=10.0, price=400_000)
TWO_A100 = offer("two-a100", gib=79.18, cc=8.0, gpus=16, hosts=2, price=550_000)
MAC = offer("mac", gib=512.0, cc=None, gpus=1, engine="llamacpp", price=10_000)
ALL = (A100, H100, B200, H200, TWO_A100, MAC)


def test_8x_h200_is_found_for_the_whole_context():
    found = search(ALL, (K2,), WANT)
    best = found.proven[0]
    assert (best.machine, best.context_tokens, best.tp, best.pp, best.dcp) == ("h200", 262_144, 8, 1, 1)
    assert (best.kv_dtype, best.utilization, best.max_num_seqs, best.verdict) == ("auto", None, None, "fits")
    assert found.none_because == "" and best.margin_gib.low > 0
    assert best.unproven == ("the public log is of vLLM 0.11.0, not 0.33.0",)


def test_what_lacks_a_measured_run_or_a_log_is_on_paper_only():
    found = search(ALL, (K2,), WANT)
    assert [o.machine for o in found.proven] == ["h200"]
    assert {"b200", "two-a100"} <= {o.machine for o in found.on_paper}
    for option in found.on_paper:
        assert option.unproven and not option.proven
    shown = {o.machine: " ".join(o.unproven) for o in found.on_paper}
    assert "compute capability 10.0" in shown["b200"] and "no public log found" in shown["b200"]
    assert "pipeline parallelism" in shown["two-a100"] and "2 hosts" in shown["two-a100"]


def test_sure_room_comes_before_room_that_depends_on_the_overhead():
    found = search(ALL, (K2,), WANT)
    sure = [certain(o) for o in found.on_paper]
    assert sure == sorted(sure, reverse=True) and True in sure and False in sure
    prices = [o.hardware_usd.mid for o in found.on_paper if certain(o)]
    assert prices == sorted(prices)


def test_a_cheaper_machine_that_fits_comes_first():
    cheap = dataclasses.replace(H200, id="cheap", hardware_usd=usd(50_000))
    assert [o.machine for o in search((*ALL, cheap), (K2,), WANT).proven] == ["cheap", "h200"]


def test_a_cheaper_machine_that_does_not_fit_is_not_offered():
    tiny = offer("tiny", gib=23.64, cc=8.9, price=1_000)
    found = search((*ALL, tiny), (K2,), WANT)
    assert "tiny" not in {o.machine for o in (*found.proven, *found.on_paper)}


def test_without_a_price_none_is_invented_and_it_ranks_last():
    bare = dataclasses.replace(H200, id="bare", hardware_usd=None)
    found = search((bare, H200), (K2,), WANT)
    assert [o.machine for o in found.proven] == ["h200", "bare"]
    assert found.proven[1].hardware_usd is None and found.proven[1].rent_usd_per_month is None
    nothing = search(tuple(dataclasses.replace(o, hardware_usd=None) for o in ALL), (K2,), WANT)
    assert {o.hardware_usd for o in (*nothing.proven, *nothing.on_paper)} == {None}


def test_rent_is_by_the_month_for_all_cards():
    rented = dataclasses.replace(H200, rent_usd_per_gpu_hour=Range(1.0, 2.0, 3.0))
    assert search((rented,), (K2,), WANT).proven[0].rent_usd_per_month == Range(5_840.0, 11_680.0, 17_520.0)


@pytest.mark.parametrize(
    "run",
    [
        dataclasses.replace(H200_RUN, kv_tokens=262_143),  # fewer than are wanted
        dataclasses.replace(H200_RUN, dcp=8),
        dataclasses.replace(H200_RUN, tp=4),
        dataclasses.replace(H200_RUN, kv_dtype="fp8"),
        dataclasses.replace(H200_RUN, arch=LLAMA),
    ],
)
def test_a_log_of_something_else_proves_nothing(run):
    plain = answered(dataclasses.replace(H200, runs=(run,)), K2, WANT, Knobs(tp=8))
    assert plain.verdict == "fits" and not plain.proven


def test_a_log_is_worth_nothing_where_the_model_says_no():
    small = dataclasses.replace(A100, runs=(dataclasses.replace(H200_RUN, kv_tokens=10**9),))
    assert not search((small,), (K2,), WANT).proven
    offloaded = answered(H200, K2, WANT, Knobs(tp=8, cpu_offload_gib=10.0))
    assert offloaded.verdict == "tight" and not offloaded.proven


def test_a_proven_setting_beats_a_plainer_one_that_no_log_shows():
    shown = dataclasses.replace(H200, runs=(dataclasses.replace(H200_RUN, dcp=8, kv_tokens=5_721_088),))
    best = best_on(shown, (K2,), WANT)
    assert best.proven and best.dcp == 8
    assert best_on(dataclasses.replace(H200, runs=()), (K2,), WANT).dcp == 1


def test_the_kept_are_few():
    many = tuple(dataclasses.replace(H200, id=f"m{i}", hardware_usd=usd(1000.0 + i)) for i in range(9))
    assert [o.machine for o in search(many, (K2,), WANT).proven] == ["m0", "m1", "m2", "m3", "m4"]


def test_where_nothing_reaches_the_context_the_longest_is_told():
    found = search((A100, dataclasses.replace(A100, id="four", gpus=4)), (K2,), WANT)
    assert not found.proven and [o.machine for o in found.on_paper] == ["a100"]
    assert 1024 <= found.on_paper[0].context_tokens <= 262_144
    assert found.on_paper[0].verdict in ("fits", "tight")


def test_where_nothing_fits_at_all_the_nearest_is_named():
    four, two = (dataclasses.replace(A100, id=f"a{n}", title=f"{n} cards", gpus=n) for n in (4, 2))
    found = search((two, four), (K2,), WANT)
    assert not found.proven and not found.on_paper
    assert "4 cards is nearest, short by" in found.none_because


def test_a_context_beyond_the_models_positions_is_said():
    found = search(ALL, (K2,), dataclasses.replace(WANT, context_tokens=300_000))
    assert not found.proven and not found.on_paper and "positions" in found.none_because


def test_an_empty_catalog_is_no_crash():
    assert "no machine" in search((), (K2,), WANT).none_because


def test_a_file_alone_is_never_more_than_tight():
    option = file_only(MAC, GGUF, WANT)
    assert option.verdict == "tight" and not option.proven and len(option.unproven) == 2
    assert option.margin_gib is None and option.kv_tokens is None
    small = file_only(dataclasses.replace(MAC, memory_gib=256.0), GGUF, WANT)
    assert small.verdict == "does-not-fit" and small.margin_gib.high < 0
    high = file_only(dataclasses.replace(MAC, memory_gib=400.0), GGUF, WANT)
    assert any("wired" in reason for reason in high.reasons)
    assert not any("wired" in reason for reason in option.reasons)


def test_an_engine_serves_only_its_own_files():
    assert best_on(MAC, (K2,), WANT) is None and best_on(H200, (GGUF,), WANT) is None


def test_fp8_needs_the_card():
    assert not allows_fp8(A100, KIMI) and not allows_fp8(MAC, KIMI) and allows_fp8(H100, KIMI)
    assert all(k.kv_dtype == "auto" for k in ladder(A100, KIMI, WANT, 8, 1))
    assert any(k.kv_dtype == "fp8" for k in ladder(H100, KIMI, WANT, 8, 1))


def test_context_parallel_divides_tp():
    assert context_splits(8, KIMI) == (1, 2, 4, 8) and context_splits(6, KIMI) == (1, 2)
    assert context_splits(8, LLAMA) == (1,) and context_splits(16, LLAMA) == (1, 2)


def test_splits_keep_a_tensor_group_in_its_host():
    assert splits(TWO_A100)[0] == (8, 2) and splits(H200)[0] == (8, 1)
    assert all(tp * pp == 16 for tp, pp in splits(TWO_A100))


def test_a_vision_tower_does_not_make_another_text_model():
    assert same_text_model(KIMI, dataclasses.replace(KIMI, vision_params=None, name="other"))
    assert not same_text_model(KIMI, dataclasses.replace(KIMI, layers=62))
    assert not same_text_model(KIMI, dataclasses.replace(KIMI, quantization=None))


def test_8x_a100_gives_only_short_contexts_without_dcp_and_refuses_fp8():
    rows = on_declared(A100, K2, WANT, Knobs(tp=8))
    assert rows[0].utilization is None and rows[0].verdict == "does-not-fit"
    plain = [r for r in rows if r.dcp == 1 and r.kv_dtype == "auto" and r.utilization == 0.95]
    shared = [r for r in rows if r.dcp == 8 and r.utilization == 0.95]
    assert plain and all(r.verdict == "tight" and r.context_tokens < 32_768 for r in plain)
    assert [r.context_tokens for r in shared] == [8 * r.context_tokens for r in plain]
    refused = [r for r in rows if r.kv_dtype == "fp8"]
    assert [r.verdict for r in refused] == ["unsupported"] and "8.9" in refused[0].reasons[0]
    assert all("no public log found of Kimi K2.5 on 8x a100" in " ".join(r.unproven) for r in rows)


def test_4x_a100_says_what_is_missing_and_what_offloading_would_take():
    four = dataclasses.replace(A100, gpus=4, ram_gib=512.0)
    first, *rest = on_declared(four, K2, WANT, Knobs(tp=4))
    assert first.verdict == "does-not-fit" and "short by 67.0" in first.reasons[0]
    assert rest and all(r.cpu_offload_gib > 67 and r.verdict == "tight" for r in rest)
    assert all("offloaded" in " ".join(r.unproven) for r in rest)
    poor = on_declared(dataclasses.replace(four, ram_gib=256.0), K2, WANT, Knobs(tp=4))
    assert all(r.verdict == "does-not-fit" for r in poor) and "cannot hold" in poor[1].reasons[0]


def test_offloading_more_than_the_weights_is_not_offered():
    tiny = offer("tiny", gib=2.0, cc=8.9, ram_gib=1e5)
    assert [r.cpu_offload_gib for r in on_declared(tiny, K2, WANT, Knobs(tp=8))] == [0.0]


def test_declared_hosts_that_fit_need_no_other_row():
    assert len(on_declared(H200, K2, WANT, Knobs(tp=8))) == 1
    assert len(on_declared(B200, K2, WANT, Knobs(tp=8))) == 1  # only a measured run is missing: no knob gives one
    assert on_declared(MAC, GGUF, WANT, Knobs(tp=1))[0].verdict == "tight"


def test_a_bad_split_is_unsupported_not_a_crash():
    for knobs in (Knobs(tp=7), Knobs(tp=8, dcp=3), Knobs(tp=16), Knobs(tp=8, cpu_offload_gib=-1.0)):
        assert answered(H200, K2, WANT, knobs).verdict == "unsupported"


def test_at_longest_never_promises_more_than_it_asked_again():
    short = at_longest(A100, K2, WANT, Knobs(tp=8, utilization=0.95))
    again = answered(
        A100, K2, dataclasses.replace(WANT, context_tokens=short.context_tokens), Knobs(tp=8, utilization=0.95)
    )
    assert short.verdict == again.verdict and "262,144 tokens do not fit" in short.reasons[0]


SOME_OFFERS = st.builds(
    offer,
    st.sampled_from("abcdef"),
    gib=st.floats(10.0, 300.0),
    cc=st.sampled_from([8.0, 8.6, 8.9, 9.0, 10.0, 12.0]),
    gpus=st.sampled_from([1, 2, 4, 8, 16]),
    price=st.one_of(st.none(), st.floats(1.0, 1e6)),
    runs=st.lists(
        st.builds(
            Run,
            arch=st.sampled_from([KIMI, LLAMA]),
            tp=st.sampled_from([1, 4, 8, 16]),
            pp=st.sampled_from([1, 2]),
            dcp=st.sampled_from([1, 8]),
            kv_dtype=st.sampled_from(["auto", "fp8"]),
            kv_tokens=st.integers(1, 10**7),
            vllm=st.one_of(st.none(), st.just("0.11.0")),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(SOME_OFFERS, max_size=3, unique_by=lambda o: o.id),
    st.sampled_from([KIMI, LLAMA]),
    st.integers(1024, 131_072),
    st.sampled_from([1, 4, 64]),
    st.sampled_from(["0.11.0", "0.33.0"]),
)
def test_whatever_is_proven_fits_when_it_is_asked_again(offers, arch, context, requests, vllm):
    want = Want(context_tokens=context, concurrent_requests=requests, vllm=vllm)
    found = search(offers, (Checkpoint(id="m", title="m", arch=arch, file_bytes=1),), want)
    assert bool(found.proven) != bool(found.none_because)
    for option in found.proven:
        at = next(o for o in offers if o.id == option.machine)
        again = fit(
            arch,
            gpu_memory_gib=at.memory_gib,
            compute_capability=at.compute_capability,
            gpus=at.gpus,
            tp=option.tp,
            pp=option.pp,
            dcp=option.dcp,
            utilization=option.utilization,
            kv_dtype=option.kv_dtype,
            max_num_seqs=option.max_num_seqs,
            max_num_batched_tokens=option.max_num_batched_tokens,
            context_tokens=context,
            concurrent_requests=requests,
            vllm=vllm,
        )
        assert again.verdict == "fits" and option.context_tokens == context and at.runs
    for option in found.on_paper:
        assert not option.proven and option.verdict in ("fits", "tight")
