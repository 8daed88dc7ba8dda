"""What lies in a gateway's folder, and what its running nginx says that it has loaded."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import match, sections, understood, whole

_ASK = (  # HTTP over a Unix socket needs no curl: nginx's perl module brings Perl
    "use IO::Socket::UNIX; alarm 5; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 0; "
    'print $s "GET /loaded HTTP/1.0\\r\\n\\r\\n"; my $t = join "", <$s>; '
    'print $t =~ /\\AHTTP\\/1\\.1 200 .*?\\r\\n\\r\\n(\\S+ \\S+)\\n\\z/s ? "$1\\n" : "unreadable\\n"'
)


@dataclass(frozen=True, slots=True)
class GatewayFile:
    """One file of the configuration: `sha256` in hex digits, `mode` as stat prints it."""

    name: str
    sha256: str
    mode: str


@dataclass(frozen=True, slots=True)
class GatewayState:
    """`mark` names the configuration on disk, `keys` is its keys file's SHA-256; both empty where there is none.

    `loaded_mark` and `loaded_keys` are the running nginx's own words, empty where none answers; `pid` its master's,
    None where it is not a process of this host's own (none runs, or it runs in a container).
    """

    mark: str
    files: tuple[GatewayFile, ...]
    keys: str
    pid: int | None
    loaded_mark: str
    loaded_keys: str

    @property
    def answers(self) -> bool:
        """Whether an nginx with one of our configurations runs."""
        return bool(self.loaded_mark)

    @property
    def current(self) -> bool:
        """Whether it runs with what is on disk now."""
        return self.answers and (self.loaded_mark, self.loaded_keys) == (self.mark, self.keys)


def ask_loaded(folder: str) -> str:
    """A command that prints "MARK KEYS" as the running nginx says them, nothing where none answers."""
    return f"perl -e {shlex.quote(_ASK)} {shlex.quote(f'{folder}/run/control.sock')} 2>/dev/null"


@dataclass(frozen=True)
class GatewayStateFact:
    """The GatewayState of `folder`.

    Sample: "@@ conf\\nconf-5d41402abc4b2a76\\n@@ files\\ne3b0… 600 nginx.conf\\n@@ keys\\ne3b0…\\n@@ pid\\n4711\\n
    @@ loaded\\n5d41402abc4b2a76 e3b0…\\n@@ end"
    """

    folder: str

    @property
    def command(self) -> str:
        """A pid counts only where that process is an nginx master of this folder."""
        folder = shlex.quote(self.folder)
        return (
            f"d={folder}; echo '@@ conf'; readlink \"$d/conf\"; echo '@@ files'; "
            'for f in "$d"/conf/*; do [ ! -f "$f" ] || '
            'echo "$(sha256sum < "$f" | cut -d" " -f1) $(stat -c %a "$f") ${f##*/}"; done; '
            'echo \'@@ keys\'; [ ! -f "$d/keys" ] || sha256sum < "$d/keys" | cut -d" " -f1; '
            "echo '@@ pid'; p=$(cat \"$d/run/nginx.pid\" 2>/dev/null); "
            'if [ -n "$p" ] && tr "\\0" " " < "/proc/$p/cmdline" 2>/dev/null | '
            'grep -qF -- "nginx: master process" && tr "\\0" " " < "/proc/$p/cmdline" | grep -qF -- "-p $d/"; '
            f"then echo \"$p\"; fi; echo '@@ loaded'; {ask_loaded(self.folder)}; echo '@@ end'"
        )

    @understood
    def parse(self, stdout: str) -> GatewayState:
        """Each section has one line at most, but for the files."""
        conf, files, keys, pid, loaded, _ = sections(stdout, "conf", "files", "keys", "pid", "loaded", "end")
        said = match(r"(\w+) ([0-9a-f]{64})", loaded[0]) if loaded else None
        if max(map(len, (conf, keys, pid, loaded))) > 1:
            raise ValueError("more lines than things")
        return GatewayState(
            mark=match(r"conf-(\w+)", conf[0])[1] if conf else "",
            files=tuple(GatewayFile(*_file(line)) for line in files),
            keys=match(r"[0-9a-f]{64}", keys[0]).group() if keys else "",
            pid=whole(pid[0]) if pid else None,
            loaded_mark=said[1] if said else "",
            loaded_keys=said[2] if said else "",
        )


def _file(line: str) -> tuple[str, str, str]:
    found = match(r"([0-9a-f]{64}) ([0-7]{3,4}) ([\w.-]+)", line)
    return found[3], found[1], found[2]
