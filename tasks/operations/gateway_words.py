"""The shell commands by which a gateway's nginx is tested, started and told to read its configuration anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from shlex import quote


@dataclass(frozen=True, slots=True)
class NginxWords:
    """`test` takes the name of a configuration folder; `start` and `reload` mean the one that `conf` points to;
    `reopen` makes it write to logs of the same names anew, as after a rotation.

    `perl_module` is the module's path as that nginx sees it; `own_process` says that its master is a process that
    the host's user can see, so that workers without one are a fault.
    """

    test: Callable[[str], str]
    start: str
    reload: str
    reopen: str
    perl_module: str
    own_process: bool


def as_process(program: str, folder: str, perl_module: str) -> NginxWords:
    """nginx as a daemon of our own user, which outlives the connection.

    The control socket of a process that was killed is removed first: nginx would take it for one in use.  Workers
    that outlived their master are told to end their streams and to listen no more, and a new one is started.
    """
    nginx = f"{quote(program)} -p {quote(folder + '/')}"
    start = _started(nginx, folder)
    pid = f"p=$(cat {quote(f'{folder}/run/nginx.pid')})"
    is_master = 'grep -qa "^nginx: master process" "/proc/$p/cmdline" 2>/dev/null'
    return NginxWords(
        test=lambda conf: f"{nginx} -t -q -c {quote(f'{conf}/nginx.conf')}",
        start=start,
        reload=f'{pid}; if {is_master}; then kill -HUP "$p"; else {_orphans_ended(folder)}; {start}; fi',
        reopen=f'{pid} && {is_master} && kill -USR1 "$p"',
        perl_module=perl_module,
        own_process=True,
    )


def _started(nginx: str, folder: str) -> str:
    log = quote(f"{folder}/start.log")
    return (
        f"umask 027; rm -f {quote(f'{folder}/run/control.sock')}; "
        f"{nginx} -c conf/nginx.conf < /dev/null > /dev/null 2> {log} || {{ s=$?; cat {log} >&2; exit $s; }}"
    )


def _orphans_ended(folder: str) -> str:
    """Whoever still has our control socket open stops listening, within ten seconds."""
    socket = quote(f"{folder}/run/control.sock")
    inode = f"i=$(awk -v s={socket} '$8 == s {{ print $7; exit }}' /proc/net/unix)"
    holders = 'find /proc/[0-9]*/fd -lname "socket:\\[$i\\]" 2>/dev/null | cut -d/ -f3 | sort -u'
    return (
        f'for n in $(seq 50); do {inode}; [ -n "$i" ] || break; '
        f'for h in $({holders}); do kill -QUIT "$h"; done; sleep 0.2; done'
    )


def in_container(docker: str, container: str, folder: str, perl_module: str) -> NginxWords:
    """nginx in a container that sees `folder` at the same path; `docker` is the command with its options.

    A test before the container runs can't be made, and needn't: it has nothing to lose.
    """
    inside = f"{docker} exec {quote(container)} nginx -p {quote(folder + '/')}"
    there = f'[ "$({docker} container inspect -f "{{{{.State.Running}}}}" {quote(container)} 2>/dev/null)" = true ]'
    return NginxWords(
        test=lambda conf: f"if {there}; then {inside} -t -q -c {quote(f'{conf}/nginx.conf')}; fi",
        start=f"rm -f {quote(f'{folder}/run/control.sock')}; {docker} start {quote(container)} > /dev/null",
        reload=f"{docker} kill --signal HUP {quote(container)} > /dev/null",
        reopen=f"{docker} kill --signal USR1 {quote(container)} > /dev/null",
        perl_module=perl_module,
        own_process=False,
    )
