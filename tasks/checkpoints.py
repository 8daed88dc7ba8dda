"""Fetching a pinned checkpoint to a host, with the hub's own words where it refuses."""

from __future__ import annotations

import re

from inventories.errors import BadInput, Problem
from inventories.figures import model
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory, Model
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.weights import HubFile, HubTree
from tasks.hosts import CommandFailed, Host
from tasks.narration import say
from tasks.operations.base import Change, converge
from tasks.operations.files import File, Folder
from tasks.operations.weights import DiskTooSmall, Weights
from tasks.site import Site
from tasks.tenancy import tenancy


class HubRefused(Problem):
    """The hub did not give what was asked: unknown, not allowed, too many requests, or not there at all."""


_FIX = {
    401: "set the token that the inventory's hub.token_env names, and accept the model's terms on the hub",
    403: "ask for access to this model with the account of the token",
    404: "check the repository's name and the 40-digit revision; a private repository looks missing without a token",
    429: "wait, or give a token: the hub limits requests; what was fetched so far is kept",
    0: "check that the host reaches hub.endpoint (proxy, firewall, name); what was fetched so far is kept",
}


def refused(error: CommandFailed, endpoint: str, repo: str) -> Problem:
    """A failed hub command as one clear error."""
    text = error.ran.stderr
    if "[Errno 28]" in text:
        return DiskTooSmall(
            f"the disk filled up while {repo} was fetched",
            where=error.ran.host,
            fix="free room there, or set the host's `root` to a larger file system; what was fetched so far is kept",
        )
    status = re.search(r"hub-status=(\d+)", text)
    if not status:
        return error
    code = int(status.group(1))
    said = "; ".join(line.split(" ", 1)[-1] for line in text.splitlines() if line.startswith("hub-status="))[:400]
    return HubRefused(
        f"the hub {'answered ' + str(code) if code else 'could not be reached or broke off'}: {said}",
        where=f"{error.ran.host} -> {endpoint} {repo}",
        fix=_FIX.get(code, _FIX[0] if code == 0 else "the hub is in trouble: run again later"),
    )


def fetch(site: Site, host_name: str, pinned: Model) -> Change:
    """The checkpoint complete on the host: list it, make room, fetch what is missing, compare every digest."""
    inventory, spec, host = site.inventory, site.spec(host_name), site.host(host_name)
    if pinned.revision is None:
        raise BadInput(
            f"the revision of {pinned.catalog} is not pinned",
            where=f"inventory {inventory.name}: model.revision",
            fix="write the 40 hex digits of the commit that you mean to run",
        )
    _put_token(site, host_name)
    at = hub_tree(inventory, spec, pinned)
    folder = inventory.model_dir(pinned.catalog, pinned.revision, spec)
    tree = published(host, at)
    try:
        weights = Weights(folder, at.repo, at.revision, tree, at.endpoint, at.python, at.token_file)
        made = converge(host, Folder(folder), say=say)  # with it the root, where the lease will lie
        with tenancy(host, spec.root, site.run_id, say) as held:
            done = converge(host, weights, say=say, carry_out=held)
    except CommandFailed as error:
        raise refused(error, at.endpoint, at.repo) from None
    return Change(host_name, done.operation, made.steps + done.steps)


def hub_tree(inventory: Inventory, spec: HostSpec, pinned: Model) -> HubTree:
    """The fact that lists those files of a pinned checkpoint that the catalog wants, asked from one host."""
    known = model(pinned.catalog)
    return HubTree(
        python=engine(inventory.engine.kind).python(inventory, spec),
        endpoint=inventory.hub.endpoint,
        repo=known.repo,
        revision=str(pinned.revision),
        token_file=f"{spec.root}/secrets/hub_token" if inventory.hub.token_env else "",
        include=known.include,
    )


def published(host: Host, at: HubTree) -> tuple[HubFile, ...]:
    """What the hub lists at a pinned commit, asked from `host`; raises `HubRefused` with the hub's own words."""
    try:
        return look(host, at, timeout=300)
    except CommandFailed as error:
        raise refused(error, at.endpoint, at.repo) from None


def _put_token(site: Site, host_name: str) -> None:
    """The hub's token in a file on the host that its owner alone can read; nothing where there is none."""
    token = site.hub_token()
    if token is None:
        return
    folder = f"{site.spec(host_name).root}/secrets"
    key = File(f"{folder}/hub_token", token + "\n", mode="0600", what="the hub's token file")
    for operation in (Folder(folder, "0700"), key):
        site.note(converge(site.host(host_name), operation, say=say))
