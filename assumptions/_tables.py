"""The run's tables on disk, and whether each agrees with its own suite.  Great Expectations judges them.

A table that is handed in must have rows: leave a table out rather than handing it in empty.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape, unescape
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: dict[str, tuple[str, ...]] = {
    "shards": ("path", "size_expected", "size", "sha256_expected", "sha256", "digest_kind", "ok_digest"),
    "requests": ("id", "claim", "method", "path", "status", "seconds", "purpose", "expected_status"),
    "kv": ("name", "predicted", "measured", "unit"),
}
NULLABLE = ("sha256_expected", "sha256", "expected_status")
STYLE = Path(__file__).parent / "_templates" / "data_docs.css"
POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:"


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """One table against its suite; `unmet` says in words which expectations failed."""

    name: str
    ok: bool
    evaluated: int
    failed: int
    unmet: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TablesResult:
    """All tables of a run.  `problem` is why they could not be judged; then `ok` is False."""

    ok: bool
    suites: tuple[SuiteResult, ...] = ()
    data_docs: Path | None = None
    problem: str | None = None


def warm() -> None:
    """Begin to import what `check_tables` needs, seconds of work, while claims wait for a server's answers."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    threading.Thread(target=lambda: [import_module(n) for n in ("pandas", "great_expectations")], daemon=True).start()


def check_tables(frames: Mapping[str, pd.DataFrame], folder: Path) -> TablesResult:
    """Write `folder`/tables/<name>.csv, judge every frame, and build `folder`/data_docs.  Never raises."""
    if not frames:
        return TablesResult(ok=True)
    try:
        for name, frame in frames.items():
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
                raise ValueError(f"a table's name is a file's name too: {name!r} can't be one")
            (folder / "tables").mkdir(parents=True, exist_ok=True)
            frame.to_csv(folder / "tables" / f"{name}.csv", index=False)
        with warnings.catch_warnings(), TemporaryDirectory(prefix="beachhead-gx-") as scratch:
            warnings.simplefilter("ignore")
            suites = _judge(frames, Path(scratch), folder / "data_docs")
        index = _offline(folder / "data_docs", frames)
    except Exception as error:
        return TablesResult(ok=False, problem=f"{type(error).__name__}: {error}")
    return TablesResult(ok=all(suite.ok for suite in suites), suites=suites, data_docs=index)


def _judge(frames: Mapping[str, pd.DataFrame], scratch: Path, site: Path) -> tuple[SuiteResult, ...]:
    """One suite, one batch and one validation per frame, in a file context that is thrown away."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read once, when the package is imported
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it tells hundreds of lines at INFO
    import great_expectations as gx

    checkpoints: Any = gx.checkpoint
    context = _context(scratch, site)
    source = context.data_sources.add_pandas("evidence")
    out = []
    for name, frame in ((name, _escaped(frame)) for name, frame in frames.items()):
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
        expectations = _expectations(name, frame)
        suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations))
        validation = gx.ValidationDefinition(name=name, data=batch, suite=suite)
        checkpoint = gx.Checkpoint(
            name=name,
            validation_definitions=[context.validation_definitions.add(validation)],
            actions=[checkpoints.UpdateDataDocsAction(name="data_docs")],
            result_format="BASIC",
        )
        result = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})
        (validated,) = result.run_results.values()
        unmet = tuple(_words(each) for each in validated.results if not each.success)
        met = bool(result.success) and not unmet and len(validated.results) == len(expectations)
        out.append(SuiteResult(name, met, len(validated.results), len(unmet), unmet))
    return tuple(out)


def _context(scratch: Path, site: Path) -> Any:
    """A file context that shows no bars and writes one Data Docs site at `site`."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="file", project_root_dir=str(scratch))
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    context.delete_data_docs_site("local_site")
    site_config: Any = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site.resolve())},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    context.add_data_docs_site("evidence", site_config)
    return context


def _offline(site: Path, names: Iterable[str]) -> Path:
    """Make every page load nothing from a network, list the suites without a script, and give index.html."""
    index = site / "index.html"
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head += f"<style>{STYLE.read_text('utf-8')}</style>"
    for page in site.rglob("*.html"):
        page.write_text(re.sub(r"<head[^>]*>", lambda tag: tag[0] + head, page.read_text("utf-8"), count=1), "utf-8")
    rows = ""
    for name in names:
        (result,) = site.glob(f"validations/{name}/*/*/*.html")
        address = result.relative_to(site).as_posix()
        rows += f'<li><a href="{address}">{name}</a> (<a href="expectations/{name}.html">its suite</a>)</li>'
    listing = f'<section class="beachhead"><h1>Tables of this run</h1><ul>{rows}</ul></section>'
    text = re.sub(r"<body[^>]*>", lambda tag: tag[0] + listing, index.read_text("utf-8"), count=1)
    index.write_text(text, "utf-8")
    return index


