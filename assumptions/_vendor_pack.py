"""What a vendor asks for when hardware fails: identities, errors and raw outputs of one host, in one zip.

A claim whose remedy says to send the vendor pack gets one when it fails.  It lies in the run's evidence.
"""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from assumptions._core import Evidence, Outcome
from assumptions._host import attempt
from assumptions._ledger import write_whole
from inventories.errors import Problem
from tasks.facts.gpu import GpuFact
from tasks.hosts import Host, now
from tasks.site import Site

log = logging.getLogger(__name__)
FOLDER = "vendor-pack"
ASKED_FOR = "vendor pack"
# file: the command whose output it holds, and whether root is needed to see all of it.  No process arguments, no
# environment, no addresses: only what identifies hardware and says what is wrong with it.
CONTENTS: dict[str, tuple[str, bool]] = {
    "nvidia-smi-q.txt": ("LC_ALL=C nvidia-smi -q", False),
    "nvidia-smi-topo.txt": ("LC_ALL=C nvidia-smi topo -m", False),
    "nvidia-smi-nvlink.txt": ("LC_ALL=C nvidia-smi nvlink -s", False),
    "driver.txt": ("cat /proc/driver/nvidia/version; uname -a; cat /etc/os-release", False),
    "pci.txt": ("PATH=$PATH:/usr/sbin:/sbin; lspci -nn | grep -i nvidia", False),
    "machine.txt": (
        "cd /sys/class/dmi/id && for f in sys_vendor product_name product_serial board_serial chassis_serial "
        'bios_version; do [ ! -e $f ] || echo "$f: $(cat $f)"; done',
        True,
    ),
    "kernel-log.txt": (
        'l=$(LC_ALL=C journalctl -k -b 0 -q --no-pager -o short-iso 2>/dev/null); [ -n "$l" ] || l=$(dmesg) || exit; '
        "printf '%s\\n' \"$l\" | grep -iE 'NVRM|nvidia|fallen off the bus|nvswitch' || echo 'no line of the driver'",
        True,
    ),
}


def packed(site: Site, evidence: Evidence) -> Evidence:
    """The record; where its remedy asks for a vendor pack, one is made of each host that failed, and named in it."""
    if evidence.finding.outcome is not Outcome.FAIL or ASKED_FOR not in evidence.remedy:
        return evidence
    failed = {part.name.partition(":")[0] for part in evidence.finding.parts if part.outcome is Outcome.FAIL}
    names = [spec.name for spec in site.specs if spec.name in failed]
    made = []
    for name in names:
        try:
            made.append(_pack(site, name, evidence).relative_to(site.folder).as_posix())
        except (Problem, OSError) as fault:  # the record itself must not be lost over it
            log.warning("no vendor pack of %s: %s", name, fault)
    if not made:
        return evidence
    return replace(evidence, remedy=f"{evidence.remedy} The vendor pack: {', '.join(made)} in the run's folder.")


def _pack(site: Site, name: str, evidence: Evidence) -> Path:
    """Collect once a host and run; a later claim adds its finding."""
    folder = site.folder / FOLDER / name
    host = site.host(name)
    if not folder.exists():
        for file, (command, root) in CONTENTS.items():
            write_whole(folder / file, site.redactor.text(_output(host, command, root)))
        write_whole(folder / "identity.txt", site.redactor.text("\n".join(_identity(host)) + "\n"))
    number = len(list(folder.glob("finding-*.txt"))) + 1
    said = "\n".join(_told(site, name, evidence)) + "\n"
    write_whole(folder / f"finding-{number:02d}-{evidence.claim}.txt", site.redactor.text(said))
    archive = folder.with_name(f"{name}.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.iterdir()):
            out.write(path, f"{name}/{path.name}")
    return archive


def _output(host: Host, command: str, root: bool) -> str:
    head = f"$ {command}\n"
    try:
        ran = host.run(command, timeout=60, sudo=root)
    except Problem as problem:
        return f"{head}could not be run: {problem.what}\n"
    return f"{head}{ran.stdout}{ran.stderr}exit status {ran.exit}, {ran.at:%Y-%m-%d %H:%M:%S} UTC\n"


def _identity(host: Host) -> Iterable[str]:
    gpus = attempt(host, GpuFact())
    if gpus.value is None:
        yield f"GPUs could not be listed: {gpus.why_not}"
    for gpu in gpus.value or ():
        serial, vbios = (reading.value or reading.why_not for reading in (gpu.serial, gpu.vbios))
        yield f"GPU {gpu.index}: {gpu.name}; UUID {gpu.uuid}; serial {serial}; VBIOS {vbios}; PCI {gpu.bus}"


def _told(site: Site, name: str, evidence: Evidence) -> Iterable[str]:
    yield f"{evidence.claim}: {evidence.states}"
    yield f"host {name}, run {site.run_id}, {now():%Y-%m-%d %H:%M:%S} UTC, {evidence.product}"
    if evidence.simulated:
        yield f"SIMULATED: {evidence.simulated}"
    yield f"expected: {evidence.finding.expected}"
    yield f"source: {evidence.finding.threshold_source}"
    for part in evidence.finding.parts:
        if part.outcome is Outcome.FAIL and part.name.startswith(f"{name}:"):
            yield f"FAIL {part.name}: {part.because}"
    yield from evidence.finding.notes
