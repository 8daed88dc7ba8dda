"""Claim: the bytes that the engine loaded are those whose digests were compared with the hub's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import engine_log, slot
from assumptions._serving_metrics import metrics
from assumptions._serving_verified import Verified, verified
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.base import look
from tasks.facts.file_times import FileTimes, FileTimesFact
from tasks.facts.port_process import PortProcessFact
from tasks.hosts import now
from tasks.site import Site

TICK_S = 1.0  # a process's start is known to the second in which its host booted
SOURCE = "mtime and ctime of every file beside weights-intact's digests; only the kernel sets ctime"
_LOADED = re.compile(r"Starting to load model (\S+?)\.\.\.")


@dataclass(frozen=True, slots=True)
class OnHost:
    """One host's checkpoint.  The host's clock was `ahead_s` ahead of this machine's, give or take `bound_s`."""

    name: str
    times: FileTimes
    ahead_s: float
    bound_s: float


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the engine loaded and when, what lies there, and when it was last verified."""

    folder: str
    named: tuple[str, ...]  # folders that the engine's log or command line names
    began: float | None  # start of the engine's process by its host's clock
    hosts: tuple[OnHost, ...]
    verified: Verified | None


def observe(site: Site, stage: Stage) -> Loaded:
    """Log, process and file times; no file is read: weights-intact read them all."""
    inventory, head = site.inventory, site.head
    at = slot(site, stage)
    told = metrics(site, at)
    process = look(site.host(head.name), PortProcessFact(at.port))
    argv = process.argv if process else ()
    folder = _folder(inventory, head)
    logged = _LOADED.findall(engine_log(site, stage).text)
    models = (word for word in argv if word.startswith("/") and inventory.model.catalog in word.split("/"))
    given = [folder if f"{word}/".startswith(f"{folder}/") else word for word in models]
    began = told.process_began if told and told.process_began else process.began if process else None
    hosts = tuple(_on_host(site, spec) for spec in site.specs)
    return Loaded(folder, tuple(dict.fromkeys((*logged, *given))), began, hosts, verified(site))


def _folder(inventory: Inventory, spec: HostSpec) -> str:
    return inventory.model_dir(inventory.model.catalog, str(inventory.model.revision), spec)


def _on_host(site: Site, spec: HostSpec) -> OnHost:
    before = now().timestamp()
    times = look(site.host(spec.name), FileTimesFact(_folder(site.inventory, spec)), timeout=120)
    after = now().timestamp()
    return OnHost(spec.name, times, times.clock - (before + after) / 2, (after - before) / 2)


def _untouched(name: str, times: FileTimes, since: float, give_or_take: float, what: str) -> Part:
    """FAIL where a file was written afterwards; UNKNOWN where something else of it, or of a folder, was changed."""
    written = [f for f in times.found if not f.folder and f.written > since + give_or_take]
    changed = [f for f in times.found if f.changed > since - give_or_take]
    expected = f"no file changed since {what}"
    if written:
        last = max(written, key=lambda file: file.written)
        said = f"{last.path} was written {last.written - since:.0f} s after {what} ({len(written)} such files)"
        return check(name, False, said, expected=expected, measured=f"{len(written)} files")
    if changed:
        last = max(changed, key=lambda file: file.changed)
        said = f"{last.path or 'the folder'} was changed (renamed, linked, or its rights) after {what}, or just then"
        return check(name, None, said, expected=expected, measured=f"{len(changed)} files")
    files = sum(not f.folder for f in times.found)
    return check(name, True, f"all {files} files are as they were before {what}", expected=expected, measured="0 files")


def _parts(seen: Loaded) -> Iterator[Part]:
    named = None if not seen.named else set(seen.named) == {seen.folder}
    said = f"the engine names {', '.join(seen.named)}" if seen.named else "neither log nor command line names a folder"
    yield check("folder", named, said, expected=seen.folder, measured=", ".join(seen.named))
    last = seen.verified
    said = "weights-intact was not judged in any run that is kept here"
    if last is not None:
        said = f"run {last.run}: weights-intact {'passed' if last.held else 'FAILED'}"
    yield check("verified", None if last is None else last.held, said, expected="weights-intact passed")
    for host in seen.hosts:
        if not any(not file.folder for file in host.times.found):
            yield check(f"{host.name}: files", False, f"there is no file in {seen.folder}", expected="the checkpoint")
            continue
        if last is not None:
            since, bound = last.began + host.ahead_s, host.bound_s
            yield _untouched(f"{host.name}: since verified", host.times, since, bound, "the digests were read")
    head, name = seen.hosts[0], f"{seen.hosts[0].name}: since loaded"
    if seen.began is None:
        yield check(name, None, "the start of the engine's process could not be seen", expected="a time")
    else:
        yield _untouched(name, head.times, seen.began, TICK_S, "the engine's process began")


def judge(seen: Loaded, inventory: Inventory) -> Finding:
    """Verified, named by the engine, and neither written nor otherwise changed since the digests and the load."""
    files = sum(not file.folder for host in seen.hosts for file in host.times.found)
    size = sum(file.size for host in seen.hosts for file in host.times.found if not file.folder)
    return finding(
        _parts(seen),
        good=f"{files} files, {size / 1e9:.3f} GB, are what was loaded, untouched since their digests were read",
        expected="no file written or changed since its digest was compared and since the engine began",
        source=SOURCE,
        threshold="0 files",
        value=float(files),
        unit="files looked at",
    )


ASSUMPTION = Assumption(
    id="weights-integrity-at-load",
    guide="K2 Thinking guide §8.2",
    states="The engine loaded the very bytes that were verified: nothing changed between the check and the load.",
    stages=(Stage.STAGING,),
    severity=Severity.BLOCKING,
    remedy="Run `beachhead fetch`, which compares every digest anew, then deploy again so that the engine loads what "
    "was verified; find out who wrote to the model's folder, and mount it read-only.",
    version=1,
    observe=observe,
    judge=judge,
)
