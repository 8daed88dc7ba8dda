"""The machine bought, and the same one rented: the inventory's figures, or else the catalog's."""

from __future__ import annotations

from assumptions.formulas.capacity import Capacity
from assumptions.formulas.machines import Own, Rent
from assumptions.formulas.money import Quantity, best, lower, upper
from assumptions.formulas.shapes import Range
from flows.cost_inputs import Inputs, times
from inventories.costs import cost
from inventories.machines import Machine, Span
from inventories.money import Own as DeclaredOwn
from inventories.money import Rent as DeclaredRent

DEFAULTS = ("life_years", "resale_share", "pue", "usd_per_kwh", "colocation_usd_per_kw_month")
PEOPLE = ("support_share_per_year", "staff_fte", "usd_per_fte_year")
WHICH = "which machine of catalog/machines.yaml this is"


def own(declared: DeclaredOwn, found: Machine | None, rates: Capacity | None, inputs: Inputs) -> Own | str:
    """The bought machine, or what must be known first."""
    price, power = (found.hardware_usd, found.it_kw) if found else (None, None)
    if declared.hardware_usd is None and price is None:
        return f"a price for {found.title}: money.own.hardware_usd" if found else f"{WHICH}: money.own"
    if declared.it_kw is None and power is None:
        return "what the machine draws under load: money.own.it_kw"
    hardware = inputs.take("own.hardware_usd", declared.hardware_usd, price, "USD")
    busy = inputs.take("own.power_kw_busy", declared.it_kw, power, "kW")
    taken = {
        name: inputs.or_default(f"own.{name}", getattr(declared, name), name.replace("_", "-"))
        for name in (*DEFAULTS, *PEOPLE)
    }
    return Own(
        hardware_usd=hardware,
        install_usd=_install(declared, best(hardware), inputs),
        power_kw_busy=busy,
        power_kw_idle=_idle(declared, busy, inputs),
        other_usd_per_year=inputs.take("own.other_usd_per_year", declared.other_usd_per_year, None, "USD per year"),
        redundancy_factor=_spares("own", declared.spares, inputs),
        capacity=rates,
        **taken,
    )


def rent(declared: DeclaredRent, found: Machine | None, rates: Capacity | None, inputs: Inputs) -> Rent | str:
    """The rented machine, or what must be known first."""
    if found is None:
        return f"{WHICH}: money.rent.machine"
    if declared.usd_per_gpu_hour is None and found.rent_usd_per_gpu_hour is None:
        return f"a rent for {found.title}: money.rent.usd_per_gpu_hour"
    hourly = inputs.take(
        "rent.usd_per_gpu_hour", declared.usd_per_gpu_hour, found.rent_usd_per_gpu_hour, "USD per GPU-hour"
    )
    storage = inputs.take("rent.storage_usd_per_month", declared.storage_usd_per_month, None, "USD per month")
    return Rent(
        gpus=found.gpus,
        usd_per_gpu_hour=hourly,
        setup_usd=inputs.take("rent.setup_usd", declared.setup_usd, None, "USD"),
        storage_usd_per_month=storage,
        staff_fte=inputs.or_default("rent.staff_fte", declared.staff_fte, "staff-fte"),
        usd_per_fte_year=inputs.or_default("rent.usd_per_fte_year", declared.usd_per_fte_year, "usd-per-fte-year"),
        redundancy_factor=_spares("rent", declared.spares, inputs),
        capacity=rates,
    )


def _install(declared: DeclaredOwn, hardware_usd: float, inputs: Inputs) -> Quantity:
    if declared.install_usd is not None:
        return inputs.take("own.install_usd", declared.install_usd, None, "USD")
    share: Span = cost("install-share")
    dollars = times(Range(share.low, share.mid, share.high), hardware_usd)
    said = (share.basis, f"{share.low:.0%} to {share.high:.0%} of the price; {share.source}", share.as_of)
    return inputs.add("own.install_usd", dollars, "USD", *said)


def _idle(declared: DeclaredOwn, busy: Quantity, inputs: Inputs) -> Quantity:
    """Idle power: a share of the best figure under load, and never above the least one."""
    share = inputs.or_default("own.idle_share_of_power", declared.idle_share_of_power, "idle-share-of-power")
    drawn, most = times(best(busy), share), lower(busy)
    low, mid, high = (min(each, most) for each in (lower(drawn), best(drawn), upper(drawn)))
    idle = mid if low == high else Range(low, mid, high)
    return inputs.derived("own.power_kw_idle", idle, "kW", "the idle share of the power under load")


def _spares(way: str, spares: int, inputs: Inputs) -> Quantity:
    said = f"{spares} spare machines" if spares else "no spare machine"
    return inputs.add(f"{way}.redundancy_factor", 1.0 + spares, "machines", "assumed", said, None)
