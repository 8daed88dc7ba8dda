"""From a plan's sheet to what the report and the terminal print: texts with units, each with its basis."""

from __future__ import annotations

from collections.abc import Iterator

from assumptions._memory_question import card
from assumptions._plan_view import NO_GPU, Alternative, Block, Figure, LaunchFlag, PlanView
from assumptions.formulas.memory import Range
from assumptions.formulas.offers import Option
from flows.cost_view import view as cost_view
from flows.plan_sheet import PlanSheet
from inventories.schema import Inventory


def view(inventory: Inventory, sheet: PlanSheet) -> PlanView:
    """The same facts as the sheet, ready to print."""
    known, others = card(inventory), sheet.alternatives
    return PlanView(
        fit=sheet.fit,
        gpu_title=known.title if known else NO_GPU,
        gpu_memory_gib=known.memory_gib.value if known else None,
        gpu_count=sum(host.gpus for host in inventory.hosts) or None,
        gpu_memory_basis=known.memory_gib.basis if known else "declared",
        context_tokens=inventory.serving.context_tokens,
        concurrent_requests=inventory.serving.concurrent_requests,
        fit_map=sheet.cells,
        alternatives=(
            *_rows("declared", others.declared),
            *_rows("proven", others.proven),
            *_rows("on paper", others.on_paper),
        ),
        none_because="; ".join(filter(None, (others.declared_because, others.none_because))),
        cost=cost_view(sheet.cost) if sheet.cost else None,
        launch_flags=tuple(LaunchFlag(" ".join(flag.words), flag.why) for flag in sheet.flags),
        notes=(f"Launch flags are those of {sheet.flags_for}.",) if sheet.flags_for else (),
    )


def _rows(block: Block, options: tuple[Option, ...]) -> Iterator[Alternative]:
    for option in options:
        yield Alternative(
            block=block,
            title=option.title,
            split=split(option),
            verdict=option.verdict,
            price=_price(option),
            margin=_margin(option),
            unproven=option.unproven,
            flags=tuple(reason for reason in option.reasons if reason),
        )


def split(option: Option) -> str:
    """The setting in the engine's own terms: TP8, DCP8, 0.95 of the card, 16,800 tokens."""
    words = [f"TP{option.tp}"] if option.engine == "vllm" else [option.engine]
    words += [f"PP{option.pp}"] if option.pp > 1 else []
    words += [f"DCP{option.dcp}"] if option.dcp > 1 else []
    words += [f"{option.kv_dtype} KV"] if option.kv_dtype != "auto" else []
    words += [f"utilization {option.utilization:g}"] if option.utilization is not None else []
    words += [f"max-num-seqs {option.max_num_seqs}"] if option.max_num_seqs is not None else []
    words += [f"offload {option.cpu_offload_gib:g} GiB/GPU"] if option.cpu_offload_gib else []
    words.append(f"{option.context_tokens:,} tokens")
    words += [f"x {option.concurrent_requests}"] if option.concurrent_requests > 1 else []
    return ", ".join(words)


def _price(option: Option) -> Figure:
    if option.hardware_usd is None:
        return Figure("no price found")
    return Figure(_usd(option.hardware_usd), option.price_basis)


def _usd(span: Range) -> str:
    low, mid, high = (f"{edge / 1000:,.0f}k" for edge in (span.low, span.mid, span.high))
    return f"${mid}" if low == high else f"${low} to ${high}"


def _margin(option: Option) -> Figure:
    span = option.margin_gib
    return Figure(f"{span.low:+.1f} to {span.high:+.1f} GiB", "modelled") if span else Figure("not modelled")
