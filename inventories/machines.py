"""What can be bought or rented whole: catalog/machines.yaml.  Each figure is a span with source, date and basis."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Literal

from pydantic import Field, model_validator

from inventories.figures import Basis, entries, one
from inventories.schema import CatalogId, Strict

FILE = "machines.yaml"


class Span(Strict):
    """A figure known between two ends; `mid` is the best single one."""

    low: float = Field(ge=0)
    mid: float = Field(ge=0)
    high: float = Field(ge=0)
    unit: str = Field(min_length=1)
    source: str = Field(min_length=10)
    as_of: date = Field(description="the source's own date, or the day it was read where it has none")
    basis: Basis | Literal["assumed"]

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if not self.low <= self.mid <= self.high:
            raise ValueError(f"low {self.low:g} <= mid {self.mid:g} <= high {self.high:g} does not hold")
        return self


class Run(Strict):
    """A start of vLLM on this very machine that a public log shows, with the room for KV that it had."""

    model: CatalogId = Field(description="id in models.yaml; a model with the same text tensors is shown by it too")
    tp: int = Field(ge=1)
    pp: int = Field(1, ge=1)
    dcp: int = Field(1, ge=1)
    kv_dtype: Literal["auto", "fp8"] = "auto"
    utilization: float | None = Field(None, gt=0, le=1)
    kv_tokens: int = Field(ge=1, description="tokens of KV cache that fitted, over all ranks")
    vllm: str | None = Field(None, min_length=1, description="version, as the source names it; absent: it does not")
    approximate: bool = Field(False, description="the source itself calls the tokens approximate")
    source: str = Field(min_length=10)
    as_of: date


class Machine(Strict):
    """One machine, or a set of like machines.  An absent figure was not found."""

    id: CatalogId
    title: str
    gpu: CatalogId = Field(description="id in gpus.yaml")
    gpus: int = Field(ge=1, description="cards in all")
    hosts: int = Field(1, ge=1, description="machines that the cards are spread over")
    engine: Literal["vllm", "llamacpp"] = "vllm"
    hardware_usd: Span | None = None
    rent_usd_per_gpu_hour: Span | None = None
    it_kw: Span | None = Field(None, description="what it draws under load, without cooling")
    runs: tuple[Run, ...] = ()
    notes: str = ""

    @model_validator(mode="after")
    def _cards_spread_evenly(self) -> Machine:
        if self.gpus % self.hosts:
            raise ValueError(f"{self.gpus} cards do not spread evenly over {self.hosts} hosts")
        return self


@cache
def machines() -> Mapping[str, Machine]:
    """Every machine in catalog/machines.yaml by id."""
    return entries(FILE, Machine)


def machine(id: str) -> Machine:
    """The machine of that id; BadInput names the known ones."""
    return one(id, "machine", FILE, machines())
