"""The nginx that a host has, and whether it can run Perl."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import filled, match, sections, understood


@dataclass(frozen=True, slots=True)
class Nginx:
    """`program` and `perl_module` are paths, empty where there is none; `version` as 1.22.1."""

    program: str
    version: str
    perl_module: str

    @property
    def usable(self) -> bool:
        """Whether a gateway can be made of it."""
        return bool(self.program and self.perl_module)


@dataclass(frozen=True)
class NginxFact:
    """The host's Nginx, also where /usr/sbin is not on PATH.

    Samples: "@@ program\\n/usr/sbin/nginx\\n@@ version\\nnginx version: nginx/1.22.1\\n@@ perl\\n
    /usr/lib/nginx/modules/ngx_http_perl_module.so\\n@@ end"; "@@ program\\n@@ version\\n@@ perl\\n@@ end"
    """

    command: str = (
        "PATH=$PATH:/usr/sbin:/usr/local/sbin; n=$(command -v nginx); echo '@@ program'; "
        '[ -z "$n" ] || echo "$n"; echo \'@@ version\'; if [ -n "$n" ]; then "$n" -v 2>&1 || exit; fi; '
        "echo '@@ perl'; if [ -n \"$n\" ]; then "
        'm=$("$n" -V 2>&1 | sed -n "s/.*--modules-path=\\([^ ]*\\).*/\\1/p"); '
        'for f in "$m/ngx_http_perl_module.so"; do [ ! -f "$f" ] || echo "$f"; done; fi; echo \'@@ end\''
    )

    @understood
    def parse(self, stdout: str) -> Nginx:
        """Nothing at all, or a program with its version."""
        program, version, perl, _ = sections(stdout, "program", "version", "perl", "end")
        if not program:
            if version or perl:
                raise ValueError("a version of no program")
            return Nginx("", "", "")
        (path,), (said,) = program, version[-1:]
        number = match(r"nginx version: [\w.-]+/(\d+(?:\.\d+)+)(?: .*)?", said)[1]
        return Nginx(match(r"/\S+", filled(path)).group(), number, match(r"/\S+", perl[0]).group() if perl else "")
