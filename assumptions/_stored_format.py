"""How a checkpoint stores its weights, by the quantization_config of the config.json that lies on the host."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from inventories.schema import Model
from tasks.facts.base import NotUnderstood, look
from tasks.facts.text_file import TextFile
from tasks.site import Site


@dataclass(frozen=True, slots=True)
class StoredFormat:
    """The fields of quantization_config that say how weights are stored; `method` is "none" where there is none."""

    name: str  # the checkpoint's id in the catalog
    method: str
    form: str = ""
    bits: int | None = None
    kind: str = ""  # int or float
    group: int | None = None
    strategy: str = ""
    symmetric: bool | None = None
    activations: str = ""  # empty: they are not quantised
    ignore: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """One line."""
        if self.method == "none":
            return "its config.json has no quantization_config"
        group = f", groups of {self.group}" if self.group else ""
        return f"{self.method} {self.form}".strip() + f", {self.bits} bits {self.kind}".rstrip() + group


def stored_format(site: Site, pinned: Model) -> StoredFormat:
    """Read on the serving host; NotUnderstood where there is no config.json."""
    fact = TextFile(f"{site.inventory.model_dir(pinned.catalog, str(pinned.revision), site.head)}/config.json")
    text = look(site.host(site.head.name), fact)
    if text is None:
        raise NotUnderstood(fact, f"no {fact.path}")
    return parsed(pinned.catalog, json.loads(text))


def parsed(name: str, config: dict[str, Any]) -> StoredFormat:
    """From the whole config.json; a config of several groups that differ has no bits."""
    found = config.get("quantization_config") or (config.get("text_config") or {}).get("quantization_config")
    if not found:
        return StoredFormat(name, "none")
    groups = [group for group in (found.get("config_groups") or {}).values() if group.get("weights")]
    weights = groups[0]["weights"] if groups and all(g["weights"] == groups[0]["weights"] for g in groups) else found
    activations = groups[0].get("input_activations") if groups else None
    bits, group = weights.get("num_bits", weights.get("bits")), weights.get("group_size")
    return StoredFormat(
        name=name,
        method=str(found.get("quant_method", "none")),
        form=str(found.get("format", "")),
        bits=None if bits is None else int(bits),
        kind=str(weights.get("type", "")),
        group=None if group is None else int(group),
        strategy=str(weights.get("strategy", "")),
        symmetric=weights.get("symmetric"),
        activations=json.dumps(activations) if activations else "",
        ignore=tuple(map(str, found.get("ignore") or ())),
    )
