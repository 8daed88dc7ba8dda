"""The Docker engine as its client sees it now."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tasks.facts.reading import Reading, filled, needs, sections, understood


@dataclass(frozen=True, slots=True)
class DockerEngine:
    """Versions and the runtimes that the running daemon knows; a part that did not answer carries Docker's words."""

    client: str
    server: Reading[str]
    compose: Reading[str]
    runtimes: Reading[tuple[str, ...]]


def _part(name: str, command: str) -> str:
    """The answer without warnings, or all that Docker says where it has none."""
    docker = f"LC_ALL=C docker {command}"
    return (
        f"echo '@@ {name}'; if o=$({docker} 2>/dev/null); then echo ok; else echo failed; o=$({docker} 2>&1); fi; "
        'echo "$o"'
    )


@dataclass(frozen=True)
class DockerEngineFact:
    """The host's DockerEngine; the user needs to be root or in the group "docker" to see more than the client.

    Sample: "@@ client\\n28.2.2\\n@@ server\\nok\\n28.2.2\\n@@ compose\\nok\\n2.36.2\\n@@ runtimes\\nok\\n
    {\\"nvidia\\":{\\"path\\":\\"nvidia-container-runtime\\"},\\"runc\\":{\\"path\\":\\"runc\\"}}"
    """

    command: str = "; ".join(
        (
            needs("docker"),
            "echo '@@ client'; LC_ALL=C docker version --format '{{.Client.Version}}' 2>/dev/null | head -n 1",
            _part("server", "version --format '{{.Server.Version}}'"),
            _part("compose", "compose version --short"),
            _part("runtimes", "info --format '{{json .Runtimes}}'"),
        )
    )

    @understood
    def parse(self, stdout: str) -> DockerEngine:
        """Read four answers, or why there is none."""
        client, server, compose, runtimes = sections(stdout, "client", "server", "compose", "runtimes")
        names, why_not = _said(runtimes)
        return DockerEngine(
            filled(client[0]),
            Reading(*_said(server)),
            Reading(*_said(compose)),
            Reading(None, why_not) if names is None else Reading(_names(names)),
        )


def _said(lines: list[str]) -> tuple[str | None, str]:
    text = filled("\n".join(lines[1:]))
    if lines[0] == "ok" and "\n" not in text:
        return text, ""
    if lines[0] == "failed":
        return None, text
    raise ValueError("neither an answer nor a refusal")


def _names(text: str) -> tuple[str, ...]:
    runtimes = json.loads(text)
    if not isinstance(runtimes, dict) or not runtimes:
        raise ValueError("no runtimes")
    return tuple(sorted(runtimes))
