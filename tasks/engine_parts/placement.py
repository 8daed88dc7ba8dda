"""Where an engine runs decides three things about it: the address it binds, its program, and what is installed."""

from __future__ import annotations

from inventories.errors import BadInput
from inventories.schema import Inventory

LISTEN = {
    "process": ("127.0.0.1", "the host's loopback: outside, only the gateway is reached"),
    "compose": ("127.0.0.1", "the host's loopback, which its container shares: outside, only the gateway is reached"),
    "kubernetes": ("0.0.0.0", "all of its pod's own network, which a NetworkPolicy closes"),  # noqa: S104
}


def in_container(inventory: Inventory) -> bool:
    """Whether the engine comes as an image instead of being installed."""
    return inventory.serving.runtime != "process"


def listen_address(inventory: Inventory) -> str:
    """What the engine binds: the host's loopback, or all of a pod's own network."""
    return LISTEN[inventory.serving.runtime][0]


def listen_reason(inventory: Inventory) -> str:
    """Why that address."""
    return LISTEN[inventory.serving.runtime][1]


def program(inventory: Inventory, own: str) -> str:
    """The container's declared program, or `own`, what the engine's official image has."""
    container = inventory.serving.container
    return (container.program if container else None) or own


def image(inventory: Inventory) -> str:
    """The image by digest; only where `in_container`."""
    if inventory.serving.container is None:
        raise BadInput(
            f"{inventory.engine.kind} runs as a process here, and has no image",
            where=f"inventory {inventory.name}: serving.container",
            fix="declare serving.runtime: compose or kubernetes with an image by digest",
        )
    return inventory.serving.container.image


def declared(name: str, inventory: Inventory, *details: str) -> str:
    """Name and version for a record; the image's digest too, so that another image is another release."""
    if in_container(inventory):
        details = (*details, f"image {image(inventory)}")
    return f"{name} {inventory.engine.version}" + (f" ({', '.join(details)})" if details else "")
