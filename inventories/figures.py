"""What the catalog knows about GPUs, models and prices: every figure with its source, date and basis."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field

from inventories import reading
from inventories.errors import BadInput
from inventories.schema import CatalogId, Name, Repo, Strict
from inventories.validating import nearest, validated

FOLDER = Path(__file__).resolve().parent / "catalog"
Basis = Literal["measured here", "measured elsewhere", "modelled", "vendor's word"]
E = TypeVar("E", bound=BaseModel)


class Figure(Strict):
    """One number with its unit, where it was found, the day of that source, and what it rests on."""

    value: float
    unit: str = Field(min_length=1)
    source: str = Field(min_length=10)
    as_of: date = Field(description="the source's own date, or the day it was read where it has none")
    basis: Basis


class Gpu(Strict):
    """One kind of GPU."""

    id: CatalogId
    title: str
    memory_gib: Figure = Field(
        description="what CUDA reports for one card; the notes say where only a nominal size is known"
    )
    compute_capability: Figure | None = Field(None, description="absent: not a CUDA device")
    notes: str = ""


class Recipe(Strict):
    """What an engine must be and be told to serve a checkpoint, beside what its config.json says."""

    source: str = Field(min_length=10)
    least: dict[Name, str] = Field(default_factory=dict, description="least version by engine kind")
    own_code: str = Field("", description="module of the checkpoint that the engine runs: --trust-remote-code")
    thinking_switch: str = Field("", description="key of chat_template_kwargs that turns thinking off")
    vision: bool = False


class ModelCard(Strict):
    """One checkpoint: where it lies, how big it is, and the config.json that its memory follows from."""

    id: CatalogId
    title: str
    repo: Repo
    include: tuple[str, ...] = Field(
        (), description="globs of the files to fetch, as `hf download --include` takes them; none: the whole repository"
    )
    params: Figure
    checkpoint_bytes: Figure = Field(description="all weight files together")
    config: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*\.json$", description="file in catalog/configs")
    config_source: str = Field(min_length=10)
    config_as_of: date
    modality: str
    quantisation: str
    reasoning_parser: str | None = Field(None, description="vLLM's parser that splits the thinking off")
    tool_call_parser: str | None = Field(None, description="vLLM's parser of this model's tool calls")
    recipe: Recipe | None = Field(None, description="absent: any engine that knows the architecture")

    def config_path(self) -> Path:
        """The config.json of this model."""
        return FOLDER / "configs" / self.config

    def read_config(self) -> dict[str, Any]:
        """The parsed config.json, fresh on every call."""
        parsed: dict[str, Any] = json.loads(self.config_path().read_text(encoding="utf-8"))
        return parsed


class Price(Strict):
    """What one thing costs, in US dollars; the figure's unit says per what."""

    id: CatalogId
    what: str
    usd: Figure


@cache
def gpus() -> Mapping[str, Gpu]:
    """Every GPU in catalog/gpus.yaml by id."""
    return entries("gpus.yaml", Gpu)


@cache
def models() -> Mapping[str, ModelCard]:
    """Every model in catalog/models.yaml by id."""
    return entries("models.yaml", ModelCard)


@cache
def prices() -> Mapping[str, Price]:
    """Every price in catalog/prices.yaml by id."""
    return entries("prices.yaml", Price)


def gpu(id: str) -> Gpu:
    """The GPU of that id; BadInput names the known ones."""
    return one(id, "GPU", "gpus.yaml", gpus())


def model(id: str) -> ModelCard:
    """The model of that id; BadInput names the known ones."""
    return one(id, "model", "models.yaml", models())


def price(id: str) -> Price:
    """The price of that id; BadInput names the known ones."""
    return one(id, "price", "prices.yaml", prices())


def entries(file: str, shape: type[E]) -> Mapping[str, E]:
    """Every entry of one catalog file, validated as `shape`, by id."""
    path = FOLDER / file
    data = reading.read(path)
    if not isinstance(data, dict):
        raise BadInput("expected a mapping from id to entry", where=str(path), fix="start each entry with its id")
    out = {}
    for id, entry in data.items():
        whole = {"id": id, **entry} if isinstance(entry, dict) else entry
        out[str(id)] = validated(shape, whole, f"{path}: {id}")
    return MappingProxyType(out)


def one(id: str, kind: str, file: str, known: Mapping[str, E]) -> E:
    """The entry of that id; BadInput names the file and the nearest known ones."""
    if id in known:
        return known[id]
    near = nearest(id, known)
    hint = f"did you mean {' or '.join(near)}?  " if near else ""
    raise BadInput(f"unknown {kind} {id!r}", where=str(FOLDER / file), fix=f"{hint}Known: {', '.join(known)}")
