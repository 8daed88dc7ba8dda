"""Every flow for every inventory as a Prefect deployment, and a runner that runs what is asked of them."""

from __future__ import annotations

import atexit
import functools
import http.server
import os
import threading
from typing import Any

import click

from flows import environment
from flows.run import evidence_root
from flows.server import start, stop
from inventories.load import load, names
from tasks.site import home


class Reports(http.server.SimpleHTTPRequestHandler):
    """The evidence folder, read only, on loopback."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the runner's own lines are what matters here."""


def reports(port: int) -> str:
    """Serve the evidence folder in a thread; gives its address, or nothing when the port is taken."""
    evidence_root().mkdir(parents=True, exist_ok=True)
    handler = functools.partial(Reports, directory=str(evidence_root()))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        return ""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{port}"


def serve(port: int, reports_port: int) -> None:
    """Until interrupted.  Uses $PREFECT_API_URL, else a server of our own."""
    environment.prepare()
    environment.for_the_engine()
    if not os.environ.get("PREFECT_API_URL"):
        os.environ["PREFECT_API_URL"] = start(home() / "prefect", port)
        atexit.register(stop, home() / "prefect")  # ours, so it goes with us; its run history stays
    api = os.environ["PREFECT_API_URL"]
    os.environ.setdefault("BEACHHEAD_REPORTS_URL", reports(reports_port))
    os.environ["BEACHHEAD_EVIDENCE"] = str(evidence_root())

    from prefect import serve as run_deployments

    from flows.provision import provision
    from flows.stages import deploy, fetch, plan, prepare, promote, rollback, validate

    flows = (provision, plan, prepare, fetch, deploy, validate, promote, rollback)
    declared = [load(name) for name in names()]
    deployments: list[Any] = [
        each.to_deployment(
            inventory.name, parameters={"inventory": inventory.name}, tags=[inventory.kind], description=inventory.title
        )
        for each in flows
        for inventory in declared
    ]
    click.echo(f"{len(deployments)} deployments of {len(flows)} flows. UI: {api.removesuffix('/api')}")
    click.echo("In another terminal:")
    click.echo(f"  export PREFECT_API_URL={api}")
    click.echo("  prefect deployment run provision/a100x4")
    run_deployments(*deployments, print_starting_message=False)
