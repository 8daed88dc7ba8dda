"""The SSH server that stands for the host, judged by the real paramiko client (and ssh's own where it is there)."""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest

from rehearsal.keys import CLIENT_KEY, HOST_KEY, KNOWN_HOSTS, ensure_key, lay_out
from rehearsal.processes import start_time
from tests.ports import free_port

pytestmark = pytest.mark.timeout(180)
ROOT = Path(__file__).parents[2]
USER = "rehearsal"


@contextlib.contextmanager
def target(folder: Path, port: int) -> Iterator[None]:
    lay_out(folder, port)
    command = [sys.executable, "-m", "rehearsal.target", "--port", str(port), "--user", USER, "--folder", str(folder)]
    environment = os.environ | {"BEACHHEAD_MARK": "kept", "PIP_INDEX_URL": "kept", "SECRET_MARK": "dropped"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            assert server.stdout.readline() == f"ready: ssh {USER}@127.0.0.1:{port}\n"
            yield
        finally:
            server.terminate()
            assert server.wait(10) == 0


def connect(folder: Path, port: int, *, user: str = USER, key: Path | None = None) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    client.load_host_keys(str(folder / KNOWN_HOSTS))
    client.connect(
        "127.0.0.1",
        port,
        user,
        key_filename=str(key or folder / CLIENT_KEY),
        allow_agent=False,
        look_for_keys=False,
        timeout=10,
    )
    return client


Lent = tuple[Path, int]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lent]:
    folder, port = tmp_path_factory.mktemp("ssh"), free_port()
    with target(folder, port):
        yield folder, port


@pytest.fixture(scope="module")
def client(host: Lent) -> Iterator[paramiko.SSHClient]:
    with contextlib.closing(connect(*host)) as connected:
        yield connected


