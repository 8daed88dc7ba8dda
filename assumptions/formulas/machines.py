"""A machine one owns or rents: what is paid for it, when, and what a month of it costs at a given utilisation."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.capacity import Capacity
from assumptions.formulas.money import (
    HOURS_PER_MONTH,
    MONTHS_PER_YEAR,
    MOST_USD,
    BadAssumption,
    Quantity,
    best,
    check,
    lower,
    upper,
    whole,
)

USD = (0.0, MOST_USD)


@dataclass(frozen=True, slots=True)
class Own:
    """A bought machine.  `redundancy_factor` is (N + k) / N: the k spares are paid for, stand idle and serve nothing.

    Colocation is charged on the busy kW.  At the end of its life the machine is sold for `resale_share` of its price
    and bought again at the same price; at the end of the horizon it is sold for that share whatever its age.
    """

    hardware_usd: Quantity
    life_years: Quantity
    capacity: Capacity | None
    install_usd: Quantity = 0.0
    resale_share: Quantity = 0.0
    power_kw_busy: Quantity = 0.0
    power_kw_idle: Quantity = 0.0
    pue: Quantity = 1.0
    usd_per_kwh: Quantity = 0.0
    colocation_usd_per_kw_month: Quantity = 0.0
    support_share_per_year: Quantity = 0.0
    staff_fte: Quantity = 0.0
    usd_per_fte_year: Quantity = 0.0
    other_usd_per_year: Quantity = 0.0
    redundancy_factor: Quantity = 1.0

    def __post_init__(self) -> None:
        check(self, dict.fromkeys(("hardware_usd", "install_usd", "usd_per_fte_year", "other_usd_per_year"), USD))
        check(self, dict.fromkeys(("resale_share", "support_share_per_year"), (0.0, 1.0)))
        check(self, dict.fromkeys(("power_kw_busy", "power_kw_idle", "colocation_usd_per_kw_month"), (0.0, 1e6)))
        check(self, {"life_years": (1 / MONTHS_PER_YEAR, 50), "pue": (1, 10), "usd_per_kwh": (0, 100)})
        check(self, {"staff_fte": (0, 1e4), "redundancy_factor": (1, 100)})
        _check_capacity(self.capacity)
        if upper(self.power_kw_idle) > lower(self.power_kw_busy):
            raise BadAssumption("power_kw_idle can exceed power_kw_busy")

    def bought_usd(self, month: int, horizon_months: int) -> float:
        """What is paid for hardware and its installation at the end of that month; month 0 is the start."""
        due = month % self._life_months() == 0 and month < horizon_months
        return (best(self.hardware_usd) + best(self.install_usd)) * best(self.redundancy_factor) if due else 0.0

    def sold_usd(self, month: int, horizon_months: int) -> float:
        """What selling the machine brings at the end of that month."""
        due = month > 0 and (month % self._life_months() == 0 or month == horizon_months)
        return best(self.hardware_usd) * best(self.resale_share) * best(self.redundancy_factor) if due else 0.0

    def usd_per_month(self, utilisation: float) -> float:
        """Power, colocation, support, staff and the rest for one month; straight-line in the utilisation."""
        machines, busy, idle = best(self.redundancy_factor), best(self.power_kw_busy), best(self.power_kw_idle)
        kw = machines * idle + (busy - idle) * utilisation
        yearly = (
            best(self.hardware_usd) * machines * best(self.support_share_per_year)
            + best(self.staff_fte) * best(self.usd_per_fte_year)
            + best(self.other_usd_per_year)
        )
        power = kw * best(self.pue) * HOURS_PER_MONTH * best(self.usd_per_kwh)
        return power + machines * busy * best(self.colocation_usd_per_kw_month) + yearly / MONTHS_PER_YEAR

    def _life_months(self) -> int:
        return max(1, round(best(self.life_years) * MONTHS_PER_YEAR))


@dataclass(frozen=True, slots=True)
class Rent:
    """A rented machine, paid by the hour whether busy or not; `redundancy_factor` as for an owned one."""

    gpus: int
    usd_per_gpu_hour: Quantity
    capacity: Capacity | None
    setup_usd: Quantity = 0.0
    storage_usd_per_month: Quantity = 0.0
    staff_fte: Quantity = 0.0
    usd_per_fte_year: Quantity = 0.0
    redundancy_factor: Quantity = 1.0

    def __post_init__(self) -> None:
        whole("gpus", self.gpus, least=1, most=100_000)
        check(self, dict.fromkeys(("setup_usd", "storage_usd_per_month", "usd_per_fte_year"), USD))
        check(self, {"usd_per_gpu_hour": (0, 1e4), "staff_fte": (0, 1e4), "redundancy_factor": (1, 100)})
        _check_capacity(self.capacity)

    def bought_usd(self, month: int, horizon_months: int) -> float:
        """The setup, paid once at the start."""
        return best(self.setup_usd) if month == 0 else 0.0

    def sold_usd(self, month: int, horizon_months: int) -> float:
        """Nothing: a rented machine goes back."""
        return 0.0

    def usd_per_month(self, utilisation: float) -> float:
        """Rent, storage and staff for one month, whatever the utilisation."""
        rent = self.gpus * best(self.usd_per_gpu_hour) * HOURS_PER_MONTH * best(self.redundancy_factor)
        staff = best(self.staff_fte) * best(self.usd_per_fte_year) / MONTHS_PER_YEAR
        return rent + best(self.storage_usd_per_month) + staff


Machine = Own | Rent


def _check_capacity(capacity: object) -> None:
    if capacity is not None and not isinstance(capacity, Capacity):
        raise BadAssumption("capacity must be a Capacity, or None where nothing was measured")
