"""The shell of tasks/units.py: what runs a unit on the host, what starts it, what looks at it.  Text in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from tasks.framing import KILL_AFTER_S

HEAD_BYTES = 4 * 2**20  # of each stream; then its last TAIL_BYTES, and nothing of what lies between
TAIL_BYTES = 64 * 2**10
CUT = "[... some output is left out here ...]"
_KEPT = "PATH|HOME|USER|LOGNAME|LANG|LC_[A-Z]+|[a-z]+_proxy|[A-Z]+_PROXY|SSL_CERT_[A-Z]+"
_START_TIME = "sed 's/.*) //' /proc/{pid}/stat 2>/dev/null | cut -d' ' -f20"
_BOOT = "$(cat /proc/sys/kernel/random/boot_id)"


def receiver(folder: str, sizes: Mapping[str, int]) -> str:
    """Take the files, one after another on stdin, into a folder that nobody else may read; all of them or an error.

    A unit that was started keeps what it has.
    """
    takes = "".join(
        f" && head -c {size} > {quote(name)} && [ $(stat -c %s {quote(name)}) = {size} ]"
        for name, size in sizes.items()
    )
    return f"umask 077; mkdir -p {quote(folder)} && cd {quote(folder)} && {{ [ ! -d started ] || exit 0; }}{takes}"


def runner(folder: str, timeout_s: float) -> str:
    """run.sh: the job with its input, the session's own environment, a deadline, and output of bounded size."""
    return (
        f"cd {quote(folder)} || exit 1\n"
        'echo "$$ $(' + _START_TIME.format(pid="$$") + ')" > pid\n'
        ". ./environment; umask 022\n"
        f"bound() {{ head -c {HEAD_BYTES}; tail -c {TAIL_BYTES} | sed '1s/^/\\n{CUT}\\n/'; }}\n"
        "exec 3< stdin; rm -f stdin\n"
        "exec 4> >(bound > out); p=$!; exec 5> >(exec 4>&-; bound > err); q=$!\n"
        f'j="$PWD/job.sh"; cd /; timeout --kill-after={KILL_AFTER_S} {timeout_s:.3f} '
        'bash "$j" <&3 >&4 2>&5 3<&- 4>&- 5>&-\n'
        "s=$?; exec 4>&- 5>&-\n"
        'for i in $(seq 20); do kill -0 "$p" 2>/dev/null || kill -0 "$q" 2>/dev/null || break; sleep 0.1; done\n'
        'cd "${j%/*}" && echo "$s" > status.part && sync out err status.part && mv status.part status\n'
    )


def starter(folder: str, id_: str, *, as_root: bool) -> str:
    """Start run.sh unless it was started before; as root under systemd, else in a session of its own."""
    run = quote(f"{folder}/run.sh")
    start = f"setsid nohup bash {run} < /dev/null > /dev/null 2>&1 &"
    if as_root:
        unit = f"systemd-run --quiet --collect --unit={quote(id_)} -- /bin/bash {run}"
        start = f"if [ -d /run/systemd/system ]; then {unit}; else {start} fi;"
    return (
        f"cd {quote(folder)} && {{ mkdir started 2>/dev/null || exit 0; }} && echo {_BOOT} > boot || exit; "
        f"declare -px | grep -E '^declare -x ({_KEPT})=' > environment; "
        f"start() {{ {start} }}; start || {{ s=$?; rmdir started; exit $s; }}"
    )


def alive(id_: str) -> str:
    """A test that is true while the unit runs."""
    same = f'[ -n "$s" ] && [ "$({_START_TIME.format(pid="$p")})" = "$s" ]'
    return f"{{ systemctl is-active -q {quote(id_)} 2>/dev/null || {{ read -r p s < pid && {same}; }} 2>/dev/null; }}"


def poll(folder: str, alive: str, wait_s: int) -> str:
    """Two lines, state and exit status, as soon as the unit ends and at the latest after `wait_s` seconds."""
    young = '[ -z "$(find started -maxdepth 0 -mmin +0.2 2>/dev/null)" ] && [ ! -e pid ]'  # not yet come so far
    return (
        f"cd {quote(folder)} 2>/dev/null && [ -d started ] || {{ printf 'state=absent\\nexit=\\n'; exit 0; }}; "
        f'[ -e status ] || [ "$(cat boot)" = "{_BOOT}" ] || {{ printf "state=restarted\\nexit=\\n"; exit 0; }}; '
        f"for i in $(seq {wait_s * 5}); do [ -e status ] && break; "
        f"[ $((i % 10)) != 0 ] || {alive} || {{ {young}; }} || break; sleep 0.2; done; r=gone; "
        f"if {alive} || {{ {young}; }}; then r=running; fi; "
        "if [ -e status ]; then r=ended; fi; printf 'state=%s\\nexit=%s\\n' $r \"$(cat status 2>/dev/null)\""
    )
