"""Which boot of the host this is."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import fields, match, understood, whole


@dataclass(frozen=True, slots=True)
class Boot:
    """Another `id` means that the host was started anew; `at_s` is when, in seconds since 1970 by its own clock."""

    id: str
    at_s: int
    kernel: str


@dataclass(frozen=True)
class BootFact:
    """The host's Boot.

    Sample: "id=1f0c2d3e-…\\nat=1795360000\\nkernel=6.8.0-45-generic"
    """

    command: str = (
        "i=$(cat /proc/sys/kernel/random/boot_id) && echo id=$i && echo at=$(sed -n 's/^btime //p' /proc/stat) && "
        "echo kernel=$(uname -r)"
    )

    @understood
    def parse(self, stdout: str) -> Boot:
        """Read the three lines."""
        boot, at, kernel = fields(stdout, "id", "at", "kernel")
        return Boot(match(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", boot).group(), whole(at), kernel)
