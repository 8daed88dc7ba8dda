"""One container by its name, as `docker inspect` shows it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from tasks.facts.container_reading import spec, state
from tasks.facts.container_spec import Container, Image
from tasks.facts.reading import filled, sections, understood

RELEASE_LABEL = "beachhead.release"


_HOST_CONFIG = (
    "PortBindings", "IpcMode", "ShmSize", "NetworkMode", "RestartPolicy", "LogConfig", "DeviceRequests", "Devices",
    "Init", "ReadonlyRootfs", "Privileged", "PidMode", "CapAdd", "CapDrop", "SecurityOpt", "Ulimits", "Tmpfs",
)  # fmt: skip


def find(name: str) -> str:
    """Shell that puts the container's id into $i and ends with "absent" where there is none."""
    exact = shlex.quote(f"name=^/?{name}$")
    return (
        f"i=$(LC_ALL=C docker ps --all --quiet --no-trunc --filter {exact}) || exit; "
        '[ -n "$i" ] || { echo absent; exit 0; }'
    )


def _template(shown: tuple[str, ...]) -> str:
    """Docker's template for all that ContainerSpec has.  Of a variable that is not in `shown`, the name alone."""
    names = " ".join(f'"{name}"' for name in shown) or '""'
    env = (
        '[{{range $k, $e := .Config.Env}}{{if $k}},{{end}}{{$n := index (split $e "=") 0}}'
        f"{{{{if eq $n {names}}}}}{{{{json $e}}}}{{{{else}}}}{{{{json $n}}}}{{{{end}}}}{{{{end}}}}]"
    )
    parts = {
        "id": "{{json .ID}}",
        "image": "{{json .Config.Image}}",
        "image_id": "{{json .Image}}",
        "program": "{{json .Config.Entrypoint}}",
        "arguments": "{{json .Config.Cmd}}",
        "user": "{{json .Config.User}}",
        "env": env,
        "health": "{{json .Config.Healthcheck}}",
        "release": f'{{{{json (index .Config.Labels "{RELEASE_LABEL}")}}}}',
        "project": '{{json (index .Config.Labels "com.docker.compose.project")}}',
        "service": '{{json (index .Config.Labels "com.docker.compose.service")}}',
        "mounts": "{{json .Mounts}}",
        "restarts": "{{.RestartCount}}",
        "status": "{{json .State.Status}}",
        "exit": "{{.State.ExitCode}}",
        "oom": "{{.State.OOMKilled}}",
        "started": "{{json .State.StartedAt}}",
        "state_health": "{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}}",
        **{key: f"{{{{json .HostConfig.{key}}}}}" for key in _HOST_CONFIG},
    }
    return "{" + ",".join(f'"{key}":{value}' for key, value in parts.items()) + "}"


_IMAGE = (
    '{"digests":{{json .RepoDigests}},"env":[{{range $k, $e := .Config.Env}}{{if $k}},{{end}}'
    '{{json (index (split $e "=") 0)}}{{end}}]}'
)


@dataclass(frozen=True)
class ContainerFact:
    """The container called `name`, or None where there is none.

    Values of its variables leave the host only for the names in `shown`.
    Samples: "absent", "@@ container\\n{\\"id\\":\\"3f2a…\\",\\"image\\":\\"…@sha256:…\\",…}\\n@@ image\\n
    {\\"digests\\":[\\"…@sha256:…\\"],\\"env\\":[\\"PATH\\"]}", the last line "gone" without the image
    """

    name: str
    shown: tuple[str, ...] = ()
    needs_root: bool = False

    @property
    def command(self) -> str:
        """Container and image, by templates that leave secrets out."""
        template, image = shlex.quote(_template(self.shown)), shlex.quote(_IMAGE)
        return (
            f"{find(self.name)}; echo '@@ container'; docker container inspect --format {template} \"$i\" || exit; "
            "echo '@@ image'; m=$(docker container inspect --format '{{.Image}}' \"$i\") || exit; "
            f'docker image inspect --format {image} "$m" 2>/dev/null || echo gone'
        )

    @understood
    def parse(self, stdout: str) -> Container | None:
        """Two JSON objects."""
        if stdout.strip() == "absent":
            return None
        container, image = ("\n".join(each).strip() for each in sections(stdout, "container", "image"))
        raw = _object(container)
        about = {"digests": None, "env": []} if image == "gone" else _object(image)
        digests = about["digests"]
        try:
            return Container(
                id=filled(raw["id"]),
                project=raw["project"] or "",
                service=raw["service"] or "",
                spec=spec(raw),
                image=Image(raw["image_id"], None if digests is None else tuple(digests), tuple(about["env"])),
                state=state(raw),
            )
        except (TypeError, AttributeError) as error:
            raise ValueError("another shape than docker inspect's") from error


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value
