"""SSH against a real OpenSSH server: pinned keys, refusals, and a connection that dies."""

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.hosts import AuthenticationRefused, HostError, HostKeyChanged, UnknownHostKey, Unreachable, write_file
from tasks.ssh import MAX_SESSIONS
from tests.ports import free_port
from tests.tasks.sshd import Sshd, gone_within, keygen, running_sshd


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    root = tmp_path / "sshd"
    root.mkdir()
    with running_sshd(root) as server:
        yield server


def in_a_while(seconds: float, action: object) -> threading.Timer:
    timer = threading.Timer(seconds, action)  # type: ignore[arg-type]
    timer.start()
    return timer


def test_an_unknown_host_key_is_refused_and_never_added(server: Sshd) -> None:
    server.known_hosts.write_text("")
    for _ in range(2):
        with pytest.raises(UnknownHostKey) as refused:
            server.host().run("true")
        assert f"ssh-ed25519 key {server.fingerprint}" in refused.value.what
        assert server.known_hosts_line in refused.value.fix.splitlines()
    assert server.known_hosts.read_text() == ""
    server.known_hosts.write_text(refused.value.fix.splitlines()[-1] + "\n")  # as an operator would
    assert server.host().run("echo yes").stdout == "yes\n"


def test_only_the_given_file_pins(server: Sshd) -> None:
    (Path.home() / ".ssh" / "known_hosts").write_text(server.known_hosts_line + "\n")
    server.known_hosts.write_text("# empty\n")
    with pytest.raises(UnknownHostKey):
        server.host().run("true")


def test_a_missing_known_hosts_file_is_named(server: Sshd) -> None:
    with pytest.raises(UnknownHostKey, match="does not exist: /nowhere/known_hosts"):
        server.host(known_hosts=Path("/nowhere/known_hosts")).run("true")


def test_a_changed_host_key_shows_both_fingerprints(server: Sshd) -> None:
    pinned = server.fingerprint
    server.stop()
    server.new_host_key()
    server.start()
    with pytest.raises(HostKeyChanged) as refused:
        server.host().run("true")
    assert pinned in refused.value.what
    assert server.fingerprint in refused.value.what
    assert pinned != server.fingerprint


def test_a_wrong_key_is_refused(server: Sshd) -> None:
    with pytest.raises(AuthenticationRefused, match="did not accept"):
        server.host(identity_file=keygen(server.root / "other_key")).run("true")


@pytest.mark.parametrize("content", [None, "not a key\n"])
def test_an_identity_file_that_is_no_key_is_named(server: Sshd, content: str | None) -> None:
    path = server.root / "bad_key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(AuthenticationRefused):
        server.host(identity_file=path).run("true")


def test_no_key_at_all_is_refused_as_such(server: Sshd) -> None:
    with pytest.raises(AuthenticationRefused):
        server.host(identity_file=None).run("true")


def test_a_refused_port_is_named(server: Sshd) -> None:
    port = free_port()
    with pytest.raises(Unreachable, match=f"127.0.0.1 port {port}"):
        server.host(port=port).run("true")


def test_an_address_without_a_host_is_named(server: Sshd) -> None:
    with pytest.raises(Unreachable, match=r"no-such-host\.invalid port"):
        server.host(address="no-such-host.invalid").run("true")


