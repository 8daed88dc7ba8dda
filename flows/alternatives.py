"""What would make it yes: the machines of the catalog and the settings of the declared hosts that serve a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assumptions.formulas.asking import certain
from assumptions.formulas.declared import on_declared
from assumptions.formulas.offers import Option, Want
from assumptions.formulas.search import ABLE, search
from flows.offers import NEWEST_VLLM, checkpoints, declared_offer, knobs_of, offer_of, want_of
from inventories.machines import machines
from inventories.schema import Inventory
from tasks.engines.base import Flag, engine


@dataclass(frozen=True, slots=True)
class Alternatives:
    """`declared`: settings of the hosts at hand.  The rest: machines of the catalog, cheapest first.

    `proven` fit by the memory model and by a public log; `on_paper` lack one of both.  `none_because` is empty
    unless `proven` is; `declared_because` unless no declared setting surely holds what is wanted.
    """

    declared: tuple[Option, ...]
    proven: tuple[Option, ...]
    on_paper: tuple[Option, ...]
    none_because: str
    declared_because: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def for_inventory(inventory: Inventory) -> Alternatives:
    """Every alternative for what the inventory wants to serve; BadInput for options that are not the engine's.

    Reads the catalog alone; touches no host.
    """
    engine(inventory.engine.kind).check(inventory)
    here = declared_offer(inventory)
    if here is None:
        return Alternatives((), (), (), _why_not(inventory))
    want, known = want_of(inventory), checkpoints(inventory.model.catalog)
    own = known[0]
    if own.engine != inventory.engine.kind:
        reason = f"{own.title} is not for {inventory.engine.kind}, but for {own.engine}"
        return Alternatives((), (), (), reason)
    found = search(tuple(map(offer_of, machines().values())), known, want)
    rows = on_declared(here, own, want, knobs_of(inventory))
    return Alternatives(rows, found.proven, found.on_paper, found.none_because, _declared_because(rows, want))


def variant(inventory: Inventory, option: Option) -> Inventory:
    """The inventory with the option's settings in place of its own."""
    chosen = {
        "decode_context_parallel": option.dcp if option.dcp > 1 else None,
        "kv_cache_dtype": None if option.kv_dtype == "auto" else option.kv_dtype,
        "gpu_memory_utilization": option.utilization,
        "max_num_seqs": option.max_num_seqs,
        "max_num_batched_tokens": option.max_num_batched_tokens,
        "cpu_offload_gib": option.cpu_offload_gib or None,
    }
    kept = {key: value for key, value in inventory.engine.options.items() if key not in chosen}
    same = option.engine == inventory.engine.kind
    engine = inventory.engine.model_copy(
        update={
            "kind": option.engine,
            "version": inventory.engine.version if same else NEWEST_VLLM,
            "tensor_parallel": option.tp,
            "pipeline_parallel": option.pp,
            "options": (kept if same else {}) | {key: value for key, value in chosen.items() if value is not None},
        }
    )
    serving = inventory.serving.model_copy(
        update={"context_tokens": option.context_tokens, "concurrent_requests": option.concurrent_requests}
    )
    weights = inventory.model.model_copy(update={"catalog": option.model})
    return inventory.model_copy(update={"engine": engine, "serving": serving, "model": weights})


def launch_flags(inventory: Inventory, option: Option) -> tuple[Flag, ...]:
    """The engine's flags for an option, each with its reason; none for an engine that can only be planned with."""
    from tasks.engines.vllm import ENGINE

    if option.engine != "vllm":
        return ()
    chosen = variant(inventory, option)
    head = chosen.hosts[0]
    return ENGINE.flags(chosen, chosen.model_dir(option.model, chosen.model.revision or "REVISION", head))


def _declared_because(rows: Sequence[Option], want: Want) -> str:
    """Why the declared hosts are not a plain yes; empty when they are."""
    whole = [row for row in rows if row.verdict in ABLE and row.context_tokens == want.context_tokens]
    if any(row.verdict == "fits" for row in whole):
        return ""
    asked = f"{want.concurrent_requests} request(s) of {want.context_tokens:,} tokens"
    plain = [row for row in whole if not row.cpu_offload_gib]
    if plain and plain[-1].margin_gib and not certain(plain[-1]):
        return f"{asked} may fit on the declared hosts: it depends on an overhead known only as a range"
    if plain:
        return f"{asked} fit on the declared hosts on paper only: {'; '.join(plain[0].unproven)}"
    first = rows[0].reasons[0] if rows and rows[0].reasons else "nothing is known of it"
    shorter = max((row.context_tokens for row in rows if row.verdict in ABLE and row not in whole), default=0)
    if shorter:
        return f"no setting of the declared hosts holds {asked}; the longest context that may fit is {shorter:,}"
    moved = "; with weights offloaded it fits on paper only: no measured run has it" if whole else ""
    return f"no setting of the declared hosts holds {asked}: {first}{moved}"


def _why_not(inventory: Inventory) -> str:
    kinds = {host.gpu for host in inventory.hosts}
    if kinds == {None}:
        return "the inventory declares no GPU, so there is nothing to search for"
    return (
        f"the hosts declare different cards ({', '.join(sorted(map(str, kinds)))}); a split over them is not modelled"
    )
