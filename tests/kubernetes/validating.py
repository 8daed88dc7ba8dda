"""Strict validation of manifests against the schemas of one Kubernetes version: every fault, none of them guessed."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

HERE = Path(__file__).parent / "schemas"
VERSIONS = ("1.35", "1.36", "1.37")
CORE = {
    "v1": "io.k8s.api.core.v1", "apps/v1": "io.k8s.api.apps.v1", "policy/v1": "io.k8s.api.policy.v1",
    "networking.k8s.io/v1": "io.k8s.api.networking.v1",
}  # fmt: skip


@cache
def definitions(version: str) -> dict[str, Any]:
    """Kubernetes' own and, by hand, the custom resources."""
    return json.loads((HERE / f"{version}.json").read_text()) | json.loads((HERE / "custom.json").read_text())


def faults(manifest: dict[str, Any], version: str) -> list[str]:
    """ "path: what is wrong" for each; an object of a kind that no schema is here for is a fault too."""
    name = f"{manifest.get('apiVersion')} {manifest.get('kind')}"
    core = f"{CORE.get(str(manifest.get('apiVersion')), '')}.{manifest.get('kind')}"
    known = definitions(version)
    found = name if name in known else core
    if found not in known:
        return [f"no schema for {name}"]
    pointer = found.replace("~", "~0").replace("/", "~1")
    # by pointer: a definition's name may hold a slash
    validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{pointer}", "$defs": known})
    return sorted(_said(error) for error in _leaves(validator.iter_errors(manifest)))


def _leaves(errors: Any) -> Iterator[Any]:
    for error in errors:
        if error.context:
            yield from _leaves(error.context)
        else:
            yield error


def _said(error: Any) -> str:
    return f"{'.'.join(str(part) for part in error.absolute_path)}: {error.message[:200]}"
