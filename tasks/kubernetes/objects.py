"""The shape of a manifest, and how it is written: one YAML document an object, the same text for the same object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

Manifest = dict[str, Any]


def manifest(
    kind: str,
    name: str,
    namespace: str | None,
    labels: Mapping[str, str],
    *,
    api: str = "v1",
    annotations: Mapping[str, str] | None = None,
    **body: Any,
) -> Manifest:
    """One object; `namespace` is None for what stands outside of any."""
    metadata: Manifest = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    metadata["labels"] = dict(labels)
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **body}


class _Text(yaml.SafeDumper):
    """Block text for what has lines, and no anchors: a reader should see each object whole."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never."""
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Text.add_representer(str, _string)


def dump(manifests: Iterable[Manifest]) -> str:
    """Every object as YAML, in the order given."""
    documents = (yaml.dump(one, Dumper=_Text, sort_keys=False, width=1000, allow_unicode=True) for one in manifests)
    return "".join(f"---\n{document}" for document in documents)
