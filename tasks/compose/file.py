"""The project's Compose file as text: one service for each occupied slot, and the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from inventories.errors import Problem
from tasks.compose.names import Project
from tasks.compose.service import as_service
from tasks.facts.container_spec import ContainerSpec

HEAD = "# Written by Beachhead for this host; the next deployment writes it again.\n"


class NotOurFile(Problem):
    """The project's file can't be read as one that was written here."""


def render(project: Project, services: Mapping[str, ContainerSpec]) -> str:
    """The whole file for these services, by name."""
    text = _dump(project, {})
    for name, spec in services.items():
        text = with_service(text, project, name, spec)
    return text


def with_service(text: str | None, project: Project, name: str, spec: ContainerSpec | None) -> str:
    """The file with this service as said, or without it; every other one stays as it was written."""
    services = _services(text, project)
    if spec is None:
        services.pop(name, None)
    else:
        services[name] = escaped(as_service(project, name, spec))
    return _dump(project, services)


def _services(text: str | None, project: Project) -> dict[str, Any]:
    try:
        value = yaml.safe_load(text or "") or {"services": {}}
        services = value["services"] or {}
        if not isinstance(services, dict):
            raise TypeError
    except (yaml.YAMLError, TypeError, KeyError):
        raise NotOurFile(
            "the Compose file of the project can't be read, so no service in it can be kept",
            where=project.file,
            fix="see who changed it; moved away, it is written anew, and containers that run are not touched by that",
        ) from None
    return services


def escaped(value: Any) -> Any:
    """`value` with every $ doubled: Compose puts variables of the shell in place of a single one."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: escaped(each) for key, each in value.items()}
    return [escaped(each) for each in value] if isinstance(value, list) else value


def _dump(project: Project, services: Mapping[str, Any]) -> str:
    document = {"name": project.name, "services": {name: services[name] for name in sorted(services)}}
    text: str = yaml.dump(
        document, Dumper=_Quoting, sort_keys=False, default_flow_style=False, width=110, allow_unicode=True
    )
    return HEAD + text


class _Quoting(yaml.SafeDumper):
    """Quotes what might be a number: PyYAML knows YAML 1.1, where 12e4 and 0o17 are words, and Compose reads 1.2."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text[:1].isalpha() or text[:1] == "/" else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Quoting.add_representer(str, _text)
