"""A worker for the tests: the product's own `prepare` of a fleet in a process of its own, with operations of ours.

Arguments: an inventory file, a folder for what it leaves, seconds that a long step takes.  It prints one JSON object.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from inventories.errors import Problem
from tasks.hosts import Host
from tasks.operations.base import Operation, Step
from tasks.operations.files import File

SILENCE_S = 8.0


@dataclass(frozen=True)
class Slow:
    """A long step as root that reads a secret from its input and counts how often it ran."""

    secret: str
    seconds: float
    name: str = "a slow thing"

    def plan(self, host: Host) -> Iterator[Step]:
        if host.run("[ -e /srv/slow ]").exit:
            command = (
                "echo ran >>/srv/slow.count; read -r token; [ ${#token} -gt 8 ] || exit 9; "
                f"sleep {self.seconds}; touch /srv/slow"
            )
            yield Step("do it slowly", command, timeout=60, stdin=self.secret + "\n", sudo=True, long=True)


def main(inventory: str, folder: str, seconds: float) -> None:
    os.environ |= {
        "PREFECT_HOME": f"{folder}/prefect",
        "BEACHHEAD_HOME": f"{folder}/home",
        "BEACHHEAD_EVIDENCE": f"{folder}/evidence",
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
    }
    from flows.environment import prepare as environment

    environment()
    from prefect import flow

    from flows import command_output, steps
    from flows.run import opened
    from tasks import provision
    from tasks.ssh import SshHost

    command_output.narrate()
    token, key = os.environ["PLANTED_TOKEN"], os.environ["BEACHHEAD_API_KEY"]

    def wanted(_: object, spec: object) -> list[Operation]:
        root = spec.root  # type: ignore[attr-defined]
        return [File(f"{root}/token", token, mode="0600"), File(f"{root}/key", key, mode="0600"), Slow(token, seconds)]

    provision.wanted = wanted
    provision.tenancy = functools.partial(provision.tenancy, silence_s=SILENCE_S)
    SshHost.__init__ = functools.partialmethod(SshHost.__init__, connect_timeout=3, keepalive_s=1)  # type: ignore

    @flow(name="prepare")
    def prepare() -> None:
        with opened(inventory, "prepare") as run:
            run.site.hub_token()
            run.site.api_key()
            try:
                steps.prepare(run)
            finally:
                changed = [str(change) for change in run.site.changes if change.steps]
                told = {"changed": changed, "folder": str(run.folder)}
        problem = run.problem
        told |= {"problem": problem and {"what": problem.what, "where": problem.where, "fix": problem.fix}}
        print(json.dumps(told), flush=True)

    prepare()


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    except Problem:
        traceback.print_exc()
        sys.exit(2)