def run(client: paramiko.SSHClient, command: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    sent, out, err = client.exec_command(command, timeout=15)
    sent.write(stdin)
    sent.channel.shutdown_write()
    streams = out.read(), err.read()
    return out.channel.recv_exit_status(), *streams


def eventually(holds: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("status", [0, 3, 255])
def test_the_exit_status_is_the_commands(client: paramiko.SSHClient, status: int) -> None:
    assert run(client, f"exit {status}") == (status, b"", b"")


def test_death_by_signal_is_not_an_exit_status(client: paramiko.SSHClient) -> None:
    assert run(client, "echo before; kill -KILL $$") == (-1, b"before\n", b"")


@pytest.mark.skipif(not shutil.which("ssh"), reason="no OpenSSH client here")
def test_openssh_itself_is_served_and_sees_the_signal(host: Lent) -> None:
    folder, port = host
    options = ["-F", "none", "-o", f"UserKnownHostsFile={folder / KNOWN_HOSTS}", "-o", "StrictHostKeyChecking=yes"]
    ssh = ["ssh", *options, "-o", "BatchMode=yes", "-i", str(folder / CLIENT_KEY), "-p", str(port), f"{USER}@127.0.0.1"]
    ended = subprocess.run([*ssh, "cat; exit 3"], input=b"\0\xff", capture_output=True, timeout=15)
    assert (ended.returncode, ended.stdout) == (3, b"\0\xff")
    assert subprocess.run([*ssh, "kill -TERM $$"], capture_output=True, timeout=15).returncode == 255


def test_five_megabytes_of_stdout_arrive_whole(client: paramiko.SSHClient) -> None:
    status, out, _ = run(client, "seq 1 800000 | head -c 5000000")
    wanted = b"".join(b"%d\n" % n for n in range(1, 800001))[:5_000_000]
    assert (status, len(out)) == (0, 5_000_000)
    assert hashlib.sha256(out).digest() == hashlib.sha256(wanted).digest()


def test_stdin_reaches_the_command_and_ends(client: paramiko.SSHClient) -> None:
    body = os.urandom(300_000)
    assert run(client, "cat", body) == (0, body, b"")


def test_unread_stdin_harms_nobody(client: paramiko.SSHClient) -> None:
    assert run(client, "exit 4", b"x" * 200_000)[0] == 4


def test_stderr_is_apart_from_stdout(client: paramiko.SSHClient) -> None:
    assert run(client, "echo out; echo err >&2") == (0, b"out\n", b"err\n")


def test_the_environment_is_clean(client: paramiko.SSHClient) -> None:
    _, out, _ = run(client, "env")
    seen = dict(line.split("=", 1) for line in out.decode().splitlines())
    assert {"HOME", "PATH", "LANG", "USER", "BEACHHEAD_MARK", "PIP_INDEX_URL"} <= set(seen)
    assert "SECRET_MARK" not in seen and "VIRTUAL_ENV" not in seen and "PYTHONPATH" not in seen
    assert str(Path(sys.prefix) / "bin") not in seen["PATH"].split(":")


def test_many_commands_at_once_on_one_connection(client: paramiko.SSHClient) -> None:
    began = time.monotonic()
    pending = [client.exec_command(f"sleep 2; echo {n}", timeout=60)[1] for n in range(12)]
    assert [out.read() for out in pending] == [b"%d\n" % n for n in range(12)]
    assert time.monotonic() - began < 20  # one after the other they would need 24 s


def test_there_is_no_shell_and_no_terminal(client: paramiko.SSHClient) -> None:
    with pytest.raises(paramiko.SSHException):
        client.exec_command("true", get_pty=True)
    transport = client.get_transport()
    assert transport
    with contextlib.closing(transport.open_session()) as channel:
        channel.invoke_shell()
        assert channel.recv_exit_status() == 1
    with pytest.raises(paramiko.SSHException):
        client.open_sftp()


def test_keepalives_are_answered(client: paramiko.SSHClient) -> None:
    transport = client.get_transport()
    assert transport
    answered = threading.Event()
    asking = threading.Thread(
        target=lambda: (transport.global_request("keepalive@openssh.com", wait=True), answered.set()), daemon=True
    )
    asking.start()
    assert answered.wait(30)


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(4096):
            self.request.sendall(data)


def test_forwarding_leads_to_loopback_and_nowhere_else(client: paramiko.SSHClient) -> None:
    transport = client.get_transport()
    assert transport
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        channel = transport.open_channel("direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 0), timeout=5)
        channel.sendall(b"hello")
        assert channel.recv(5) == b"hello"
        channel.close()
        for elsewhere in ("127.0.0.2", "192.0.2.1", "localhost.example"):
            with pytest.raises(paramiko.ChannelException) as refused:
                transport.open_channel("direct-tcpip", (elsewhere, port), ("127.0.0.1", 0), timeout=5)
            assert refused.value.code == 1  # administratively prohibited (RFC 4254)
        server.shutdown()
    with pytest.raises(paramiko.ChannelException):  # allowed, but nobody listens any more
        transport.open_channel("direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 0), timeout=5)


def test_a_strange_key_and_a_strange_user_are_refused(host: Lent, tmp_path: Path) -> None:
    ensure_key(tmp_path / "stranger")
    with pytest.raises(paramiko.AuthenticationException):
        connect(*host, key=tmp_path / "stranger")
    with pytest.raises(paramiko.AuthenticationException):
        connect(*host, user="root")


def test_passwords_are_not_asked_for(host: Lent) -> None:
    with contextlib.closing(paramiko.Transport(("127.0.0.1", host[1]))) as transport:
        transport.start_client(timeout=10)
        with pytest.raises(paramiko.BadAuthenticationType) as refused:
            transport.auth_password(USER, "secret")
        assert refused.value.allowed_types == ["publickey"]


def test_the_host_key_survives_a_restart_and_a_new_one_is_noticed(tmp_path: Path) -> None:
    port = free_port()
    for _ in range(2):
        with target(tmp_path, port):
            connect(tmp_path, port).close()
    (tmp_path / HOST_KEY).unlink()
    with target(tmp_path, port), pytest.raises(paramiko.BadHostKeyException):
        connect(tmp_path, port)


def test_private_keys_are_private(tmp_path: Path) -> None:
    lay_out(tmp_path / "ssh", 22022)
    assert {(tmp_path / "ssh" / name).stat().st_mode & 0o777 for name in (CLIENT_KEY, HOST_KEY)} == {0o600}
    before = {path.name: path.read_bytes() for path in (tmp_path / "ssh").iterdir()}
    lay_out(tmp_path / "ssh", 22022)
    assert {path.name: path.read_bytes() for path in (tmp_path / "ssh").iterdir()} == before


def test_what_called_setsid_outlives_the_session(host: Lent) -> None:
    with contextlib.closing(connect(*host)) as client:
        status, out, _ = run(client, "setsid nohup sleep 60 </dev/null >/dev/null 2>&1 & echo $!")
    pid = int(out)
    try:
        time.sleep(0.3)
        assert status == 0
        assert start_time(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_the_foreground_command_is_hung_up_on_when_the_client_vanishes(host: Lent) -> None:
    client = connect(*host)
    _, out, _ = client.exec_command("sleep 61 & setsid sleep 62 & echo $! $$ $(jobs -p %1); wait")
    spared, shell, child = map(int, out.readline().split())
    try:
        assert start_time(shell) and start_time(child)
        assert eventually(lambda: os.getsid(spared) == spared)  # setsid has got as far as its one call
        transport = client.get_transport()
        assert transport
        transport.sock.shutdown(socket.SHUT_RDWR)  # no goodbye
        assert eventually(lambda: not start_time(shell) and not start_time(child))
        assert start_time(spared)
    finally:
        client.close()
        os.kill(spared, signal.SIGKILL)


def test_a_closed_channel_hangs_up_too(client: paramiko.SSHClient) -> None:
    _, out, _ = client.exec_command("echo $$; exec sleep 63")
    pid = int(out.readline())
    assert start_time(pid)
    out.channel.close()
    assert eventually(lambda: not start_time(pid))
    assert run(client, "echo still here")[1] == b"still here\n"
