"""Whether a seal is what was sealed, who signed it, and whether its verdict follows.  Needs no host and no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assumptions._carried import carried_faults
from assumptions._recheck import Recheck, rechecked
from assumptions._recheck_files import Fault
from assumptions._seal import CATALOG, ENVELOPE, RUN, statement
from assumptions._seal_envelope import opened
from assumptions._seal_pack import unpacked
from assumptions._seal_sign import Signature, checked
from assumptions._terms import catalog_sha256
from tasks import chain


@dataclass(frozen=True, slots=True)
class Checked:
    """What `verify` found.  Verified is: no fault, and a signature by somebody on the verifier's own list."""

    faults: tuple[Fault, ...]
    signature: Signature | None
    run: Recheck

    @property
    def intact(self) -> bool:
        """Nothing was changed since it was signed, by whomever, and the verdict follows."""
        return not self.faults and self.signature is not None and self.signature.holds

    @property
    def verified(self) -> bool:
        """Intact, and signed by somebody whom the verifier named."""
        return self.intact and self.signature is not None and bool(self.signature.signer)

    def expired(self, now: datetime) -> tuple[str, ...]:
        """The claims whose answer is too old, and waivers that have ended."""
        old = [f"{r.claim} ({r.stage})" for r in self.run.records if r.expires_at is not None and r.expires_at < now]
        waivers = self.run.header.waivers if self.run.header else ()
        return (*old, *(f"waiver of {each.claim}" for each in waivers if each.expires < now.date()))


def check(data: bytes, where: str, signers: str) -> Checked:
    """Check one seal against the verifier's list of signers; BadInput where it is no seal at all."""
    files, wrong = unpacked(data, where)
    faults = [Fault(*each.split(": ", 1)) if ": " in each else Fault("the archive", each) for each in wrong]
    signed: Mapping[str, Any] | None = None
    signature = None
    try:
        signed, blob, key = opened(files.get(ENVELOPE, b""))
    except ValueError as error:
        faults.append(Fault(ENVELOPE, str(error)))
    else:
        signature = checked(signed, blob, key, signers)
        faults += [] if signature.holds else [Fault(ENVELOPE, signature.why)]
    inside = {name: content for name, content in files.items() if name != ENVELOPE}
    faults += _subjects(inside, signed) if signed is not None else []
    run_files = {name.removeprefix(RUN): content for name, content in inside.items() if name.startswith(RUN)}
    catalog = catalog_sha256({n.removeprefix(CATALOG): c for n, c in inside.items() if n.startswith(CATALOG)})
    run = rechecked(run_files, catalog, catalog_sha256())
    faults += [Fault(f"{RUN}{each.where}", each.what) for each in (*run.faults, *carried_faults(run_files, run))]
    if not faults and signed is not None:
        faults += _statement(inside, signed, run)
    return Checked(tuple(faults), signature, run)


def _subjects(files: Mapping[str, bytes], signed: Mapping[str, Any]) -> Iterator[Fault]:
    """The statement's list of files against the files."""
    try:
        named = {str(each["name"]): str(each["digest"]["sha256"]) for each in signed["subject"]}
    except (KeyError, TypeError):
        yield Fault(ENVELOPE, "subject: not a list of files and digests")
        return
    for name in sorted({*named, *files}):
        if name not in files:
            yield Fault(name, "it is missing")
        elif name not in named:
            yield Fault(name, "it was not sealed")
        elif chain.sha256(files[name]) != named[name]:
            yield Fault(name, "not the file that was sealed")


def _statement(files: Mapping[str, bytes], signed: Mapping[str, Any], run: Recheck) -> Iterator[Fault]:
    """The statement against the one that follows from the files."""
    if run.header is None or run.ending is None:
        return
    own = statement(files, run.header, run.ending, run.records)
    for part, inner in (("", own), ("predicate.", own["predicate"])):
        there = signed if not part else signed["predicate"]
        for field in sorted({*inner, *there}):
            if field != "predicate" and there.get(field) != inner.get(field):
                yield Fault(ENVELOPE, f"{part}{field}: does not follow from the files")
