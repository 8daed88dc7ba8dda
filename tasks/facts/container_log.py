"""What a container wrote."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.base import NotUnderstood
from tasks.facts.container import find


@dataclass(frozen=True)
class ContainerLogFact:
    """Both streams of the container called `name`, its first and its last megabyte; None where there is none.

    Docker keeps the words of earlier starts of a container.  They are left out once a later start is healthy; before
    that the last words of a start that failed are what matters.
    Samples: "absent", "present\\nINFO …"
    """

    name: str
    needs_root: bool = False
    tail: int = 0  # so many lines from the end instead

    @property
    def command(self) -> str:
        """Docker's own log, by the time of the newest start."""
        if self.tail:
            return f'{find(self.name)}; echo present; docker logs --tail {self.tail} "$i" 2>&1'
        asked = "{{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{end}}"
        return (
            f"{find(self.name)}; w=$(docker container inspect --format '{asked}' \"$i\") || exit; s=; "
            'case "$w" in "0 "*) ;; *" healthy") '
            "s=$(docker container inspect --format '{{.State.StartedAt}}' \"$i\") || exit;; esac; "
            'echo present; docker logs ${s:+--since "$s"} "$i" 2>&1 | { head -c 1000000; tail -c 1000000; }'
        )

    def parse(self, stdout: str) -> str | None:
        """All after the first line."""
        first, _, rest = stdout.partition("\n")
        if first == "present":
            return rest
        if first == "absent":
            return None
        raise NotUnderstood(self, stdout)
