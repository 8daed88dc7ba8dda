"""Package repositories of the host, each trusted by a key of its own alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.reading import choice, understood
from tasks.hosts import Host
from tasks.operations.apt import QUIET, UPDATE, need_apt
from tasks.operations.base import Step
from tasks.operations.file_content import FileContent

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_ENCODED = '\\|{}[]<>"^~_=!@#$%&*'  # what apt writes as %xx in the name of a list (apt-pkg/strutl.cc, URItoFileName)


@dataclass(frozen=True)
class ListFact:
    """Whether apt has read the repository whose lists begin with `stem`.  Sample: "yes"."""

    stem: str

    @property
    def command(self) -> str:
        """Look for its signed index."""
        stem = shlex.quote(f"/var/lib/apt/lists/{self.stem}")
        return f"if [ -e {stem}InRelease ] || [ -e {stem}Release ]; then echo yes; else echo no; fi"

    @understood
    def parse(self, stdout: str) -> bool:
        """One word."""
        return choice(stdout.strip(), "yes", "no")


@dataclass(frozen=True)
class AptRepository:
    """apt reads `uri` `suite` `components`, believes the key in the file `key` here about it, and has its lists."""

    title: str
    uri: str
    suite: str
    components: tuple[str, ...]
    key: str

    def __post_init__(self) -> None:
        fine = re.fullmatch(r"[a-z0-9][a-z0-9-]*", self.title) and all(
            map(_WORD.fullmatch, (self.suite, *self.components))
        )
        if not fine or not re.fullmatch(r"(https?|file):/[^\s@\[\]]+", self.uri):
            raise BadInput(
                f"{self.title!r}, {self.uri!r}, {self.suite!r}, {self.components!r} make no repository line",
                where="repository of an operation",
                fix="https://host/path, one suite, components; a password belongs into the host's /etc/apt/auth.conf.d",
            )

    @property
    def name(self) -> str:
        """For a person."""
        return f"repository {self.title} ({self.uri})"

    @property
    def line(self) -> str:
        """As apt's list has it."""
        return f"deb [signed-by={self._keyring}] {' '.join((self.uri, self.suite, *self.components))}\n"

    def plan(self, host: Host) -> Iterator[Step]:
        """Key, line, and one reading of this repository alone, which fails where the key or the address is wrong."""
        path = f"/etc/apt/sources.list.d/beachhead-{self.title}.list"
        key, line = FileContent(self._keyring, self._key_text()), FileContent(path, self.line)
        steps = [*key.plan(host), *line.plan(host)]
        if not steps and look(host, ListFact(self._stem)):
            return
        need_apt(host)
        yield from steps
        only = f"-o Dir::Etc::sourcelist={path} -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0"
        yield Step(f"read {self.uri}", f"{QUIET}; {UPDATE} {only}", timeout=1800, sudo=True)

    @property
    def _keyring(self) -> str:
        return f"/etc/apt/keyrings/beachhead-{self.title}.asc"

    @property
    def _stem(self) -> str:
        parts = urlsplit(self.uri)
        bare = f"{parts.netloc}{parts.path}".rstrip("/")
        bare += f"/{self.suite}" if self.suite.endswith("/") else f"/dists/{self.suite}/"
        encoded = "".join(f"%{ord(c):02x}" if c in _ENCODED else c for c in bare)
        return encoded.replace("/", "_")

    def _key_text(self) -> str:
        file = Path(self.key).expanduser()
        try:
            text = file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            text, why = "", str(error)
        else:
            why = "it has no armoured public key"
        if "-----BEGIN PGP PUBLIC KEY BLOCK-----" not in text:
            raise BadInput(
                f"the key of repository {self.title} can't be used: {why}",
                where=str(file),
                fix="name a file with the armoured key (gpg --enarmor turns a binary one into text)",
            )
        return text
