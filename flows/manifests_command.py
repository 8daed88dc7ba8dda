"""The face of `beachhead manifests`."""

from __future__ import annotations

from pathlib import Path

import click

from inventories.errors import BadInput


@click.command("manifests")
@click.argument("inventory")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="A folder: one file for each object.")
def manifests(inventory: str, out: Path | None) -> None:
    """Print what an inventory puts into its cluster, as YAML.  No cluster is contacted; secrets are not shown.

    \b
    Examples:
      beachhead manifests k8s-h200x8
      beachhead manifests k8s-h200x8 --out manifests && kubectl diff --server-side -f manifests
    """
    from inventories.load import load
    from tasks.kubernetes.objects import dump
    from tasks.kubernetes.render import everything, secrets_told
    from tasks.releases import Slot, wanted
    from tasks.runtimes.kubernetes import RUNTIME

    declared = load(inventory)
    RUNTIME.check(declared)
    release = wanted(declared, declared.hosts[0])
    objects = everything(declared, release, Slot(release.id, declared.serving.slots[0]))
    if out is None:
        click.echo(secrets_told(declared) + dump(objects), nl=False)
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(objects):
            name = f"{number:02d}-{one['kind'].lower()}-{one['metadata']['name']}.yaml"
            (out / name).write_text(dump([one]), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"can't write there: {error}", where=str(out), fix="name another folder") from None
    click.echo(f"{secrets_told(declared)}{len(objects)} objects in {out}", err=True)
