"""Claim: the weights can be fetched without a login.  The hub is asked for a file by somebody without a token."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Provenance, Severity, Stage
from assumptions._paper import GUIDE, finding
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.checkpoints import hub_tree
from tasks.facts.base import look
from tasks.facts.hub_access import Access, HubAccess
from tasks.site import Site

CLOSED = (401, 403)


@dataclass(frozen=True, slots=True)
class Login:
    """The checkpoint, the hub's answer without a token, and whether the inventory names a token."""

    repo: str
    revision: str
    endpoint: str
    answer: Access
    token_named: bool


def observe(site: Site, stage: Stage) -> Login:
    """One file of the pinned commit, asked for from the serving host without the inventory's token."""
    inventory, head = site.inventory, site.head
    at = hub_tree(inventory, head, inventory.model)
    answer = look(site.host(head.name), HubAccess(at.python, at.endpoint, at.repo, at.revision), timeout=120)
    return Login(at.repo, at.revision, at.endpoint, answer, bool(inventory.hub.token_env))


def judge(seen: Login, _inventory: Inventory) -> Finding:
    """200 is open; 401 and 403 want a login; anything else says nothing about it."""
    status = seen.answer.status
    told = f"{seen.endpoint} answers {status} for {seen.repo}@{seen.revision[:12]} {seen.answer.path} without a token"
    holds = True if status == 200 else False if status in CLOSED else None
    part = check("login", holds, told, expected=200, measured=status)
    named = "names a token" if seen.token_named else "names none"
    return finding(
        (part,),
        good=told,
        expected="HTTP 200 without a token",
        measured=f"HTTP {status}",
        source=f"{GUIDE} §4.1; the hub's own statuses: 401 and 403 for a gated or private repository",
        notes=(f"the inventory {named} (hub.token_env)", *([seen.answer.said] if seen.answer.said else [])),
        provenance=Provenance.MEASURED_HERE,
    )


ASSUMPTION = Assumption(
    id="gated-download",
    guide=f"{GUIDE} §4.1",
    states="The weights can be fetched from the hub without a login.",
    stages=(Stage.WEIGHTS,),
    severity=Severity.ADVISORY,
    remedy="Accept the model's terms on the hub with your account, and name its token in hub.token_env.",
    version=1,
    observe=observe,
    judge=judge,
)