def _words(result: Any) -> str:
    """One failed expectation: its type, its columns, and what it met."""
    settings, met = result.expectation_config, result.result
    hidden = ("batch_id", "condition_parser", "row_condition", "ignore_row_if", "mostly")
    of = ", ".join(f"{name}={value}" for name, value in settings.kwargs.items() if name not in hidden)
    crashes = [result.exception_info, *(result.exception_info or {}).values()]
    message = next((c["exception_message"] for c in crashes if isinstance(c, dict) and c.get("exception_message")), "")
    if message:
        return f"{settings.type}({of}): could not be evaluated: {message}"
    if "unexpected_count" in met:
        samples = "; ".join(map(_plain, met.get("partial_unexpected_list", [])[:3]))
        return f"{settings.type}({of}): {met['unexpected_count']} of {met['element_count']} rows differ: {samples}"
    return f"{settings.type}({of}): " + (f"met {met['observed_value']}" if "observed_value" in met else "not so")


def _plain(value: Any) -> str:
    return " and ".join(map(_plain, value)) if isinstance(value, tuple) else unescape(str(value))


def _escaped(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every text as HTML says it: Data Docs prints cells as they are.  Equal stays equal."""
    return frame.rename(columns=lambda name: escape(str(name))).map(
        lambda cell: escape(cell) if isinstance(cell, str) else cell
    )


def _expectations(name: str, frame: pd.DataFrame) -> list[Any]:
    """The suite of one table; while a column is missing, only that is said."""
    gxe = _vocabulary()
    columns = COLUMNS.get(name, tuple(map(str, frame.columns)))
    suite = [gxe.ExpectTableRowCountToBeBetween(min_value=1), *(gxe.ExpectColumnToExist(column=c) for c in columns)]
    if name not in COLUMNS:  # nobody wrote a suite: no column may be all holes
        some = 0.5 / max(len(frame), 1)
        return [*suite, *(gxe.ExpectColumnValuesToNotBeNull(column=c, mostly=some) for c in columns)]
    if set(columns) - set(frame.columns):
        return suite
    filled = [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in columns if c not in NULLABLE]
    return [*suite, *filled, *_SUITES[name](gxe, frame)]


def _shards(gxe: Any, _: pd.DataFrame) -> list[Any]:
    return [
        gxe.ExpectColumnValuesToBeUnique(column="path"),
        _equal(gxe, "size", "size_expected"),
        _equal(gxe, "sha256", "sha256_expected", row_condition=_column("digest_kind") == "sha256"),
        gxe.ExpectColumnValuesToBeInSet(column="ok_digest", value_set=[True]),
    ]


def _requests(gxe: Any, frame: pd.DataFrame) -> list[Any]:
    suite = [
        gxe.ExpectColumnValuesToBeUnique(column="id"),
        gxe.ExpectColumnValuesToBeBetween(column="status", min_value=100, max_value=599),
        gxe.ExpectColumnValuesToBeBetween(column="seconds", min_value=0),
    ]
    if frame["expected_status"].notna().any():
        given = _column("expected_status").is_not_null()
        suite.append(_equal(gxe, "status", "expected_status", row_condition=given))
    return suite


def _kv(gxe: Any, _: pd.DataFrame) -> list[Any]:
    return [gxe.ExpectColumnValuesToBeBetween(column=c, min_value=0) for c in ("predicted", "measured")]


def _equal(gxe: Any, one: str, other: str, **more: Any) -> Any:
    """Equal row by row; two holes are not equal."""
    return gxe.ExpectColumnPairValuesToBeEqual(column_A=one, column_B=other, ignore_row_if="neither", **more)


def _vocabulary() -> Any:
    return import_module("great_expectations.expectations")


def _column(name: str) -> Any:
    return import_module("great_expectations.expectations.row_conditions").Column(name)


_SUITES: dict[str, Callable[[Any, pd.DataFrame], list[Any]]] = {"shards": _shards, "requests": _requests, "kv": _kv}
