"""Sites of shipped inventories whose hosts nobody asks: what is observed at the plan needs none."""

import tempfile
from pathlib import Path

from inventories.schema import Inventory
from tasks.site import Site

_SCRATCH = tempfile.TemporaryDirectory(prefix="beachhead-planned-")  # gone when the tests end


def planned(inventory: Inventory) -> Site:
    """Its site, with the run's folder out of the way."""
    return Site(inventory, Path(_SCRATCH.name))
