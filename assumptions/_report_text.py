"""Text from outside, made fit to print: cleaned, escaped, cut; figures and times as a person writes them."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

CUT = 4_000  # characters of one output that the page shows


def clean(value: object) -> str:
    """Text without terminal sequences, control characters, or marks that turn the reading direction."""
    text = re.sub(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?", "", str(value))
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    return re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]",
        "\N{REPLACEMENT CHARACTER}",
        text,
    )


def number(value: float | None) -> str:
    """A figure with up to six digits and thousands separators: 790,000 or 0.7912."""
    if value is None or not math.isfinite(value):
        return "none" if value is None else str(value)
    if value == int(value):
        return f"{int(value):,}"
    places = min(9, max(0, 5 - math.floor(math.log10(abs(value)))))
    shown = f"{value:,.{places}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def duration(seconds: float) -> str:
    """Seconds for a reader: 0.42 s, 12 s, 3 min 12 s, 1 h 04 min."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def when(value: datetime | str) -> str:
    """A time in UTC to the second; text that is no time stays as it is."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at.tzinfo else str(value)
    except (ValueError, OverflowError):
        return str(value)


def link(address: object) -> str:
    """The address when it is http, https or a path beside the report; else nothing."""
    text = clean(address).strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    near = re.fullmatch(r"[\w.@+-][\w./@+-]*", text)
    return text if near or (parts.scheme in ("http", "https") and parts.netloc) else ""


def cut(value: object, record: str, file: str = "raw/trail.jsonl") -> str:
    """At most CUT characters of one raw output; the rest is named, with the place where the whole lies."""
    text = clean(value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False, default=str))
    if len(text) <= CUT:
        return text
    return f"{text[:CUT]}\n… cut: {CUT:,} of {len(text):,} characters; the whole lies in {file}, id {record}"


def escape_markdown(value: object) -> str:
    """One line of Markdown that reads as the text itself: no HTML, links, emphasis, headings, lists or table cells."""
    if hasattr(value, "__html__"):
        return str(value)
    text = " ".join(clean(value).split())
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)
    text = re.sub(r"<(?=[A-Za-z!/?])", "&lt;", text)
    text = re.sub(r"([\\`*\[\]|~])", r"\\\1", text)
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
    return re.sub(r"^(#+\s|>(?!=)|[+-]\s|-{3,}|={2,}|\d+(?=[.)]\s))", _guard, text + " ").rstrip()


def _guard(start: re.Match[str]) -> str:
    """A backslash before the mark that would begin a heading, a quote or a list."""
    return start[0] + "\\" if start[0].isdigit() else "\\" + start[0]
