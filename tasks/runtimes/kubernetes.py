"""The engine as a Deployment of a cluster, or as a LeaderWorkerSet on several of its nodes.

kubectl runs on the serving host.  The head pod's port is forwarded to that host's loopback at the slot's port, so that
a release is proven in the same way as in any other runtime.
"""

from __future__ import annotations

from collections.abc import Iterator

from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.base import look
from tasks.facts.gateway_keys import GatewayKeysFact
from tasks.facts.kubernetes_objects import ObjectThere
from tasks.facts.kubernetes_pods import Pod, PodsFact
from tasks.gateway.keys import render as render_keys
from tasks.gateway.nginx import upstream_key_conf
from tasks.gateway.plan import gateway_folder
from tasks.gateway.secrets import engine_key
from tasks.gateway.trust import server_certificate
from tasks.hosts import CommandFailed, now
from tasks.kubernetes.cluster import check, cluster, real_images
from tasks.kubernetes.face import ClusterFace
from tasks.kubernetes.kubectl import Kubectl, kubectl
from tasks.kubernetes.names import KEY_SECRET, RELEASE, engine_name, slot_selector
from tasks.kubernetes.pods import STOP_S
from tasks.kubernetes.render import around
from tasks.kubernetes.workload import resource, workload
from tasks.operations.base import Operation
from tasks.operations.files import Folder
from tasks.operations.gateway_keys import DeploymentKey
from tasks.operations.kubernetes import Applied, InOrder, SecretThere, WorkloadGone
from tasks.operations.kubernetes_access import ClusterReached, forward
from tasks.operations.kubernetes_engine import EngineApplied
from tasks.operations.service import Service, Stopped
from tasks.releases import Release, Slot, wanted
from tasks.runtimes.base import EngineState, EngineWords, Runtime
from tasks.site import Site

LOG_BYTES, LAST_LINES = 8 * 2**20, 20_000  # the beginning, and of what is longer the end too


