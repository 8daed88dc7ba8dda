"""Claim: one inventory is served alike by Docker Compose and by Kubernetes: told the same, and judged the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from assumptions._core import Assumption, Finding, Outcome, Part, Provenance, Sense, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._serving_pairs import Run, run_of
from inventories.errors import BadInput
from inventories.schema import Inventory
from tasks.site import Site

if TYPE_CHECKING:
    from assumptions._serving_renders import Rendered

MAY_DIFFER = {  # where the two have to be different, and why
    "env HOME": "each runtime names its own folder that may be written to",
    "flag --host": "a container on the host's network binds its loopback, a pod its own network",
}
SOURCE = "both renderings of this inventory, field by field; then the verdicts of a run under each"


@dataclass(frozen=True, slots=True)
class Both:
    """The two renderings, or why one can't be made; and the newest run under each runtime."""

    compose: Rendered | None
    kubernetes: Rendered | None
    why_not: str = ""
    runs: tuple[Run | None, Run | None] = (None, None)


def observe(site: Site, stage: Stage) -> Both:
    """Renders both from the inventory alone, and reads the evidence of earlier runs on this machine."""
    inventory = site.inventory
    if inventory.serving.container is None or len(inventory.hosts) > 1:
        return Both(None, None)
    from assumptions._serving_renders import for_compose, for_kubernetes  # here: most plans have no container

    root = site.folder.parent.parent
    runs = (run_of(root, inventory, "compose"), run_of(root, inventory, "kubernetes"))
    try:
        return Both(for_compose(inventory), for_kubernetes(inventory), runs=runs)
    except BadInput as refused:
        return Both(None, None, f"{refused.what} ({refused.where})", runs)


def _flat(rendered: Rendered) -> dict[str, str]:
    """Every field, flag and variable by one name."""
    plain = {
        field.name: str(getattr(rendered, field.name))
        for field in fields(rendered)
        if field.name not in ("flags", "env")
    }
    given = {f"flag {name}": " ".join(words) for name, words in rendered.flags.items()}
    return {**plain, **given, **{f"env {name}": value for name, value in rendered.env.items()}}


def _rendered(seen: Both) -> Iterator[Part]:
    if seen.compose is None or seen.kubernetes is None:
        yield check("renderings", None, seen.why_not or "neither was rendered", expected="both")
        return
    one, other = _flat(seen.compose), _flat(seen.kubernetes)
    for name in sorted({*one, *other} - set(MAY_DIFFER)):
        left, right = one.get(name, "(absent)"), other.get(name, "(absent)")
        same = left == right
        said = "the same under both" if same else f"Compose {left!r}, Kubernetes {right!r}"
        yield check(name, same, said, expected=left, measured=right)


def _judged(seen: Both) -> Part:
    """UNKNOWN until both runtimes have been judged to the end; then any difference fails."""
    missing = [name for name, run in zip(("Compose", "Kubernetes"), seen.runs, strict=True) if run is None]
    if missing:
        said = f"no whole run under {' and none under '.join(missing)} is kept here"
        return check("verdicts", None, said, expected="the same verdicts")
    one, other = (run.verdicts for run in seen.runs if run is not None)
    shared = sorted(set(one) & set(other))
    differ = [key for key in shared if one[key] is not other[key]]
    named = ", ".join(
        f"{claim} ({stage}): {one[claim, stage]} and {other[claim, stage]}" for claim, stage in differ[:5]
    )
    said = named or f"{len(shared)} verdicts are the same"
    return check(
        "verdicts", not differ if shared else None, said, expected="the same", measured=f"{len(differ)} differ"
    )


def judge(seen: Both, inventory: Inventory) -> Finding:
    """Every rendered field alike, and every verdict of a run under each; nothing to compare without a container."""
    parts: tuple[Part, ...] = (*_rendered(seen), _judged(seen))
    if inventory.serving.container is None or len(inventory.hosts) > 1:
        said = "this inventory runs its engine as a process; only a declared container can be served by both"
        if inventory.serving.container is not None:
            said = "Docker Compose serves one host, and this inventory has several"
        parts = (Part("renderings", Outcome.NOT_APPLICABLE, said),)
    different = sum(part.outcome is Outcome.FAIL for part in parts)
    return finding(
        parts,
        good=f"{len(parts) - 1} rendered fields and every verdict are the same under both",
        expected="the same image, program, flags, environment, GPUs and shared memory; the same verdicts",
        source=SOURCE,
        threshold="0 differences",
        value=float(different),
        unit="differences",
        limit=0.0,
        sense=Sense.MOST,
        notes=tuple(f"{name} may differ: {why}." for name, why in MAY_DIFFER.items()) if seen.compose else (),
        provenance=Provenance.MEASURED_HERE,
    )


ASSUMPTION = Assumption(
    id="compose-kubernetes-same",
    guide="K2 Thinking guide §4.2",
    states="Docker Compose and Kubernetes serve an inventory alike: same flags, same environment, same verdicts.",
    stages=(Stage.PLAN, Stage.LIVE),
    severity=Severity.ADVISORY,
    remedy="Compare the two values that the part names: what is declared once belongs into both renderings. For the "
    "verdicts provision the same model and engine once under each runtime.",
    version=1,
    observe=observe,
    judge=judge,
)
