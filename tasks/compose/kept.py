"""A container's plan as text beside its release, so that it can be started again as it was, without the inventory."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from inventories.errors import Problem
from tasks.facts.container_spec import ContainerSpec

_SHAPE = TypeAdapter(ContainerSpec)


class PlanUnreadable(Problem):
    """The plan that was kept on the host can't be read."""


def as_text(spec: ContainerSpec) -> str:
    """JSON; no secret is in a ContainerSpec."""
    return _SHAPE.dump_json(spec, indent=1).decode() + "\n"


def from_text(text: str, path: str) -> ContainerSpec:
    """The spec again; `path` is for the error."""
    try:
        return _SHAPE.validate_json(text)
    except ValidationError as error:
        raise PlanUnreadable(
            f"the container's plan can't be read: {error.errors()[0]['msg']}",
            where=path,
            fix="see who changed it; with the file moved away the release is planned anew from its inventory",
        ) from None
