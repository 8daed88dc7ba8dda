"""Claim: the model's files have the standard structure.  Config, tokenizer, shards and index, held to each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._paper import GUIDE, finding
from assumptions._parts import check
from inventories.figures import model
from inventories.schema import Inventory
from tasks.checkpoints import hub_tree
from tasks.facts.base import look
from tasks.facts.checkpoint_layout import CheckpointLayout, Layout
from tasks.site import Site

TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tiktoken.model")
SETTINGS = "tokenizer_config.json"
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Structure:
    """The checkpoint, what its folder holds, and the module of its own that the catalog says an engine runs."""

    repo: str
    layout: Layout
    own_code: str


def observe(site: Site, stage: Stage) -> Structure:
    """The folder on the serving host, by names and headers; no weight is read."""
    inventory, head, pinned = site.inventory, site.head, site.inventory.model
    at, known = hub_tree(inventory, head, pinned), model(pinned.catalog)
    folder = inventory.model_dir(pinned.catalog, at.revision, head)
    layout = look(site.host(head.name), CheckpointLayout(at.python, folder), timeout=600)
    return Structure(at.repo, layout, known.recipe.own_code if known.recipe else "")


def _files(seen: Layout, own_code: str) -> Iterator[Part]:
    kind = seen.config.get("model_type") if seen.config is not None else None
    named = bool(seen.architectures) and isinstance(kind, str)
    said = f"config.json names {', '.join(seen.architectures)} ({kind})" if named else "it names no architecture"
    said = said if seen.config is not None else "no config.json that can be read"
    yield check("config", named, said, expected="architectures and model_type", measured=kind)
    found = [name for name in TOKENIZERS if name in seen.files]
    whole = bool(found) and SETTINGS in seen.files
    told = f"{', '.join(found) or 'no vocabulary'}{' and ' if SETTINGS in seen.files else ', no '}{SETTINGS}"
    yield check("tokenizer", whole, told, expected=f"a vocabulary and {SETTINGS}", measured=", ".join(found))
    if own_code:
        there = own_code in seen.files
        yield check("own code", there, f"{own_code} is {'there' if there else 'missing'}", expected=own_code)


def _shards(seen: Layout) -> Iterator[Part]:
    shards = sorted(path for path in seen.files if path.endswith(".safetensors"))
    broken = {name: why for name, why in seen.unreadable.items() if name.endswith(".safetensors")}
    said = f"{len(shards)} safetensors files, {seen.tensors} tensors"
    told = "; ".join(f"{name}: {why}" for name, why in sorted(broken.items())[:3]) or said
    yield check("weights", bool(shards) and not broken, told, expected="safetensors", measured=len(shards))
    if not seen.indexed:
        single = len(shards) == 1 and INDEX not in seen.unreadable
        why = "one file needs no index" if single else f"{len(shards)} files and no {INDEX} that can be read"
        yield check("index", single, why, expected=INDEX)
        return
    missing = sorted(set(seen.index_shards) - set(shards))
    said = f"missing: {', '.join(missing[:3])}" if missing else f"all {len(seen.index_shards)} indexed shards are there"
    yield check("shards", not missing, said, expected=len(seen.index_shards), measured=len(shards))
    placed = seen.misplaced_count == 0 and seen.index_tensors == seen.tensors
    said = f"{seen.index_tensors} tensors in the index, {seen.tensors} in the headers"
    said += f"; not where the index puts it: {', '.join(seen.misplaced)}" if seen.misplaced else ""
    yield check("tensors", placed, said, expected=seen.index_tensors, measured=seen.tensors)
    size = seen.index_bytes
    said = "the index gives no total_size" if size is None else f"total_size {size:,}, headers {seen.tensor_bytes:,}"
    holds = None if size is None else size == seen.tensor_bytes
    yield check("size", holds, said, expected=size, measured=seen.tensor_bytes)


def judge(seen: Structure, _inventory: Inventory) -> Finding:
    """The parts that any engine looks for, and that the index tells the truth about the shards."""
    parts = (*_files(seen.layout, seen.own_code), *_shards(seen.layout))
    layout = seen.layout
    code = "it brings a module of its own, which only --trust-remote-code runs: read it before" if seen.own_code else ""
    return finding(
        parts,
        good=f"{seen.repo}: {len(layout.files)} files, {layout.tensors} tensors, {layout.tensor_bytes:,} bytes by "
        "index and headers",
        expected="config.json, tokenizer, safetensors shards and an index that agrees with them",
        measured=f"{len(layout.files)} files, {layout.tensors} tensors, {layout.tensor_bytes:,} bytes",
        threshold="each file that an engine looks for is there; total_size equals the headers' bytes",
        source=f"{GUIDE} §4.1; the layout that save_pretrained writes",
        value=float(layout.tensor_bytes),
        unit="bytes of tensors",
        notes=(code,) if code else (),
        provenance=Provenance.MEASURED_HERE,
    )


ASSUMPTION = Assumption(
    id="huggingface-structure",
    guide=f"{GUIDE} §4.1",
    states="The model's files follow the standard Hugging Face structure.",
    stages=(Stage.WEIGHTS,),
    severity=Severity.ADVISORY,
    remedy="Fetch again where a file is missing; where the layout differs, the model card says which engine it needs.",
    version=1,
    observe=observe,
    judge=judge,
)
