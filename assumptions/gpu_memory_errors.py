"""Claim: no GPU has memory errors that need a reset, a restart or another GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Outcome, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, skipped, unread
from assumptions._host_xid import RECOVERY, Action
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.gpu_ecc import GpuEcc, GpuEccFact, GpuRows, GpuRowsFact
from tasks.facts.gpu_recovery import GpuRecovery, GpuRecoveryFact
from tasks.facts.reading import Reading
from tasks.hosts import Host
from tasks.site import Site

SOURCE = "NVIDIA's GPU memory error management: 0 uncorrected since the driver was loaded, no row pending or failed"


@dataclass(frozen=True, slots=True)
class Errors:
    """Counters, remapped rows and what the driver asks for, for every GPU of one host."""

    ecc: Reading[tuple[GpuEcc, ...]]
    rows: Reading[tuple[GpuRows, ...]]
    recovery: Reading[tuple[GpuRecovery, ...]]


def observe(site: Site, stage: Stage) -> dict[str, Errors]:
    """Three questions to the driver of each host with GPUs."""

    def see(host: Host, _: HostSpec) -> Errors:
        return Errors(attempt(host, GpuEccFact()), attempt(host, GpuRowsFact()), attempt(host, GpuRecoveryFact()))

    return each(site, gpu_hosts(site.inventory), see)


def _ecc(name: str, gpu: GpuEcc) -> Part:
    if gpu.enabled.value is None and gpu.uncorrected.value is None:
        return skipped(name, f"no ECC on this board (the driver says {gpu.enabled.why_not})")
    if gpu.enabled.value is False:
        return check(name, False, "ECC is switched off: nvidia-smi -e 1, then reset the GPU", expected="Enabled")
    if gpu.uncorrected.value is None:
        return unread(name, gpu.uncorrected, expected="0 uncorrected")
    said = f"{gpu.uncorrected.value} uncorrected since the driver was loaded, {gpu.uncorrected_ever.value} ever"
    said += "" if gpu.uncorrected.value == 0 else f"; do: {Action.RESET}"
    return check(
        name,
        gpu.uncorrected.value == 0,
        said,
        expected="0 uncorrected",
        measured=f"{gpu.uncorrected.value} uncorrected",
    )


def _rows(name: str, gpu: GpuRows, has_ecc: bool) -> Part:
    if gpu.pending.value is None or gpu.failed.value is None:
        why = gpu.pending if gpu.pending.value is None else gpu.failed
        return unread(name, why) if has_ecc else skipped(name, f"no row remapping (the driver says {why.why_not})")
    found = f"{gpu.correctable.value} + {gpu.uncorrectable.value} rows remapped"
    if gpu.failed.value:
        return check(
            name, False, f"a row could not be remapped; do: {Action.RETURN}", expected="none", measured="failed"
        )
    if gpu.pending.value:
        return check(name, False, f"a row waits for a reset; do: {Action.RESET}", expected="none", measured="pending")
    return check(name, True, found, expected="none pending, none failed", measured=found)


def _recovery(name: str, gpu: GpuRecovery) -> Part:
    if gpu.action.value is None:
        return unread(name, gpu.action, expected="None")
    do = RECOVERY.get(gpu.action.value, Action.ASK)
    said = "nothing to do" if do is Action.NOTHING else f"the driver asks for: {gpu.action.value}; do: {do}"
    return check(name, do is Action.NOTHING, said, expected="None", measured=gpu.action.value)


def _parts(host: str, seen: Errors) -> Iterator[Part]:
    counted = [_ecc(f"{host}: GPU {n} ECC", gpu) for n, gpu in enumerate(seen.ecc.value or ())]
    yield from counted if seen.ecc.value is not None else [unread(f"{host}: ECC", seen.ecc)]
    has_ecc = seen.ecc.value is None or any(part.outcome is not Outcome.NOT_APPLICABLE for part in counted)
    if seen.rows.value is None:
        yield unread(f"{host}: rows", seen.rows) if has_ecc else skipped(f"{host}: rows", "no row remapping")
    for n, rows in enumerate(seen.rows.value or ()):
        yield _rows(f"{host}: GPU {n} rows", rows, has_ecc)
    if seen.recovery.value is None:
        yield unread(f"{host}: recovery", seen.recovery, expected="None")
    for n, wish in enumerate(seen.recovery.value or ()):
        yield _recovery(f"{host}: GPU {n} recovery", wish)


def judge(seen: Mapping[str, Errors], inventory: Inventory) -> Finding:
    """Counters since load, rows, and the driver's own wish; errors of an earlier life are told, not judged."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    old = [
        f"{host} GPU {n}: {gpu.uncorrected_ever.value} uncorrected errors over the board's life"
        for host, found in seen.items()
        for n, gpu in enumerate(found.ecc.value or ())
        if gpu.uncorrected_ever.value
    ]
    return finding(
        (part for host, found in seen.items() for part in _parts(host, found)),
        good="no uncorrected error, no row pending or failed, no GPU asks for recovery",
        expected="0 uncorrected errors, no row pending or failed, recovery action None",
        source=SOURCE,
        notes=old,
    )


ASSUMPTION = Assumption(
    id="gpu-memory-errors",
    guide="K2 Thinking guide §2.1",
    states="No GPU has memory errors that need a reset, a restart or another GPU.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="Each part says what to do. Pending rows and new uncorrected errors: reset the GPU, or restart the host. A "
    "row that failed, or errors that come back: take the GPU out of service and send the vendor pack (RMA).",
    version=1,
    observe=observe,
    judge=judge,
)