class KubernetesRuntime:
    """One workload a slot."""

    def check(self, inventory: Inventory) -> None:
        """What the manifests can express."""
        check(inventory)

    def install(self, inventory: Inventory, host: HostSpec) -> Iterator[Operation]:
        """On the serving host alone: a cluster that answers, and in it what stands before any release."""
        if host.name != inventory.hosts[0].name:
            return
        real_images(inventory)
        chosen = kubectl(inventory)
        yield ClusterReached(chosen)
        for folder in ("run", "state", "releases"):
            yield Folder(f"{host.root}/{folder}")
        yield Applied("what stands around the engine", chosen, tuple(around(inventory, cluster(inventory))))

    def running(self, site: Site, release: Release, slot: Slot) -> Operation:
        """Its key, its workload, its port on the host."""
        inventory, root, chosen = site.inventory, site.head.root, kubectl(site.inventory)
        shape = cluster(inventory)
        declared = release.id == wanted(inventory, site.head).id
        kept = f"{root}/releases/{release.id}/kubernetes-{slot.port}.yaml"
        manifest = workload(shape, release, slot) if declared else None
        return InOrder(
            f"engine {release.id} in slot {slot.port}",
            (
                SecretThere(KEY_SECRET, chosen, {"api-key": engine_key(site)}),
                Folder(f"{root}/releases/{release.id}"),
                EngineApplied(release.id, chosen, manifest, kept),
                self._forward(site, slot),
            ),
        )

    def _forward(self, site: Site, slot: Slot) -> Service:
        grouped = cluster(site.inventory).is_group
        target = f"pod/{engine_name(slot.port)}-0" if grouped else f"deployment/{engine_name(slot.port)}"
        return forward(kubectl(site.inventory), target, slot.port, slot.port, site.head.root, slot.release)

    def stopped(self, site: Site, slot: Slot) -> Operation:
        """No workload, no pod, no forwarded port."""
        forwarded = self._forward(site, slot)
        labels = tuple(slot_selector(slot.port).items())
        gone = WorkloadGone(resource(cluster(site.inventory), slot.port), kubectl(site.inventory), labels, STOP_S)
        return InOrder(f"engine {slot.release} stopped", (Stopped(forwarded.title, forwarded.pid_file, 5), gone))

    def pods(self, site: Site, slot: Slot) -> tuple[Pod, ...]:
        """Those of the release in the slot that are not on their way out."""
        labels = tuple({**slot_selector(slot.port), RELEASE: slot.release}.items())
        found = look(site.host(site.head.name), PodsFact(kubectl(site.inventory), labels))
        return tuple(pod for pod in found if not pod.deleting)

    def state(self, site: Site, slot: Slot) -> EngineState:
        """A pod that waits for a node, its image or its probe counts as running: the start budget bounds that.

        One that ended, or waits for what won't come, does not run.
        """
        pods = self.pods(site, slot)
        seen = [pod.container for pod in pods if pod.container]
        ended = [one.exit for one in seen if one.exit is not None]
        return EngineState(
            running=not any(pod.has_failed for pod in pods) and (bool(pods) or self._is_applied(site, slot)),
            exit=next((code for code in ended if code), ended[0] if ended else None),
            restarts=sum(one.restarts for one in seen),
        )

    def _is_applied(self, site: Site, slot: Slot) -> bool:
        """Whether its workload is there: the pods of a new one take a moment."""
        shape = resource(cluster(site.inventory), slot.port)
        return look(site.host(site.head.name), ObjectThere(kubectl(site.inventory), shape))

    def log(self, site: Site, slot: Slot) -> str:
        """What the head pod said; of one that was begun again its former words too.  Else the cluster's own words."""
        pods = self.pods(site, slot)
        told = "\n".join(pod.words for pod in pods if pod.words)
        lead = _head(pods)
        if lead is None or lead.container is None:
            return told
        chosen = kubectl(site.inventory)
        before = self._said(site, chosen, lead, "--previous") if lead.container.restarts else ""
        now = self._said(site, chosen, lead)
        end = self._said(site, chosen, lead, f"--tail={LAST_LINES}") if len(now.encode()) >= LOG_BYTES else ""
        return "\n".join(part for part in (before, now, end, told) if part)

    def last_line(self, site: Site, slot: Slot) -> str:
        """Of the head pod; what the cluster waits for where it has not begun."""
        pods = self.pods(site, slot)
        lead = _head(pods)
        if lead is None or lead.container is None or lead.container.state == "waiting":
            return "; ".join(pod.words for pod in pods if pod.words)
        return self._said(site, kubectl(site.inventory), lead, "--tail=1").strip()

    def _said(self, site: Site, chosen: Kubectl, pod: Pod, *more: str) -> str:
        words = ("logs", f"pod/{pod.name}", "--container=engine", f"--limit-bytes={LOG_BYTES}", *more)
        ran = site.host(site.head.name).run(chosen.line(*words), timeout=60)
        if ran.exit != 0 and "waiting to start" not in ran.stderr and "not found" not in ran.stderr:
            raise CommandFailed(ran)
        return ran.stdout if ran.exit == 0 else ""

    def gateway(self, site: Site, upstream: Slot | None) -> Iterator[Operation]:
        """The keys file lies on the serving host, as everywhere; the cluster has it as a Secret."""
        host, folder = site.host(site.head.name), gateway_folder(site.head)
        yield Folder(folder)
        yield DeploymentKey(f"{folder}/keys", site.api_key(), now().date())
        keys = render_keys(look(host, GatewayKeysFact(f"{folder}/keys")).keys)
        shown = server_certificate(site)
        tls = {} if shown is None else {"server.pem": shown.chain, "server.key": shown.key}
        files = {"keys": keys, "upstream_key.conf": upstream_key_conf(engine_key(site))}
        yield from ClusterFace(site.inventory, files, tls).operations(upstream)

    def words(self, site: Site, release: Release, slot: Slot) -> EngineWords | None:
        """None: the kubelet asks for completions itself, and begins a hung engine anew."""
        return None


def _head(pods: tuple[Pod, ...]) -> Pod | None:
    """The pod that answers requests; the newest name where a Recreate has left two for a moment."""
    heads = [pod for pod in pods if pod.role == "head"]
    return heads[-1] if heads else None


RUNTIME: Runtime = KubernetesRuntime()
