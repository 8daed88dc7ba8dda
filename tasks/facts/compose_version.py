"""Docker's Compose plugin."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import match, understood


@dataclass(frozen=True)
class ComposeVersionFact:
    """Version of `docker compose` as numbers, None without the plugin; as the user who will call it.

    Samples: "2.26.1-4", "v2.39.1", "5.0.2", "absent"
    """

    needs_root: bool = False
    command: str = 'v=$(LC_ALL=C docker compose version --short 2>/dev/null) && echo "$v" || echo absent'

    @understood
    def parse(self, stdout: str) -> tuple[int, int] | None:
        """Major and minor."""
        text = stdout.strip()
        if text == "absent":
            return None
        found = match(r"v?([0-9]+)\.([0-9]+)\S*", text)
        return int(found[1]), int(found[2])
