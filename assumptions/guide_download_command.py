"""Claim: the guide's download commands fetch the model.  Each is given to huggingface_hub's own parsers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide import applies, commands, finding, flags, not_applicable, unseen
from assumptions._guide_text import CHECKPOINT_GB, DOWNLOAD, DOWNLOAD_HOURS, MODEL
from assumptions._parts import check
from assumptions.formulas.start import seconds_to_read
from inventories.figures import model
from inventories.schema import Inventory
from tasks.facts.client_libraries import Hub, hub
from tasks.site import Site

PACKAGE = "huggingface-hub"
NEW = {"login": ("auth", "login"), "download": ("download",)}  # the old program's verbs in `hf`
TOLERANCE = 0.05  # of a size
ROUNDED = 0.1  # of a time: the guide gives whole minutes and tenths of an hour
SOURCE = "huggingface_hub's own parsers; checkpoint bytes in the catalog"


@dataclass(frozen=True, slots=True)
class Download:
    """The guide's lines as words, what huggingface_hub takes, and the checkpoint's real size."""

    lines: tuple[tuple[str, ...], ...]
    hub: Hub | None
    checkpoint_bytes: float


def observe(site: Site, stage: Stage) -> Download:
    """The guide's lines, a recording of huggingface_hub, and the catalog."""
    return Download(commands(DOWNLOAD), hub(), model(MODEL).checkpoint_bytes.value)


def _program(hub: Hub, program: str) -> Part:
    said = f"huggingface_hub {hub.version} installs {', '.join(hub.scripts)}"
    there = program in hub.scripts
    return check(program, there, said if there else f"no such command: {said}. Instead: hf", expected="a command")


def _line(hub: Hub, words: tuple[str, ...]) -> Iterator[Part]:
    """One line after its program: another verb than download is asked whole, a download flag by flag."""
    now = words if words[0] == "hf" else ("hf", *NEW.get(words[1], words[1:2]), *words[2:])
    if now[1] != "download":
        trial = hub.trials.get(now)
        same = now == words
        said = "taken as it is" if same else f"gone with its program. Instead: {' '.join(now)}"
        yield check(" ".join(words), trial.taken and same if trial else None, said, expected="taken")
        return
    for flag in flags(now[3:]):
        trial = hub.trials.get((*now[:3], *flag))
        if trial is None:
            yield check(" ".join(flag), None, "the recording lacks these words; record it again")
        else:
            said = "taken as it is" if trial.taken else f"{trial.said} Instead: leave it out, the files are real anyway"
            yield check(" ".join(flag), trial.taken, said, expected="taken")
    pinned = any(flag[0] == "--revision" and re.fullmatch(r"[0-9a-f]{40}", flag[-1]) for flag in flags(now))
    said = "a commit is named" if pinned else "no commit is named: a branch can change. Instead: --revision COMMIT"
    yield check("revision", pinned, said, expected="40 hex digits")


def _sizes(size_bytes: float) -> Iterator[Part]:
    size_gb = size_bytes / 1e9
    close = abs(CHECKPOINT_GB / size_gb - 1) <= TOLERANCE
    said = f"{size_bytes:,.0f} bytes = {size_gb:.1f} GB, not {CHECKPOINT_GB}"
    yield check("size", close, said, expected=f"{size_gb:.1f} GB", measured=f"{CHECKPOINT_GB} GB")
    for gbps, hours in DOWNLOAD_HOURS.items():
        true = seconds_to_read(size_bytes, gbps / 8) / 3600
        said = f"{true * 60:.1f} minutes at the full line rate; the guide says {hours * 60:.0f}"
        yield check(f"time at {gbps} Gbps", abs(hours / true - 1) <= ROUNDED, said, expected=f"{true:.2f} h")


def judge(seen: Download, inventory: Inventory) -> Finding:
    """Program, verb, flags and pinning of each line; then size and time."""
    if not applies(inventory):
        return not_applicable(inventory)
    if seen.hub is None:
        return unseen("no recording of huggingface_hub", SOURCE, Provenance.MEASURED_ELSEWHERE)
    parts: list[Part] = []
    for words in seen.lines:
        if words[:2] == ("pip", "install"):
            name = re.sub(r"[-_.]+", "-", words[2]).lower()
            parts.append(check(" ".join(words), name == PACKAGE, "the package of that name", expected=PACKAGE))
        else:
            if words[0] not in {part.name for part in parts}:
                parts.append(_program(seen.hub, words[0]))
            parts += _line(seen.hub, words)
    return finding(
        (*parts, *_sizes(seen.checkpoint_bytes)),
        expected="every line is taken, one commit is named, and size and time are right",
        source=SOURCE,
        provenance=Provenance.MEASURED_ELSEWHERE,
    )


ASSUMPTION = Assumption(
    id="guide-download-command",
    guide="K2 Thinking guide §4.1",
    states="The guide's commands download the model, of the size and in the time that it gives.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="hf download REPO --revision COMMIT --local-dir DIR, then hf cache verify REPO --revision COMMIT "
    "--local-dir DIR --fail-on-missing-files; `beachhead fetch` does both on the host.",
    version=1,
    observe=observe,
    judge=judge,
)
