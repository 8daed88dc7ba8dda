"""The gateway as the rest of the house sees it: what to converge, in which order."""

from __future__ import annotations

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.nginx import NginxFact
from tasks.gateway.plan import gateway_folder, gateway_plan
from tasks.gateway.secrets import engine_key
from tasks.gateway.trust import server_certificate
from tasks.hosts import now
from tasks.operations.base import Operation
from tasks.operations.files import Folder
from tasks.operations.gateway_configured import GatewayConfigured
from tasks.operations.gateway_installed import GatewayInstalled
from tasks.operations.gateway_keys import DeploymentKey
from tasks.operations.gateway_running import EarlierGatewaysStopped, GatewayRunning
from tasks.operations.gateway_words import NginxWords, as_process
from tasks.site import Site


class GatewayFace:
    """The gateway of a site's serving host."""

    def install(self) -> list[Operation]:
        """What `prepare` brings about, with runtime process; a container brings its own nginx."""
        return [GatewayInstalled()]

    def operations(self, site: Site, upstream: int | None, words: NginxWords | None = None) -> list[Operation]:
        """The gateway shows the engine on loopback port `upstream`, or says that nothing is live.

        Converged in this order they are idempotent, and switching is the same call with another port.  Without
        `words` nginx is a process of the host; then it must be installed already.
        """
        words = words or self.words(site)
        plan = gateway_plan(site.inventory, site.head, upstream)
        return [*self.files(site, upstream, words), EarlierGatewaysStopped(site.head.root), GatewayRunning(plan, words)]

    def files(self, site: Site, upstream: int | None, words: NginxWords) -> list[Operation]:
        """The same without the process: what a container mounts before it is made."""
        folder = gateway_folder(site.head)
        plan = gateway_plan(site.inventory, site.head, upstream)
        folders = [Folder(path, "0755") for path in (folder, f"{folder}/run", f"{folder}/tmp")]  # noqa: S108 - not the system's
        own = DeploymentKey(plan.keys_file, site.api_key(), now().date())
        return [*folders, own, GatewayConfigured(plan, engine_key(site), server_certificate(site), words)]

    def words(self, site: Site) -> NginxWords:
        """How the host's own nginx is spoken to; BadInput where it has none that can run Perl."""
        found = look(site.host(site.head.name), NginxFact())
        if not found.usable:
            raise BadInput(
                "nginx with its Perl module is not installed",
                where=site.head.name,
                fix=f"run `beachhead prepare {site.inventory.name}`: it installs them",
            )
        return as_process(found.program, gateway_folder(site.head), found.perl_module)
