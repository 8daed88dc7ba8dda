"""One run's folder, by its path, its id, or its inventory's name (then the newest that ended)."""

from __future__ import annotations

from pathlib import Path

from assumptions._ledger import NAME
from flows.run import evidence_root
from inventories.errors import BadInput


def run_folder(named: str) -> Path:
    """The folder; BadInput where there is none."""
    given = Path(named).expanduser()
    if (given / NAME).is_file():
        return given.absolute()
    root = evidence_root()
    if named and "/" not in named and named not in (".", ".."):
        by_id = [path for path in root.glob(f"*/{named}") if (path / NAME).is_file()]
        ended = sorted(path.parent for path in (root / named).glob("*/run.json"))
        if by_id or ended:
            return (by_id or ended)[-1]
    raise BadInput(
        f"there is no run called {named!r}",
        where=str(root),
        fix="name a run's folder, its id (20261122T154846Z-d6b2), or an inventory for its newest run",
    )
