"""Brings the ten steps about on every host of a fleet and prints, as its last line, how many steps were run.

    .venv/bin/python -m bench.converge_ours INVENTORY [--through threads|prefect] [--one-by-one]

INVENTORY is an inventory file.  Through threads: one thread a host around the product's operations.  Through Prefect:
as the product's `prepare` does it, with a task run for each host and each operation, a lease on the host, and long
steps as units of their own there.
"""

from __future__ import annotations

import argparse
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.converge_steps import operations
from inventories.load import load
from tasks.operations.base import converge
from tasks.operations.read_ahead import reading_ahead
from tasks.site import Site


def through_threads(site: Site, one_by_one: bool) -> int:
    """Steps run, on all hosts at once."""

    def one(name: str) -> int:
        host, wanted = site.host(name), operations(name)
        changes = [converge(host, operation) for operation in (wanted if one_by_one else reading_ahead(host, wanted))]
        for change in changes:
            site.note(change)
        return sum(len(change.steps) for change in changes)

    names = [spec.name for spec in site.specs]
    with ThreadPoolExecutor(len(names)) as pool:
        return sum(pool.map(one, names))


def through_prefect(site: Site) -> int:
    """The same through Prefect's task runs."""
    from flows.environment import prepare

    prepare()
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE
    from prefect.futures import wait

    from tasks.narration import say
    from tasks.provision import apply
    from tasks.tenancy import tenancy

    @task(name="prepare", task_run_name="{name}: prepare", cache_policy=NO_CACHE)
    def one(name: str) -> int:
        host = site.host(name)
        with tenancy(host, site.spec(name).root, site.run_id, say) as held:
            each = reading_ahead(host, operations(name))
            return sum(len(apply(site, name, o.name, o, held).steps) for o in each)

    @flow(name="converge")
    def all_hosts() -> int:
        futures = [one.submit(spec.name) for spec in site.specs]
        wait(futures)
        return sum(future.result() for future in futures)

    return all_hosts()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("inventory")
    options.add_argument("--through", choices=("threads", "prefect"), default="threads")
    options.add_argument("--one-by-one", action="store_true", help="a round trip for every look: no reading ahead")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(load(given.inventory), Path(folder))
        try:
            prefect = given.through == "prefect"
            print(f"changed={through_prefect(site) if prefect else through_threads(site, given.one_by_one)}")
        finally:
            site.close()


if __name__ == "__main__":
    main()