def test_a_port_that_never_answers_is_given_up(server: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(Unreachable):
            server.host(port=silent.getsockname()[1], connect_timeout=1).run("true")
        assert time.monotonic() - start < 25


def test_an_alias_of_the_users_own_configuration_is_followed(server: Sshd) -> None:
    config = f"Host gpu-box\n  HostName 127.0.0.1\n  IdentityFile {server.client_key}\n"
    (Path.home() / ".ssh" / "config").write_text(config)
    assert server.host(address="gpu-box", identity_file=None).run("echo yes").stdout == "yes\n"


def test_a_jump_host_is_pinned_too(server: Sshd, tmp_path: Path) -> None:
    (tmp_path / "jump").mkdir()
    with running_sshd(tmp_path / "jump") as jump:
        jump.client_key.rename(jump.root / "unused")
        (jump.root / "authorized_keys").write_text((server.root / "client_key.pub").read_text())
        (Path.home() / ".ssh" / "config").write_text(
            f"Host gpu-box\n  HostName localhost\n  ProxyJump {jump.user}@127.0.0.1:{jump.port}\n"
            f"Host *\n  IdentityFile {server.client_key}\n"
        )
        target = server.known_hosts_line.replace("127.0.0.1", "localhost")
        server.known_hosts.write_text(f"{target}\n")
        with pytest.raises(UnknownHostKey, match=re.escape(jump.fingerprint)):
            server.host(address="gpu-box").run("true")
        server.known_hosts.write_text(f"{target}\n{jump.known_hosts_line}\n")
        host = server.host(address="gpu-box")
        assert host.run("echo yes").stdout == "yes\n"
        assert jump.connections()
        host.close()


def test_a_connection_that_dies_in_mid_command_gives_no_status(server: Sshd) -> None:
    host = server.host()
    host.run("true")
    timer = in_a_while(0.7, server.stop)
    start = time.monotonic()
    with pytest.raises(Unreachable, match="before the command's end was seen"):
        host.run("echo begun; sleep 60", timeout=90)
    assert time.monotonic() - start < 30
    timer.join()
    with pytest.raises(Unreachable, match="no SSH connection"):
        host.run("true")


def test_a_file_cut_off_by_a_dying_connection_is_not_moved_into_place(server: Sshd, tmp_path: Path) -> None:
    path, part = tmp_path / "weights.json", tmp_path / "weights.json.part"
    path.write_text("before")

    def stop_in_the_middle() -> None:
        while not (part.exists() and part.stat().st_size > 1_000_000):
            time.sleep(0.01)
        server.stop()

    stopper = threading.Thread(target=stop_in_the_middle, daemon=True)
    stopper.start()
    with pytest.raises(Unreachable):
        write_file(server.host(), str(path), "x" * 400_000_000, timeout=60)
    stopper.join(10)
    assert gone_within(str(part), 5)
    assert path.read_text() == "before"
    assert part.stat().st_size < 400_000_000


def test_a_restarted_server_is_connected_to_again(server: Sshd) -> None:
    host = server.host()
    host.run("true")
    server.stop()
    server.start()
    assert host.run("echo again").stdout == "again\n"
    host.close()
    assert host.run("echo and again").stdout == "and again\n"


def test_commands_share_one_connection(server: Sshd) -> None:
    host = server.host()
    peers = {host.run("echo $SSH_CONNECTION").stdout for _ in range(5)}
    assert len(peers) == 1


def test_more_threads_than_sessions_wait_their_turn(server: Sshd) -> None:
    host, done = server.host(), []
    threads = [
        threading.Thread(target=lambda: done.append(host.run("sleep 0.2").exit)) for _ in range(2 * MAX_SESSIONS + 4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert done == [0] * len(threads)


def test_a_noisy_login_shell_is_not_output(server: Sshd) -> None:
    (server.root / "rc").write_text("echo noise; echo noise >&2\n")
    config = server.root / "sshd_config"
    config.write_text(config.read_text() + f'ForceCommand . {server.root}/rc; eval "$SSH_ORIGINAL_COMMAND"\n')
    os.kill(server.pid, signal.SIGHUP)
    time.sleep(0.3)
    ran = server.host().run("echo out; echo err >&2")
    assert (ran.stdout, ran.stderr) == ("out\n", "err\n")


def test_a_shell_that_starts_nothing_is_said(server: Sshd) -> None:
    config = server.root / "sshd_config"
    config.write_text(config.read_text() + "ForceCommand echo This account is closed.\n")
    os.kill(server.pid, signal.SIGHUP)
    time.sleep(0.3)
    with pytest.raises(HostError, match=r"did not start the command: This account is closed\."):
        server.host().run("true")
