"""sudo for a user who is not root, over OpenSSH: with and without a password, which never shows anywhere."""

import logging
import os
import pickle
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.hosts import DeadlineExceeded, SudoRefused
from tasks.local import LocalHost
from tests.tasks.sshd import Sshd, gone_within, running, running_sshd

PASSWORD = "Correct-Horse-7431-Battery"
WRONG = "Wrong-Donkey-9921-Staple"
ASKS = "ALL=(ALL) ALL"
TRUSTS = "ALL=(ALL) NOPASSWD: ALL"


@dataclass
class Account:
    """A user of this machine, made for these tests, and the server that lets it in."""

    name: str
    sudoers: Path
    server: Sshd

    def may(self, rule: str | None) -> None:
        self.sudoers.unlink(missing_ok=True)
        if rule:
            self.sudoers.touch(mode=0o440)
            self.sudoers.write_text(f"{self.name} {rule}\n")


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    if os.getuid() != 0:
        pytest.skip("needs root on this machine: a user and a sudoers rule are made for the test")
    if not all(map(shutil.which, ("sudo", "useradd", "chpasswd"))):
        pytest.skip("needs sudo, useradd and chpasswd: apt-get install sudo passwd")
    name = f"beachhead{os.getpid()}"
    root = Path(tempfile.mkdtemp(prefix="beachhead-sudo-"))  # the user must be able to read its authorized_keys
    root.chmod(0o755)
    sudoers = Path("/etc/sudoers.d") / name
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", name], check=True)
    try:
        subprocess.run(["chpasswd"], input=f"{name}:{PASSWORD}\n", text=True, check=True)
        with running_sshd(root, name) as server:
            yield Account(name, sudoers, server)
    finally:
        sudoers.unlink(missing_ok=True)
        subprocess.run(["userdel", "--remove", "--force", name], check=False, capture_output=True)
        shutil.rmtree(root)


def test_root_needs_no_sudo(account: Account, tmp_path: Path) -> None:
    (tmp_path / "sshd").mkdir()
    with running_sshd(tmp_path / "sshd") as server:
        ran = server.host().run("id -u; ps -o args= -p $PPID; ps -eo args", sudo=True)
    assert ran.stdout.splitlines()[0] == "0"
    assert "sudo -" not in ran.stdout.splitlines()[1]


def test_without_sudo_the_user_stays_who_they_are(account: Account) -> None:
    account.may(TRUSTS)
    assert account.server.host().run("id -un").stdout == f"{account.name}\n"


def test_nopasswd_runs_as_root(account: Account) -> None:
    account.may(TRUSTS)
    host = account.server.host()
    ran = host.run("id -u; cat; echo err >&2; exit 6", stdin="mine, no newline", sudo=True)
    assert (ran.stdout, ran.stderr, ran.exit) == ("0\nmine, no newline", "err\n", 6)
    assert ran.command == "id -u; cat; echo err >&2; exit 6"


def test_a_root_command_past_its_deadline_is_stopped(account: Account) -> None:
    account.may(TRUSTS)
    with pytest.raises(DeadlineExceeded):
        account.server.host().run("sleep 61.7431", sudo=True, timeout=1)
    assert gone_within("sleep 61.7431", 2)


def test_the_right_password_runs_as_root_and_is_seen_nowhere(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    account.may(ASKS)
    caplog.set_level(logging.DEBUG)
    host = account.server.host(sudo_password=PASSWORD)
    seen: list[str] = []
    over = threading.Event()

    def sample() -> None:
        while not over.is_set():
            seen.extend(running(""))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        ran = host.run("id -u; cat; env; sleep 0.5; cat /proc/*/cmdline 2>/dev/null", stdin="first\nlast", sudo=True)
    finally:
        over.set()
        sampler.join()
    assert ran.stdout.startswith("0\nfirst\nlast")
    assert ran.stderr == ""  # not even sudo's lecture
    assert any("sudo -S -k" in line for line in seen)
    for text in (repr(ran), caplog.text, "\n".join(seen), repr(host), repr(vars(host._link))):
        assert PASSWORD not in text
    assert host.run("wc -c", stdin="x" * 3_000_000, sudo=True).stdout == "3000000\n"


def test_a_password_that_sudo_does_not_ask_for_is_not_the_commands_input(account: Account) -> None:
    account.may(ASKS)
    host = account.server.host(sudo_password=PASSWORD)
    assert host.run("cat", stdin="mine", sudo=True).stdout == "mine"
    account.may(TRUSTS)  # from now on the line with the password is left on stdin
    assert host.run("cat", stdin="mine", sudo=True).stdout == "mine"


def test_a_wrong_password_is_tried_once_and_refused_quickly(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    account.may(ASKS)
    caplog.set_level(logging.DEBUG)
    host = account.server.host(sudo_password=WRONG)
    start = time.monotonic()
    with pytest.raises(SudoRefused, match="did not accept the password") as refused:
        host.run("echo ran", stdin="mine", sudo=True)
    assert time.monotonic() - start < 30
    account.server.stop()
    try:
        with pytest.raises(SudoRefused, match="did not accept the password"):  # without asking the host again
            host.run("echo ran", sudo=True)
    finally:
        account.server.start()
    told = "".join(traceback.format_exception(refused.value)) + repr(pickle.loads(pickle.dumps(refused.value)))
    assert WRONG not in told + caplog.text


def test_no_password_says_what_to_do(account: Account) -> None:
    account.may(ASKS)
    with pytest.raises(SudoRefused, match="sudo asks for a password") as refused:
        account.server.host().run("true", sudo=True)
    assert "NOPASSWD" in refused.value.fix
    assert "sudo_password_env" in refused.value.fix


def test_a_user_without_rights_is_refused(account: Account) -> None:
    account.may(None)
    with pytest.raises(SudoRefused):
        account.server.host(sudo_password=PASSWORD).run("true", sudo=True)


def test_rights_that_are_taken_away_are_noticed(account: Account) -> None:
    account.may(TRUSTS)
    host = account.server.host()
    assert host.run("id -u", sudo=True).stdout == "0\n"
    account.may(ASKS)
    with pytest.raises(SudoRefused, match="sudo refused"):
        host.run("id -u", sudo=True)
    account.may(TRUSTS)
    assert host.run("id -u", sudo=True).stdout == "0\n"


def as_user(name: str, action: Callable[[], str]) -> str:
    """What `action` says in a child of this process that belongs to `name` (who need not be able to read Python)."""
    user = pwd.getpwnam(name)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.chdir("/")
            os.initgroups(name, user.pw_gid)
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            os.write(writer, action().encode())
        except BaseException as failed:
            os.write(writer, repr(failed).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.parametrize(
    ("rule", "password", "says"),
    [(TRUSTS, None, "'0\\nmine' '' 4"), (ASKS, PASSWORD, "'0\\nmine' '' 4"), (ASKS, None, "SudoRefused")],
)
def test_the_local_host_keeps_the_same_rules(account: Account, rule: str, password: str | None, says: str) -> None:
    def ask() -> str:
        ran = LocalHost(sudo_password=password).run("id -u; cat; exit 4", stdin="mine", sudo=True)
        return f"{ran.stdout!r} {ran.stderr!r} {ran.exit}"

    account.may(rule)
    assert as_user(account.name, ask).startswith(says)


def test_a_local_root_command_past_its_deadline_is_stopped(account: Account) -> None:
    account.may(TRUSTS)

    def ask() -> str:
        return LocalHost().run("sleep 61.7432", sudo=True, timeout=1).stdout

    assert as_user(account.name, ask).startswith("DeadlineExceeded")
    assert gone_within("sleep 61.7432", 2)
