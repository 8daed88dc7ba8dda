"""Claim: INT4 costs nothing: what is served predicts the same tokens as a reference does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Sense, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._quality import HOW, beside, made_up, reference_path
from assumptions._quality_compared import Compared, compared, per_token
from assumptions._quality_distances import KL, PERPLEXITY, SAME_TOP, SOURCE, distances
from assumptions._quality_logprobs import scored
from assumptions._quality_reference import KINDS, About, passages, passages_sha256, read
from assumptions._served import served
from assumptions._stored_format import StoredFormat, stored_format
from inventories.schema import Inventory
from tasks.site import Site

FEWEST = 10  # passages: a bootstrap over fewer says little
REMEDY = "`beachhead reference record INVENTORY --endpoint URL --kind bf16` records one"


@dataclass(frozen=True, slots=True)
class Lossless:
    """What is stored and served, the reference that was found, and each passage beside it."""

    stored: StoredFormat
    reference: About | None
    where: str
    sha256: str = ""
    passages_sha256: str = ""
    passages: tuple[Compared, ...] = ()


def observe(site: Site, stage: Stage) -> Lossless:
    """The reference's passages, scored by the served engine; nothing is asked where there is no reference."""
    stored = stored_format(site, site.inventory.model)
    path = reference_path(site.inventory)
    if not path.exists() and site.inventory.quality.reference is None:
        return Lossless(stored, None, str(path))
    file = beside(site, path)
    reference = read(file.content, file.path)
    about, mine = reference.about, passages_sha256()
    if about.passages_sha256 != mine or about.model != site.inventory.model.catalog:
        return Lossless(stored, about, file.path, file.sha256, mine)
    texts = passages()
    with served(site, stage) as at:
        found = compared(reference, lambda name: scored(at.client, texts[name], f"passage {name}"))
    return Lossless(stored, about, file.path, file.sha256, mine, found)


def _about(seen: Lossless, inventory: Inventory) -> Iterator[Part]:
    """What the comparison is between."""
    stored = seen.stored
    yield check(
        "served as INT4",
        True if stored.bits == 4 else None,
        f"{inventory.model.catalog}: {stored.said}",
        expected="a checkpoint whose weights have 4 bits",
        measured=stored.bits or "none",
    )
    about = seen.reference
    if about is None:
        yield check("reference", None, f"there is none at {seen.where}: {REMEDY} ({HOW})", expected="a reference")
        return
    said = f"{about.endpoint_model} ({about.engine or 'engine not told'}), {about.recorded_at:%Y-%m-%d}"
    same = about.model == inventory.model.catalog and about.passages_sha256 == seen.passages_sha256
    other = f"it was recorded for {about.model}, or of other passages: record it again"
    yield check("reference", True if same else None, said if same else other, expected=inventory.model.catalog)
    known = True if about.kind in ("bf16", "dequantised", "vendor") else None
    yield check("reference's weights", known, KINDS.get(about.kind, about.kind), expected="bf16, dequantised or vendor")


def _parts(seen: Lossless, inventory: Inventory) -> Iterator[Part]:
    yield from _about(seen, inventory)
    if seen.passages:
        ours = tuple(each.ours for each in seen.passages if each.ours is not None)
        cut = [each.passage for each in seen.passages if each.ours is None]
        enough = len(ours) >= FEWEST and not cut
        said = f"{len(ours)} of {len(seen.passages)} passages are cut into the same tokens"
        yield check("same tokens", True if enough else None, said, expected=f"all, {FEWEST} at least", measured=cut[:3])
        if enough:
            yield from distances(seen.passages, ours)
    yield from made_up(inventory)


def judge(seen: Lossless, inventory: Inventory) -> Finding:
    """No further from the reference than 8 bits are from 16, or than the reference is from itself; by the far end."""
    parts = tuple(_parts(seen, inventory))
    ours = tuple(each.ours for each in seen.passages if each.ours is not None)
    kl, ends = per_token(ours, "kl") if ours else (None, None)
    limit = next((part.expected for part in parts if part.name == "divergence"), f"<= {KL}")
    about = seen.reference
    notes: tuple[str, ...] = (f"Reference: {about.kind}: {KINDS.get(about.kind, '')}.",) if about else ()
    if about and about.repeats < 2:
        notes += (
            "The reference was recorded once: its own spread is not known, and the published limits stand alone.",
        )
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"{kl or 0:.6f} nats a token apart, over {len(ours)} passages"),
        expected="the reference's distribution over the next token, within what 8 bits cost",
        measured="nothing" if kl is None else f"{kl:.6f} nats a token",
        threshold=f"{limit} nats a token; same top token >= {SAME_TOP}; perplexity <= {PERPLEXITY} of the reference's",
        threshold_source=SOURCE + "the spread between the reference's own repeats where that is wider",
        provenance=Provenance.MEASURED_HERE,
        value=kl,
        unit="nats a token" if kl is not None else "",
        parts=parts,
        notes=notes,
        samples=sum(each.tokens for each in ours) or None,
        interval=ends,
        limit=None if kl is None else float(limit.removeprefix("<= ")),
        sense=Sense.MOST,
    )


ASSUMPTION = Assumption(
    id="int4-lossless",
    guide="K2 Thinking guide §1.2, §9",
    states="INT4 quantisation is lossless: the served model predicts the same tokens as a reference in 16 bits.",
    stages=(Stage.LIVE,),
    severity=Severity.ADVISORY,
    remedy="Record a reference (`beachhead reference record INVENTORY --endpoint URL --kind bf16`) from an engine that "
    "serves the model in 16 bits. Where it fails, compare the kernels: another engine version, another GPU, or "
    "--moe-backend.",
    version=1,
    observe=observe,
    judge=judge,
)
