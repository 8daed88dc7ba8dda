"""The facts' own commands, run for real on this machine."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.checkpoint import checkpoints
from tasks.facts.base import look
from tasks.facts.disk import DiskFact
from tasks.facts.engine_log import EngineLogFact
from tasks.facts.engine_probe import EngineProbe
from tasks.facts.listener import ListenerFact
from tasks.facts.machine import MachineFact
from tasks.facts.process import Process, ProcessFact
from tasks.facts.text_file import TextFile
from tasks.facts.weights import DiskFiles
from tasks.hosts import CommandFailed
from tasks.local import LocalHost

pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")]
HOST = LocalHost()
ODD = 'it\'s a "file" with $(odd) name'


def test_machine() -> None:
    machine = look(HOST, MachineFact())
    assert machine.uid == os.getuid()
    assert machine.arch == os.uname().machine and machine.kernel == os.uname().release
    assert machine.cores >= 1 and machine.ram_mib > 100
    assert machine.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    disk = look(HOST, DiskFact(str(tmp_path / ODD / "not/yet")))
    free = shutil.disk_usage(tmp_path).free
    assert abs(disk.free_bytes - free) < 5 << 30
    assert Path(disk.mount).is_mount() or disk.mount == "/"


def test_text_file_present_empty_and_absent(tmp_path: Path) -> None:
    file = tmp_path / ODD
    assert look(HOST, TextFile(str(file))) is None
    file.write_text("")
    assert look(HOST, TextFile(str(file))) == ""
    file.write_text("absent\nno line end")
    assert look(HOST, TextFile(str(file))) == "absent\nno line end"


def test_a_text_file_that_can_not_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        look(HOST, TextFile(str(tmp_path)))  # a folder


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(["sleep", "60"])
    yield child
    child.kill()
    child.wait()


def start_time(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]


def test_process_runs_is_mistaken_for_nobody_and_ends(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    file = tmp_path / "x.pid"
    fact = ProcessFact(str(file))
    assert look(HOST, fact) == Process(None, False)
    file.write_text(f"{sleeper.pid} {start_time(sleeper.pid)}\n")
    assert look(HOST, fact) == Process(sleeper.pid, True)
    file.write_text(f"{sleeper.pid} 1\n")  # the number was given to another process since
    assert look(HOST, fact) == Process(None, True)
    file.write_text(f"{sleeper.pid} {start_time(sleeper.pid)}\n")
    sleeper.terminate()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # ended, and a zombie as long as nobody waits
    assert Path(f"/proc/{sleeper.pid}/stat").exists()
    assert look(HOST, fact) == Process(None, True)
    sleeper.wait()
    assert look(HOST, fact) == Process(None, True)


@pytest.mark.parametrize("text", ["", "4194304 1\n", "12\n", "garbage\n"])
def test_a_pid_file_of_nobody(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.pid"
    file.write_text(text)
    assert look(HOST, ProcessFact(str(file))) == Process(None, bool(text))


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1"])
def test_listener_free_then_ours(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as server:
        try:
            server.bind((address, 0))
        except OSError:
            pytest.skip(f"no {address} here")
        port = server.getsockname()[1]
        assert not look(HOST, ListenerFact(port)).busy, "bound, and not listening"
        server.listen()
        seen = look(HOST, ListenerFact(port))
        assert seen.busy
        assert seen.holder.split()[0] == str(os.getpid())
    assert not look(HOST, ListenerFact(port)).busy


def test_disk_files_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    checkpoint = checkpoints()[0]
    checkpoint.write(tmp_path / ODD)
    (tmp_path / ODD / ".cache/huggingface").mkdir(parents=True)
    (tmp_path / ODD / ".cache/huggingface/x.metadata").write_text("of the downloader")
    found = look(HOST, DiskFiles(sys.executable, str(tmp_path / ODD)))
    assert {file.path: file.size for file in found} == {name: len(body) for name, body in checkpoint.files.items()}
    assert all(file.header_size == file.size for file in found if file.path.endswith(".safetensors"))
    assert look(HOST, DiskFiles(sys.executable, str(tmp_path / "nothing"))) == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "header length 0 is not possible"),
        (b"\xff" * 16, "is not possible in 16 bytes"),
        ((8).to_bytes(8, "little") + b"not json", "JSONDecodeError"),
        ((2).to_bytes(8, "little") + b"[]", "AttributeError"),
    ],
)
def test_a_broken_header_is_told(tmp_path: Path, body: bytes, words: str) -> None:
    (tmp_path / "a.safetensors").write_bytes(body)
    (file,) = look(HOST, DiskFiles(sys.executable, str(tmp_path)))
    assert file.header_size is None and file.header_error is not None and words in file.header_error


def test_a_log_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        look(HOST, EngineLogFact(str(tmp_path / "server.log")))


def test_of_a_long_log_both_ends_are_read(tmp_path: Path) -> None:
    file = tmp_path / "server.log"
    start, end = "(APIServer pid=1) INFO version 0.32.0\n", "ValueError: at the very end\n"
    file.write_text(start + "x" * 99 + "\n" + ("noise\n" * 500_000) + end)
    log = look(HOST, EngineLogFact(str(file)))
    assert (log.version, log.fatal) == ("0.32.0", "ValueError: at the very end")
    assert len(log.text) == 2_000_000
    file.write_text(start + end)
    assert look(HOST, EngineLogFact(str(file))).text == start + end


def test_a_probe_without_the_engine_fails_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="No module named 'vllm'"):
        look(HOST, EngineProbe(sys.executable, "load", str(tmp_path), (), {"VLLM_CPU_KVCACHE_SPACE": "1"}))
