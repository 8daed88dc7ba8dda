"""The process behind a port: a real one of ours, and lines that are none."""

import socket
import subprocess
import sys
import time

import pytest

from tasks.facts.base import NotUnderstood, look
from tasks.facts.port_process import PortProcess, PortProcessFact
from tasks.local import LocalHost

CODE = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(1, flush=True)"


def test_a_real_listener_with_strange_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-c", f"{CODE}; time.sleep(60)", str(port), "a b", "c\nd", "é", ""]
    began = time.time()
    with subprocess.Popen(words, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None and child.stdout.readline()
            found = look(LocalHost("here"), PortProcessFact(port))
        finally:
            child.kill()
    assert found is not None
    assert (found.pid, found.argv) == (child.pid, tuple(words))
    assert abs(found.began - began) < 5
    assert look(LocalHost("here"), PortProcessFact(port)) is None


def test_a_recorded_line() -> None:
    line = "4711 123456 100 1795383000 python\x1f-m\x1fvllm\x1f\n"
    assert PortProcessFact(1).parse(line) == PortProcess(4711, 1795383000 + 1234.56, ("python", "-m", "vllm"))
    assert PortProcessFact(1).parse("nobody\n") is None and PortProcessFact(1).parse("hidden\n") is None


@pytest.mark.parametrize(
    "text", ["", "4711", "4711 1 0 1 x\x1f", "a 1 100 1 x\x1f", "4711 1 100 1 x", "4711 1 100  x\x1f"]
)
def test_anything_else_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        PortProcessFact(1).parse(text)
