"""The NVIDIA container toolkit: its version, and by which of its two ways containers may get GPUs."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tasks.facts.reading import match, sections, understood

_VERSION = r"NVIDIA Container Toolkit CLI version ([0-9]+(?:\.[0-9]+)+\S*)"


@dataclass(frozen=True, slots=True)
class ContainerToolkit:
    """`version` is None where nvidia-ctk is not installed; runtimes and CDI are what the daemon's file configures.

    What Docker really runs with is in DockerEngine: the file counts from the daemon's next start.
    """

    version: str | None
    runtimes: tuple[str, ...]
    default_runtime: str | None
    cdi_enabled: bool | None  # None where the file is silent: off before Docker 28.3, on since
    cdi_specs: tuple[str, ...]


@dataclass(frozen=True)
class ContainerToolkitFact:
    """The host's ContainerToolkit.  Passwords in proxy addresses are cut out before they are printed.

    Sample: "@@ version\\nNVIDIA Container Toolkit CLI version 1.12.0\\ncommit: 62bd…\\n@@ daemon\\n
    {\\"runtimes\\": {\\"nvidia\\": {\\"args\\": [], \\"path\\": \\"nvidia-container-runtime\\"}}}\\n
    @@ cdi\\n/etc/cdi/nvidia.yaml"
    """

    command: str = (
        "echo '@@ version'; if command -v nvidia-ctk >/dev/null 2>&1; then LC_ALL=C nvidia-ctk --version || exit; "
        "else echo absent; fi; f=/etc/docker/daemon.json; echo '@@ daemon'; "
        'if [ -e $f ]; then [ -r $f ] && sed \'s#"[^"]*@#"***@#g\' $f || exit; echo; else echo absent; fi; '
        'echo \'@@ cdi\'; for f in /etc/cdi/* /var/run/cdi/*; do if [ -e "$f" ]; then echo "$f"; fi; done'
    )

    @understood
    def parse(self, stdout: str) -> ContainerToolkit:
        """Read the version's first line and the daemon's JSON."""
        version, daemon, specs = sections(stdout, "version", "daemon", "cdi")
        config = {} if daemon == ["absent"] else _object(json.loads("\n".join(daemon)))
        default, features = config.get("default-runtime"), _object(config.get("features", {}))
        cdi = features.get("cdi")
        if not isinstance(default, str | None) or not isinstance(cdi, bool | None):
            raise ValueError("another shape of daemon.json")
        return ContainerToolkit(
            None if version == ["absent"] else match(_VERSION, version[0].strip())[1],
            tuple(sorted(map(str, _object(config.get("runtimes", {}))))),
            default,
            cdi,
            tuple(filter(None, specs)),
        )


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value
