"""Which machine and which settings would serve a model?  The cheapest that do, and how far each is proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assumptions.formulas.asking import answered, at_longest, certain, file_only, verdict_rank
from assumptions.formulas.knobs import Knobs, ladder, splits
from assumptions.formulas.offers import Checkpoint, Offer, Option, Want

KEEP = 5
ABLE = ("fits", "tight")


@dataclass(frozen=True, slots=True)
class Found:
    """`proven` fit by the memory model and a public log shows the room; `on_paper` lack one of both.  Cheapest first.

    `none_because` says why `proven` is empty, and is empty when it is not.
    """

    proven: tuple[Option, ...]
    on_paper: tuple[Option, ...]
    none_because: str


def search(offers: Sequence[Offer], checkpoints: Sequence[Checkpoint], want: Want, *, keep: int = KEEP) -> Found:
    """The cheapest `keep` of each kind over all machines; one option, the best, a machine."""
    best = [found for offer in offers if (found := best_on(offer, checkpoints, want)) is not None]
    able = sorted((o for o in best if o.verdict in ABLE), key=_rank)
    proven = tuple(o for o in able if o.proven)[:keep]
    on_paper = tuple(o for o in able if not o.proven)[:keep]
    if not able:
        shorter = (o for offer in offers for o in _shorter(offer, checkpoints, want))
        on_paper = tuple(sorted(shorter, key=lambda o: (-o.context_tokens, _rank(o))))[:keep]
    return Found(proven, on_paper, "" if proven else _why_none(best, want))


def best_on(offer: Offer, checkpoints: Sequence[Checkpoint], want: Want) -> Option | None:
    """The best option of one machine: proven before fits before tight, then the plainest.  None: nothing to ask."""
    best: Option | None = None
    for option in _options(offer, checkpoints, want):
        if best is None or _better(option, best):
            best = option
        if best.proven or (best.verdict == "fits" and not offer.runs):
            break  # what comes later is less plain
    return best


def _options(offer: Offer, checkpoints: Sequence[Checkpoint], want: Want) -> Iterator[Option]:
    for checkpoint in checkpoints:
        if checkpoint.engine != offer.engine:
            continue
        if checkpoint.arch is None:
            yield file_only(offer, checkpoint, want)
            continue
        for tp, pp in splits(offer):
            steps = tuple(ladder(offer, checkpoint.arch, want, tp, pp))
            loosest = answered(offer, checkpoint, want, steps[-1])
            if loosest.verdict in ABLE:
                yield from _walk(offer, checkpoint, want, steps)
            else:
                yield loosest  # a plainer setting has less room


def _walk(offer: Offer, checkpoint: Checkpoint, want: Want, steps: Sequence[Knobs]) -> Iterator[Option]:
    """Plainest first, up to the first that surely has room; on, where a public log may show a later one."""
    for knobs in steps:
        option = answered(offer, checkpoint, want, knobs)
        yield option
        if certain(option) and not offer.runs:
            return


def _better(one: Option, other: Option) -> bool:
    """Strictly better, so that among equals the earlier and plainer stays."""
    return _worth(one) < _worth(other)


def _worth(option: Option) -> tuple[bool, tuple[int, bool], float]:
    fails = option.verdict == "does-not-fit"  # of those that fail, keep the one with the least missing
    return (not option.proven, verdict_rank(option), -_margin(option) if fails else 0.0)


def _margin(option: Option) -> float:
    return option.margin_gib.high if option.margin_gib else float("-inf")


def _rank(option: Option) -> tuple[tuple[int, bool], bool, float, str]:
    usd = option.hardware_usd
    return verdict_rank(option), usd is None, usd.mid if usd else 0.0, option.machine


def _shorter(offer: Offer, checkpoints: Sequence[Checkpoint], want: Want) -> Iterator[Option]:
    """The longest context that one machine gives, with the last of its settings; nothing where it gives none."""
    found = [
        at_longest(offer, checkpoint, want, tuple(ladder(offer, checkpoint.arch, want, tp, pp))[-1])
        for checkpoint in checkpoints
        if checkpoint.arch is not None and checkpoint.engine == offer.engine
        for tp, pp in splits(offer)
    ]
    able = [option for option in found if option.verdict in ABLE]
    if able:
        yield max(able, key=lambda option: option.context_tokens)


def _why_none(best: Sequence[Option], want: Want) -> str:
    asked = f"{want.concurrent_requests} request(s) of {want.context_tokens:,} tokens"
    if any(o.verdict in ABLE for o in best):
        return f"no machine in the catalog holds {asked} both by the memory model and by a public log"
    missing = [o for o in best if o.verdict == "does-not-fit" and o.margin_gib is not None]
    if missing:
        near = max(missing, key=_margin)
        short = f"{near.title} is nearest, short by {-_margin(near):.1f} GiB per GPU"
        return f"no machine in the catalog holds {asked}; {short}"
    why = best[0].reasons[0] if best and best[0].reasons else "no machine in the catalog serves this checkpoint"
    return f"nothing could be said about {asked}: {why}"
