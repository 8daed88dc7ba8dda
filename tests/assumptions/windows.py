"""Windows and loops as an engine on GPUs gives them, for judges of measured times."""

from dataclasses import replace

from assumptions._speed import Measured, spent
from assumptions._window import Counts, Window
from serving.closed_loop import Load, Loop, Sample
from tasks.facts.gpu_throttle import GpuThrottleTotals
from tasks.facts.reading import Reading

# As a real loop of 60 requests left them beside vLLM 0.32 on two cores: 33 % of a core, 12 ms late at p99.
CALM = Load(wall_s=10.0, cpu_s=3.3, ticks=900, late_p99_s=0.012, late_most_s=0.06)
BEFORE = Counts(began=1_795_396_583.4, engines=1, in_flight=0.0, requests=171.0, tokens=45_706.0)
UUID = "GPU-11111111-2222-3333-4444-555555555555"


def totals(heat_us: int | None = 0, brake_us: int = 0, software_us: int = 0) -> Reading[tuple[GpuThrottleTotals, ...]]:
    heat: Reading[int] = Reading(None, "[N/A]") if heat_us is None else Reading(heat_us)
    return Reading((GpuThrottleTotals(UUID, Reading(15_814_595_384), heat, Reading(brake_us), Reading(software_us)),))


def undisturbed(requests: int = 12, tokens: int = 960, seconds: float = 10.0) -> Window:
    """Nothing but our own requests; no GPU."""
    after = replace(BEFORE, requests=171.0 + requests, tokens=45_706.0 + tokens)
    return Window(seconds, requests, tokens, BEFORE, after, {}, (), CALM)


def on_gpus(window: Window, hosts: tuple[str, ...]) -> Window:
    """The same window on hosts with GPUs whose clocks nothing held."""
    return replace(window, clocks={host: (totals(), totals()) for host in hosts})


def sample(asked: int, began_s: float, total_s: float, first_s: float = 0.1) -> Sample:
    return Sample(asked, began_s, began_s + first_s, began_s + total_s, 28, asked, 200)


def loop(asked: int, times_s: list[float], workers: int = 1) -> Loop:
    """Each worker's next request begins when its last one ended."""
    free, found = [0.0] * workers, []
    for total in times_s:
        at = free.index(min(free))
        found.append(sample(asked, free[at], total))
        free[at] += total
    return Loop(workers, max(free), tuple(found))


def measured(run: Loop, hosts: tuple[str, ...] = (), way_s: float = 0.002) -> Measured:
    window = undisturbed(len(run.samples), spent(run.samples) or 0, run.wall_s)
    return Measured(way_s, run, on_gpus(window, hosts))
