"""Cut the schemas that the tests need out of the package kubernetes-validate: python trim.py FOLDER-OF-THE-PACKAGE.

Kept are the definitions that a kind of KINDS reaches; descriptions are left out.  One definition is one line.
"""

import json
import sys
from pathlib import Path
from typing import Any

VERSIONS = ("1.35", "1.36", "1.37")
KINDS = (
    "apps.v1.Deployment", "core.v1.ConfigMap", "core.v1.Namespace", "core.v1.PersistentVolume",
    "core.v1.PersistentVolumeClaim", "core.v1.Secret", "core.v1.Service", "core.v1.ServiceAccount",
    "networking.v1.NetworkPolicy", "policy.v1.PodDisruptionBudget",
)  # fmt: skip
HERE = Path(__file__).parent


def reached(definitions: dict[str, Any]) -> list[str]:
    found, left = set(), [f"io.k8s.api.{kind}" for kind in KINDS]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += references(definitions[name])
    return sorted(found)


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for one in value for name in references(one)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"].rpartition("/")[2]] if isinstance(value.get("$ref"), str) else []
    return own + [name for one in value.values() for name in references(one)]


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {k: plain(one) for k, one in value.items() if not (k == "description" and isinstance(one, str))}
    return value


def main(package: Path) -> None:
    for version in VERSIONS:
        file = package / "kubernetes-json-schema" / f"v{version}.0-local-strict" / "_definitions.json"
        definitions = json.loads(file.read_text())["$defs"]
        lines = ",\n".join(
            f"{json.dumps(name)}:{json.dumps(plain(definitions[name]), separators=(',', ':'))}"
            for name in reached(definitions)
        )
        (HERE / f"{version}.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
