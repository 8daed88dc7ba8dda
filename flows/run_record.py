"""What a run puts into its ledger beside the judgements: what it declared before looking, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assumptions._conclusion import Circumstances, Ending, Header, concluded
from assumptions._core import Evidence, Stage
from assumptions._fingerprint import depends_on, expires, fingerprint
from assumptions._judge import product
from assumptions._ledger import END, FORMAT, HEADER
from assumptions._plain import plain
from assumptions._registry import Claim, claim
from assumptions._terms import catalog_sha256, inventory_sha256, terms
from assumptions._verdict import Verdict
from tasks import chain
from tasks.hosts import now

if TYPE_CHECKING:
    from flows.run import Run


def declare(run: Run) -> Header:
    """Write what is to be judged, and by what, as the ledger's first line; nothing was looked at before."""
    inventory, catalog = inventory_sha256(run.inventory), catalog_sha256()
    header = Header(
        format=FORMAT,
        run=run.site.run_id,
        flow=run.flow,
        inventory=run.inventory.name,
        inventory_sha256=inventory,
        catalog_sha256=catalog,
        product=product(),
        started_at=run.started_at,
        whole=run.whole,
        expected=run.expected,
        claims={name: terms(claim(name), inventory, catalog) for name in sorted({each for each, _ in run.expected})},
        waivers=run.waivers,
    )
    run.ledger.write(HEADER, plain(header))
    return header


def found_on(run: Run, one: Claim, stage: Stage, record: Evidence) -> Evidence:
    """The record with the environment that it was judged in, read once a stage, and with its end."""
    if stage not in run.environments:
        run.environments[stage] = fingerprint(run.site, stage)
    return replace(
        record,
        fingerprint=run.environments[stage],
        depends_on=depends_on(one, stage),
        expires_at=expires(one, stage, record.started_at),
    )


def conclude(run: Run, header: Header, tables_ok: bool) -> Verdict:
    """Decide, and write the ledger's last line."""
    clean = run.site.redactor.text
    around = Circumstances(
        tables_ok=tables_ok,
        stopped=clean(run.stopped),
        next_step=clean(run.problem.fix) if run.problem else "",
        simulated=tuple(run.scripted),
        unsure=tuple(sorted(run.unsure)),
    )
    said = replace(header, expected=run.expected, whole=run.whole)
    verdict = concluded(said, run.ledger.read(), around)
    ending = Ending(now(), around, verdict, run.site.trail.head, beside(run.folder))
    run.ledger.write(END, plain(ending))
    return verdict


def beside(folder: Path) -> dict[str, str]:
    """Digests of what else the verdict's reader may rest on."""
    files = [folder / "inventory.json", folder / "plan.json", *sorted((folder / "tables").glob("*.csv"))]
    return {file.relative_to(folder).as_posix(): chain.sha256(file.read_bytes()) for file in files if file.exists()}
