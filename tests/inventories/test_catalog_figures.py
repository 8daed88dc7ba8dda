"""The catalog: every figure has a source and a date, and the numbers agree with what they were made from."""

import json
import math
from datetime import date

import pytest
from pydantic import ValidationError

from inventories import figures
from inventories.errors import BadInput
from rehearsal.checkpoint import checkpoints

TINY = {built.repo.split("/")[1]: built for built in checkpoints()}


def every_figure():
    for id, gpu in figures.gpus().items():
        yield f"gpus {id}", gpu.memory_gib
        if gpu.compute_capability:
            yield f"gpus {id} capability", gpu.compute_capability
    for id, model in figures.models().items():
        yield f"models {id} params", model.params
        yield f"models {id} bytes", model.checkpoint_bytes
    for id, price in figures.prices().items():
        yield f"prices {id}", price.usd


@pytest.mark.parametrize(("where", "figure"), list(every_figure()))
def test_a_figure_says_where_it_comes_from(where, figure):
    assert figure.value > 0 and figure.unit
    assert date(2020, 1, 1) <= figure.as_of
    assert figure.source.strip()


def test_a_nominal_size_is_called_the_vendors_word():
    for id in ("a40", "m3-ultra"):
        figure = figures.gpu(id).memory_gib
        assert figure.basis == "vendor's word" and "nominal" in figure.source
    for id in ("h200", "h100-80gb", "b200", "rtx-4090"):
        assert figures.gpu(id).memory_gib.basis == "measured elsewhere"


def test_what_cuda_reports():
    assert figures.gpu("h200").memory_gib.value == 139.80
    assert figures.gpu("a100-80gb").memory_gib.value == 79.18
    assert figures.gpu("a100-80gb").compute_capability.value == 8.0
    assert figures.gpu("m3-ultra").compute_capability is None


@pytest.mark.parametrize(
    ("look", "id", "near"),
    [
        (figures.gpu, "h2000", "h200"),
        (figures.model, "kimi-k2-thinkin", "kimi-k2-thinking"),
        (figures.price, "a100x8-runing", "a100x8-running"),
    ],
)
def test_an_unknown_id_names_the_known_ones(look, id, near):
    with pytest.raises(BadInput) as caught:
        look(id)
    assert repr(id) in caught.value.what and caught.value.where.endswith(".yaml")
    assert near in caught.value.fix.split("?")[0]
    known = {figures.gpu: figures.gpus, figures.model: figures.models, figures.price: figures.prices}[look]()
    assert ", ".join(known) in caught.value.fix


def test_entries_and_the_catalog_are_frozen():
    with pytest.raises(ValidationError):
        figures.gpu("h200").title = "x"
    with pytest.raises(TypeError):
        figures.gpus()["x"] = figures.gpu("h200")


def test_a_figure_without_a_source_is_refused(tmp_path, monkeypatch):
    text = (figures.FOLDER / "gpus.yaml").read_text().replace("    source: ", "    sauce: ", 1)
    (tmp_path / "gpus.yaml").write_text(text)
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    figures.gpus.cache_clear()
    try:
        with pytest.raises(BadInput) as caught:
            figures.gpus()
    finally:
        figures.gpus.cache_clear()
    assert "memory_gib.source: Field required" in caught.value.what
    assert caught.value.where == f"{tmp_path / 'gpus.yaml'}: a100-80gb"


@pytest.mark.parametrize("id", TINY)
def test_the_tiny_models_are_what_this_repository_makes(id):
    card, built = figures.model(id), TINY[id]
    assert card.repo == built.repo
    assert card.config_path().read_bytes() == built.files["config.json"], (
        "copy the new config.json into catalog/configs"
    )
    weights = [body for name, body in built.files.items() if name.endswith(".safetensors")]
    assert card.checkpoint_bytes.value == sum(map(len, weights))


def test_the_tiny_parameters_are_counted():
    count = 0
    for name, body in TINY["tiny-k2"].files.items():
        if name.endswith(".safetensors"):
            header = json.loads(body[8 : 8 + int.from_bytes(body[:8], "little")])
            count += sum(math.prod(t["shape"]) for key, t in header.items() if key != "__metadata__")
    assert {figures.model(id).params.value for id in TINY} == {count}


def routed_experts(text):
    layers = text["num_hidden_layers"] - text["first_k_dense_replace"]
    return layers * text["n_routed_experts"] * 3 * text["hidden_size"] * text["moe_intermediate_size"]


def test_kimis_sizes_follow_from_the_configs():
    thinking = figures.model("kimi-k2-thinking")
    config = thinking.read_config()
    rest = thinking.params.value - routed_experts(config)
    group = config["quantization_config"]["config_groups"]["group_0"]["weights"]["group_size"]
    computed = routed_experts(config) * (0.5 + 2 / group) + 2 * rest
    assert computed == pytest.approx(thinking.checkpoint_bytes.value, rel=1e-5)
    vision = figures.model("kimi-k2.5").params.value - thinking.params.value
    assert figures.model("kimi-k2.5").checkpoint_bytes.value - thinking.checkpoint_bytes.value == 2 * vision


def test_the_three_kimi_configs_agree_where_the_sources_say_so():
    thinking, k25, k26 = (figures.model(id).read_config() for id in ("kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6"))
    assert (thinking["architectures"], thinking["model_type"]) == (["DeepseekV3ForCausalLM"], "kimi_k2")
    assert k25["model_type"] == "kimi_k25" and "text_config" not in thinking
    assert all(k25["text_config"][key] == value for key, value in thinking.items())
    assert len(thinking["quantization_config"]["ignore"]) == 4
    assert len(k26["text_config"]["quantization_config"].pop("ignore")) == 7
    k25["text_config"]["quantization_config"].pop("ignore")
    assert k25 == k26


def test_a_config_is_read_afresh():
    card = figures.model("kimi-k2-thinking")
    card.read_config().clear()
    assert card.read_config()


def test_the_prices_of_both_documents_are_there():
    usd = {id: price.usd.value for id, price in figures.prices().items()}
    assert (usd["mac-studio-m3-ultra-running"], usd["a100x8-running"]) == (500, 15_000)
    assert (usd["api-kimi-k2.5-input"], usd["api-kimi-k2.5-output"]) == (0.60, 3.00)
    assert {"USD per year", "USD per million tokens"} <= {p.usd.unit for p in figures.prices().values()}


def test_what_hardware_costs_stands_in_one_place_only():
    assert not [id for id, price in figures.prices().items() if price.usd.unit == "USD"]
