"""Whether a host says of itself that its hardware is scripted."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import filled, sections, understood

MARK = "/etc/beachhead-simulated"


@dataclass(frozen=True)
class SimulatedFact:
    """What is scripted on the host, one thing a line; None on a host that carries no such file, which is a real one.

    Samples: "@@ simulated\\nGPUs: 8x h100-80gb, scripted", "@@ real"
    """

    command: str = f"if [ -e {MARK} ]; then echo '@@ simulated'; cat {MARK}; else echo '@@ real'; fi"

    @understood
    def parse(self, stdout: str) -> str | None:
        """The file's text; an empty file says so too."""
        if stdout.strip() == "@@ real":
            return None
        (lines,) = sections(stdout, "simulated")
        return filled("\n".join(lines) or "it does not say what")
