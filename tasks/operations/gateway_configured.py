"""The gateway's configuration lies on the host, and its nginx has accepted it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from shlex import quote

from tasks.facts.base import REMOTE, look
from tasks.facts.gateway_state import GatewayFile, GatewayStateFact
from tasks.gateway.authority import Certificate
from tasks.gateway.nginx import mark_conf, render, upstream_conf, upstream_key_conf
from tasks.gateway.plan import GatewayPlan
from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.gateway_words import NginxWords

_MODE = "600"


def gateway_files(plan: GatewayPlan, engine_key: str, certificate: Certificate | None) -> dict[str, str]:
    """Every file of the configuration by name, some of them secret; mark.conf names their digest."""
    files = {
        "nginx.conf": render(plan),
        "upstream.conf": upstream_conf(plan.upstream),
        "upstream_key.conf": upstream_key_conf(engine_key),
        "keys.pm": (REMOTE / "keys.pm").read_text(encoding="utf-8"),
    }
    if certificate is not None:
        files |= {"server.pem": certificate.chain, "server.key": certificate.key}
    mark = mark_of(files)
    return files | {"mark.conf": mark_conf(plan, mark)}


def mark_of(files: Mapping[str, str]) -> str:
    """16 hex digits of the digest of all files but mark.conf."""
    body = json.dumps(sorted((name, text) for name, text in files.items() if name != "mark.conf"))
    return hashlib.sha256(body.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class GatewayConfigured:
    """`conf` in the gateway's folder points to a folder with exactly these files, mode 0600.

    The new folder is tested by nginx before `conf` points to it: one that fails leaves the old one in place, and
    the step fails with nginx's own words.  What is secret travels on stdin.
    """

    gateway: GatewayPlan
    engine_key: str = field(repr=False)
    certificate: Certificate | None = field(repr=False)
    words: NginxWords = field(repr=False)

    @property
    def name(self) -> str:
        """For a person."""
        return "gateway configuration"

    @property
    def files(self) -> dict[str, str]:
        """What is to lie there."""
        return gateway_files(
            replace(self.gateway, perl_module=self.words.perl_module), self.engine_key, self.certificate
        )

    def plan(self, host: Host) -> Iterator[Step]:
        """Write all of it beside the old, test it, switch over."""
        files = self.files
        mark = mark_of(files)
        state = look(host, GatewayStateFact(self.gateway.folder))
        wanted = {GatewayFile(name, _digest(text), _MODE) for name, text in files.items()}
        if state.mark == mark and set(state.files) == wanted:
            return
        lines = [f"{name} {base64.b64encode(text.encode()).decode()}\n" for name, text in files.items()]
        to = f"the engine on port {self.gateway.upstream}" if self.gateway.upstream else "no engine"
        yield Step(
            f"configure the gateway for {to} ({mark})", self._command(f"conf-{mark}", len(lines)), stdin="".join(lines)
        )

    def _command(self, conf: str, count: int) -> str:
        """A folder of another content is never half written: it is renamed into place, and so is `conf`."""
        undo = f'{{ s=$?; [ "$(readlink conf)" = {conf} ] || rm -rf {conf}; exit $s; }}'
        into = f'{conf}.part/"$name"'
        return (
            f"cd {quote(self.gateway.folder)} && umask 077 && rm -rf {conf}.part && mkdir {conf}.part || exit; n=0; "
            f'while read -r name data; do printf %s "$data" | base64 -d > {into} || exit; n=$((n+1)); done; '
            f"[ $n -eq {count} ] || {{ echo 'the files did not arrive whole' >&2; exit 74; }}; "
            f"rm -rf {conf} && mv -T {conf}.part {conf} || exit; {{ {self.words.test(conf)}; }} || {undo}; "
            f"ln -sfn {conf} conf.new && mv -fT conf.new conf || exit; "
            f'for d in conf-*; do [ "$d" = {conf} ] || rm -rf -- "$d"; done'
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
