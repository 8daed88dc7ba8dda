"""A real host that is passed through, except that one command's output is changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from tasks.hosts import Host, Ran


@dataclass(frozen=True)
class HostLie:
    """What is changed in the output of every command in which `where` is found."""

    name: str
    says: str
    where: str
    change: Callable[[str], str]


class LyingHost:
    """Another host's words with one lie in them.  `remembered` holds slow commands' outputs, to be told again."""

    def __init__(self, inner: Host, lie: HostLie | None, remembered: dict[str, Ran] | None = None) -> None:
        self.name = inner.name
        self._inner, self._lie, self._remembered = inner, lie, remembered
        self.lied = 0

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        ran = self._truth(command, timeout, stdin, sudo)
        if self._lie is None or not re.search(self._lie.where, command):
            return ran
        changed = self._lie.change(ran.stdout)
        self.lied += changed != ran.stdout
        return replace(ran, stdout=changed)

    def _truth(self, command: str, timeout: float, stdin: str | None, sudo: bool) -> Ran:
        store = self._remembered if SLOW in command else None
        if store is not None and command in store:
            return store[command]
        ran = self._inner.run(command, timeout=timeout, stdin=stdin, sudo=sudo)
        if store is not None and ran.exit == 0:
            store[command] = ran
        return ran

    def forward(self, port: int) -> AbstractContextManager[int]:
        return self._inner.forward(port)

    def close(self) -> None:
        self._inner.close()


SLOW = "engine_probe.py flags MODEL"  # in the probe's own text: it loads the engine's libraries
LOG = r"head -c 1000000 \S*server-"
TIMES = r"echo '@@ clock'.*-printf '%y %s %i %T@ %C@ %P"
SOCKETS = r"ss -H -l -t -n -p"
HUB = r"list_repo_tree|HfApi"
WATCH = r"watch-events\.jsonl"


def _kv_tokens(share: float) -> Callable[[str], str]:
    def change(text: str) -> str:
        return re.sub(
            r"((?:GPU|CPU) KV cache size: )([0-9,]+)( tokens)",
            lambda found: f"{found[1]}{int(int(found[2].replace(',', '')) * share):,}{found[3]}",
            text,
        )

    return change


def _last_file(text: str, days: float, *, written: bool) -> str:
    """The listing's last file, changed `days` later; with `written` its content too."""
    lines = text.splitlines()
    number = max(n for n, line in enumerate(lines) if line.startswith("f "))
    kind, size, inode, before, changed, path = lines[number].split(" ", 5)
    later = f"{float(changed) + days * 86400:.6f}"
    lines[number] = " ".join((kind, size, inode, later if written else before, later, path))
    return "\n".join(lines) + "\n"


def _outward(text: str) -> str:
    """Every listener on loopback listens everywhere."""
    return re.sub(r"127\.0\.0\.1:(2\d{4})\b", r"0.0.0.0:\1", text)


def _less_log(*names: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        return "\n".join(line for line in text.splitlines() if not any(name in line for name in names)) + "\n"

    return change


LOGS = (
    HostLie("log-kv-shrunk", "the log gives nine tenths of the KV cache's tokens", LOG, _kv_tokens(0.9)),
    HostLie("log-kv-tiny", "the log gives a thousandth of the KV cache's tokens", LOG, _kv_tokens(0.001)),
    HostLie("log-kv-gone", "the log does not tell the KV cache's size", LOG, _less_log("KV cache size", "GiB for KV")),
    HostLie(
        "log-other-window",
        "the engine logs half the context that it was given",
        LOG,
        lambda text: re.sub(
            r"('max_model_len': |max_seq_len=)(\d+)", lambda found: f"{found[1]}{int(found[2]) // 2}", text
        ),
    ),
    HostLie(
        "log-no-parser",
        "the engine logs another reasoning parser",
        LOG,
        lambda text: text.replace("'reasoning_parser': 'kimi_k2'", "'reasoning_parser': 'deepseek_r1'"),
    ),
    HostLie("log-no-arguments", "the log does not tell what the engine was given", LOG, _less_log("non-default args")),
    HostLie(
        "log-other-weights",
        "the engine logs another folder than the verified one",
        LOG,
        lambda text: re.sub(r"(Starting to load model )\S+?\.\.\.", r"\1/root/other-model...", text),
    ),
    HostLie("log-empty", "the log is empty", LOG, lambda text: ""),
)
FILES = (
    HostLie(
        "file-written-later",
        "a file was written after the engine's start",
        TIMES,
        lambda text: _last_file(text, 30, written=True),
    ),
    HostLie(
        "file-touched-later",
        "a file's rights or name changed after the engine's start",
        TIMES,
        lambda text: _last_file(text, 30, written=False),
    ),
    HostLie(
        "files-gone",
        "the model's folder is empty",
        TIMES,
        lambda text: "\n".join(line for line in text.splitlines() if not line.startswith("f ")) + "\n",
    ),
)
PORTS = (
    HostLie("port-open", "the engine listens on every address", SOCKETS, _outward),
    HostLie("sockets-unread", "the list of listeners can't be read", SOCKETS, lambda text: "garbage\n"),
)
WATCHES = (
    HostLie(
        "watchdog-ended",
        "the watchdog was set up and has ended",
        WATCH,
        lambda text: re.sub(r"(@@ process\n)running \d+.*", r"\1ended", text),
    ),
    HostLie(
        "breaker-open",
        "the watchdog has given up",
        WATCH,
        lambda text: re.sub(r'"breaker": *""', '"breaker": "6 restarts in 3600 s"', text),
    ),
)
GIT_ONLY = '"sha256": null, "git_sha1": "' + "a" * 40 + '"'
HUBS = (
    HostLie(
        "hub-without-digests",
        "the hub lists no SHA-256",
        HUB,
        lambda text: re.sub(
            r'"sha256": "[0-9a-f]{64}", "git_sha1": null', '"sha256": null, "git_sha1": "' + "a" * 40 + '"', text
        ),
    ),
    HostLie(
        "hub-other-digests",
        "the hub lists other digests than those of the files",
        HUB,
        lambda text: re.sub(r'("sha256": ")[0-9a-f]{8}', r"\g<1>deadbeef", text),
    ),
    HostLie("hub-unread", "the hub answers with a page", HUB, lambda text: "<html>502</html>\n"),
)
LIES = (*HUBS, *LOGS, *FILES, *PORTS, *WATCHES)
