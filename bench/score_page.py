"""The page of the documentation that holds the score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from textwrap import wrap

from bench.measured_rows import Row
from bench.peer_runs import PEERS
from bench.score_tables import Table, markdown
from bench.scoring import Answer

COMMAND = ".venv/bin/python bench/memory_model.py --markdown docs/reference/memory-model-scores.md"
LACKING = ("A100", "B200", "RTX-5090", "MI300X")
HEAD = """# How the memory model scores

Written by the bench, do not edit: `{command}`

The [memory model](memory-model.md) beside two public planners, asked the same questions about the same public vLLM
logs (`tests/assumptions/formulas/data/vllm_measurements.csv`; every row names its source). Nothing here was measured
by us. Scored are the rows on NVIDIA cards that came up and whose model's config.json is there, one for each group and
version; GiB are per GPU. A planner that gives no figure for a row has no error there, so read each line with the first.

A few models are seen often, so a mean or a median is mostly theirs (rows of each):
{models}

{summary}

**In-sample.** Weights and bytes per token have no fitted constant. The overhead ranges do: they were calibrated on
these same rows, so the line "inside the range" says that the ranges describe these runs, not how well they predict the
next one. The second table is the honest figure for that: every row judged by ranges whose calibration
(`bench/calibration.py`) did not see its model, its group, its version, or any row on its card. Its last column is the
one to hold beside AIConfigurator's error, whose makers did not fit it to these rows.

{left_out}

A model here is its config.json, so Kimi K2.5, K2.6 and K2 Thinking leave together. What leaving out does not test: that
the warm-up differs between versions, and by how much, was read from these logs too. Leaving out a card takes away all
versions and kinds of model that only that card has, H200 above all; the ranges can't be trusted for what no row has.

**What the rows are not.** Cards among them: {cards}; none: {no_cards}. Rows with pipeline parallelism: {staged};
with weights offloaded to the host: the table has no column for it, and no row is known. Tokens alone, without GiB of
KV, are not scored: since vLLM 0.20 the logged count is no longer pool over bytes (vllm#51041), and the largest error in
bytes per token is such a row. A draft model stands in a row's notes alone, so nobody is told of it.

What a peer can't be told:

{untold}

Rows without an answer:

{unanswered}

## Each row

`!` marks a measured KV outside our range.

{rows}
"""


def page(tables: tuple[Table, ...], told: Mapping[str, Mapping[str, Answer]], rows_scored: tuple[Row, ...]) -> str:
    """The whole page, from the three tables and everybody's answers."""
    seen = Counter(row.base for row in rows_scored).most_common()
    cards = {row.text("gpu") for row in rows_scored}
    summary, left_out, rows = (markdown(table) for table in tables)
    return HEAD.format(
        command=COMMAND,
        summary=summary,
        left_out=left_out,
        rows=rows,
        models="\n".join(wrap(", ".join(f"{name} {number}" for name, number in seen) + ".", 118)),
        cards=", ".join(sorted(cards)),
        no_cards=", ".join(name for name in LACKING if not any(card.startswith(name) for card in cards)) or "-",
        staged=sum(row.whole("pp", 1) > 1 for row in rows_scored),
        untold="\n".join(f"- {peer.name}: {peer.untold}" for peer in PEERS),
        unanswered="\n".join(f"- {name}: {_reasons(answers)}" for name, answers in told.items()),
    )


def _reasons(answers: Mapping[str, Answer]) -> str:
    counted: dict[str, int] = {}
    for answer in answers.values():
        if answer.why_none and not answer.why_none.startswith("the row names no config"):
            counted[answer.why_none] = counted.get(answer.why_none, 0) + 1
    return ", ".join(f"{number} ({why})" for why, number in counted.items()) or "none"
