"""Claim: since the host started, the driver has logged no error that speaks against a GPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, unread
from assumptions._host_xid import SOURCE, Action, told
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.facts.kernel_log import KernelLog, KernelLogFact
from tasks.facts.reading import Reading
from tasks.site import Site


def observe(site: Site, stage: Stage) -> dict[str, Reading[KernelLog]]:
    """The kernel log of each host with GPUs since its start."""
    return each(site, gpu_hosts(site.inventory), lambda host, _: attempt(host, KernelLogFact()))


def _parts(host: str, found: Reading[KernelLog]) -> Iterator[Part]:
    log = found.value
    if log is None:
        yield unread(f"{host}: kernel log", found)
        return
    bad = Counter((xid.bus, xid.code, do, why) for xid, do, why in told(log) if do is not Action.NOTHING)
    for (bus, code, do, why), times in bad.items():
        again = f", {times} times" if times > 1 else ""
        yield check(f"{host}: {bus} Xid {code}", False, f"{why}{again}; do: {do}", expected="none", measured=times)
    for line in log.lost_gpus:
        if "Xid" not in line:
            yield check(f"{host}: lost GPU", False, f"{line[-90:]}; do: {Action.REBOOT}", expected="none")
    if not log.whole:
        why = f"the {log.source} does not reach back to the start, or lost lines: no Xid in it proves nothing"
        yield check(f"{host}: kernel log", None, why, expected="whole since the start")
    elif not bad and not log.lost_gpus:
        said = f"{len(log.xids)} Xids, none against a GPU" if log.xids else "no Xid since the start"
        yield check(f"{host}: kernel log", True, said, expected="none", measured=said)


def judge(seen: Mapping[str, Reading[KernelLog]], inventory: Inventory) -> Finding:
    """A program's errors are told, not judged, Xid 45 among them; every other one fails, with what to do."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    harmless = [
        f"{host} {xid.bus}: Xid {xid.code} ({why}): {xid.process or 'no process'}"
        for host, found in seen.items()
        for xid, do, why in (told(found.value) if found.value else ())
        if do is Action.NOTHING
    ]
    return finding(
        (part for host, found in seen.items() for part in _parts(host, found)),
        good="the kernel logs reach back to the start and hold no Xid against a GPU",
        expected="no Xid since the start but those of programs",
        source=SOURCE,
        notes=harmless[:20],
    )


ASSUMPTION = Assumption(
    id="gpu-xid-clean",
    guide="K2 Thinking guide §7.2",
    states="The driver has logged no error against a GPU since the host started.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="Each part says what to do: reset the GPU, restart the host, or send the vendor pack (RMA) where it comes "
    "back. A log that does not reach back: restart the host and judge again, or keep the kernel's journal.",
    version=1,
    observe=observe,
    judge=judge,
)
