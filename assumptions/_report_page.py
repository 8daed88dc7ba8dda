"""A page from its template: text is escaped where it is printed, and a compiled template is kept for the next run."""

from __future__ import annotations

import base64
import hashlib
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assumptions._report_text import clean, cut, duration, escape_markdown, link, number, when

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment
    from jinja2.bccache import Bucket

TEMPLATES = Path(__file__).parent / "_templates"


def page(name: str, view: dict[str, Any]) -> str:
    """The template NAME.j2 filled with `view`; a name that the view lacks is an error."""
    return _environment(name.endswith(".html")).get_template(f"{name}.j2").render(view)


def drawing(svg: str) -> Any:
    """An SVG of our own making, which escaped every text that came from outside: it goes on the page as it is."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704


@cache
def _environment(html: bool) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # here, because it takes 50 ms

    environment = Environment(
        autoescape=html,  # noqa: S701 - Markdown is escaped by finalize
        finalize=_tidy if html else escape_markdown,
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_compiled(),
    )
    environment.filters |= {"number": number, "duration": duration, "when": when, "link": link, "cut": cut}
    script = (TEMPLATES / "report.js").read_text("utf-8").strip()
    environment.globals |= {
        "css": drawing((TEMPLATES / "report.css").read_text("utf-8")),
        "script": drawing(script),
        "script_sha256": f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
    }
    return environment


def _compiled() -> BytecodeCache | None:
    """Where compiled templates lie: in the user's own cache, a folder for each version of this file.

    Compiling takes 80 ms, reading back 5.  None where the folder can't be written or could be written by others.
    """
    from jinja2 import FileSystemBytecodeCache

    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = root / "beachhead" / "templates" / version
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        about = folder.stat()
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        return None
    if about.st_uid != os.getuid() or about.st_mode & 0o022:
        return None

    class Kept(FileSystemBytecodeCache):
        """A damaged file is compiled anew, a full disk keeps nothing; neither stops a report."""

        def load_bytecode(self, bucket: Bucket) -> None:
            try:
                super().load_bytecode(bucket)
            except Exception:  # whatever a damaged file makes pickle and marshal raise
                bucket.reset()

        def dump_bytecode(self, bucket: Bucket) -> None:
            with suppress(OSError):
                super().dump_bytecode(bucket)

    return Kept(str(folder))


def _tidy(value: Any) -> Any:
    return value if hasattr(value, "__html__") else clean(value)
