"""A forwarded port carries real connections: HTTP in parallel, half-closed streams, and an end for all of them."""

import socket
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasks.hosts import Unreachable
from tasks.local import LocalHost
from tests.ports import free_port
from tests.tasks.sshd import Sshd, running_sshd

BODY = bytes(range(256)) * 4096  # 1 MiB


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="module")
def http() -> Iterator[int]:
    page = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    page.daemon_threads = True
    threading.Thread(target=page.serve_forever, daemon=True).start()
    yield page.server_address[1]
    page.shutdown()


def get(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        return answer.read()  # type: ignore[no-any-return]


def test_twenty_requests_at_once(server: Sshd, http: int) -> None:
    with server.host().forward(http) as port, ThreadPoolExecutor(20) as pool:
        assert port != http
        assert list(pool.map(get, [port] * 20)) == [BODY] * 20


def test_commands_and_two_forwards_go_side_by_side(server: Sshd, http: int) -> None:
    host = server.host()
    with host.forward(http) as one, host.forward(http) as two:
        assert one != two
        assert get(one) == get(two) == BODY
        assert host.run("echo yes").stdout == "yes\n"


def test_a_half_closed_connection_still_answers(server: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_after_the_end() -> None:
            there, _ = listener.accept()
            with there:
                got = b"".join(iter(lambda: there.recv(65536), b""))
                there.sendall(b"got %d" % len(got))

        threading.Thread(target=answer_after_the_end, daemon=True).start()
        with (
            server.host().forward(listener.getsockname()[1]) as port,
            socket.create_connection(("127.0.0.1", port), 10) as here,
        ):
            here.sendall(b"x" * 3_000_000)
            here.shutdown(socket.SHUT_WR)
            assert here.recv(100) == b"got 3000000"
            assert here.recv(100) == b""


def test_everything_ends_with_the_context(server: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with server.host().forward(listener.getsockname()[1]) as port:
            here = socket.create_connection(("127.0.0.1", port), 10)
            there, _ = listener.accept()
            here.sendall(b"hello")
            assert there.recv(5) == b"hello"
        with here, there:
            here.settimeout(5)
            there.settimeout(5)
            assert here.recv(1) == b""
            assert there.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)


def test_a_port_with_nobody_behind_it_closes(server: Sshd) -> None:
    host = server.host()
    with host.forward(free_port()) as port, socket.create_connection(("127.0.0.1", port), 10) as here:
        assert here.recv(1) == b""
    assert host.run("echo yes").stdout == "yes\n"


def test_a_forward_outlives_a_restarted_server(tmp_path: Path, http: int) -> None:
    with running_sshd(tmp_path) as own, own.host().forward(http) as port:
        assert get(port) == BODY
        own.stop()
        own.start()
        assert get(port) == BODY


def test_an_unreachable_host_is_said_at_once(server: Sshd) -> None:
    with pytest.raises(Unreachable), server.host(port=free_port()).forward(8000):
        pass


def test_the_local_host_needs_no_tunnel(http: int) -> None:
    with LocalHost().forward(http) as port:
        assert port == http
