"""Operations for real on this machine: the first run does what is missing, the second nothing, a dry one nothing."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.facts.base import look
from tasks.facts.compiler import CompilerFact
from tasks.facts.operating_system import OperatingSystemFact
from tasks.facts.process import ProcessFact
from tasks.fake import FakeHost
from tasks.hosts import CommandFailed, Host, Ran, now
from tasks.local import LocalHost
from tasks.operations.apt import NotSupported
from tasks.operations.base import Change, NotConverged, Operation, Step, converge
from tasks.operations.files import File, Folder
from tasks.operations.libraries import Libraries
from tasks.operations.python_environment import PythonEnvironment, Uv
from tasks.operations.service import PortTaken, Service, Stopped
from tasks.operations.toolchain import Toolchain
from tasks.redaction import Redactor
from tasks.trail import RecordedHost, Trail

pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")]
HOST = LocalHost()
SECRET = 'the hub\'s $TOKEN `with` "quotes"'
ODD = "it's a folder"


def steps(operation: Operation, host: Host = HOST) -> list[str]:
    """What it would do: planning runs no step."""
    return [step.why for step in operation.plan(host)]


def everything(folder: Path) -> list[tuple[str, int, bytes]]:
    found = sorted(folder.rglob("*"))
    return [(str(p), p.stat().st_mode, p.read_bytes() if p.is_file() else b"") for p in found]


FILES: dict[str, Callable[[Path], Operation]] = {
    "folder": lambda at: Folder(str(at / ODD / "deep"), "0700"),
    "file": lambda at: File(str(at / "it's a file"), SECRET + "\n", mode="0600", what="the token file"),
    "empty file": lambda at: File(str(at / "empty"), ""),
}


@pytest.mark.parametrize("kind", FILES)
def test_first_run_makes_second_run_nothing_dry_run_nothing(kind: str, tmp_path: Path) -> None:
    operation = FILES[kind](tmp_path)
    before = everything(tmp_path)
    planned = steps(operation)
    assert planned and everything(tmp_path) == before
    told: list[str] = []
    change = converge(HOST, operation, say=told.append)
    assert change.steps == tuple(planned) and told == [f"localhost: {why}" for why in planned]
    after = everything(tmp_path)
    assert after != before
    assert converge(HOST, operation).steps == () and steps(operation) == []
    assert everything(tmp_path) == after


def test_a_folders_mode_is_mended_and_what_is_inside_stays(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir(mode=0o755)
    (folder / "inside").write_text("x")
    assert converge(HOST, Folder(str(folder), "0700")).steps
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "inside").read_text() == "x"


@pytest.mark.parametrize("wrong", [lambda f: f.write_text("other"), lambda f: f.chmod(0o644), lambda f: f.unlink()])
def test_a_file_that_differs_is_written_again(wrong: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "key"
    operation = File(str(path), "content without a line end", mode="0600")
    converge(HOST, operation)
    wrong(path)
    assert len(converge(HOST, operation).steps) == 1
    assert path.read_text() == "content without a line end"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_where_a_folder_should_be_is_an_error_not_a_loss(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("precious")
    with pytest.raises(CommandFailed):
        converge(HOST, Folder(str(tmp_path / "x")))
    assert (tmp_path / "x").read_text() == "precious"


def test_a_secret_on_stdin_is_nowhere_on_the_trail(tmp_path: Path) -> None:
    trail = Trail(tmp_path / "raw", Redactor())  # which was not even told the secret
    host = RecordedHost(HOST, trail)
    change = converge(host, File(str(tmp_path / "token"), SECRET, mode="0600"))
    assert (tmp_path / "token").read_text() == SECRET
    raw = (tmp_path / "raw/trail.jsonl").read_text()
    assert len(raw.splitlines()) == 3, "look, write, look again"
    assert SECRET not in raw and "TOKEN" not in raw
    assert SECRET not in str(change)


class _Undone:
    """An operation whose step has no effect."""

    name = "a door that stays shut"

    def plan(self, host: Host) -> Iterator[Step]:
        yield Step("open it", "true")


def test_what_is_still_missing_afterwards_is_not_converged() -> None:
    with pytest.raises(NotConverged, match="still missing: open it"):
        converge(HOST, _Undone())


class _Failing(_Undone):
    def plan(self, host: Host) -> Iterator[Step]:
        yield Step("fail", "echo the reason >&2; exit 7")
        raise AssertionError("planned on after a failed step")


def test_a_step_that_fails_ends_it() -> None:
    with pytest.raises(CommandFailed, match="exit status 7: the reason"):
        converge(HOST, _Failing())


def test_a_change_reads_well() -> None:
    assert str(Change("a", "folder /x", ())) == "a: folder /x: already in place"
    assert str(Change("a", "folder /x", ("make it", "mend it"))) == "a: folder /x: make it; mend it"


# Services


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def service(tmp_path: Path, port: int) -> Iterator[Service]:
    for name in ("run", ODD):
        (tmp_path / name).mkdir()
    (tmp_path / "secret.env").write_text("SERVICE_KEY='from the file'\n")
    code = (
        "import os, socketserver, sys; print('up', os.environ['PLAIN'], os.environ['SERVICE_KEY'], flush=True);"
        "socketserver.TCPServer(('127.0.0.1', int(sys.argv[1])), socketserver.BaseRequestHandler).serve_forever()"
    )
    made = Service(
        title="a test service",
        argv=(sys.executable, "-c", code, str(port)),
        port=port,
        pid_file=str(tmp_path / "run" / "x.pid"),
        log_file=str(tmp_path / ODD / "x.log"),
        env={"PLAIN": "a b"},
        env_file=str(tmp_path / "secret.env"),
    )
    yield made
    pid = look(HOST, ProcessFact(made.pid_file)).pid
    if pid:
        os.killpg(pid, signal.SIGKILL)


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_service_is_started_once_survives_its_starter_and_is_stopped(service: Service, tmp_path: Path) -> None:
    assert steps(service) == [f"start a test service on port {service.port}"]
    assert not Path(service.pid_file).exists()
    code = "import sys, pickle; from tasks.local import LocalHost; from tasks.operations.base import converge; "
    code += "converge(LocalHost(), pickle.load(sys.stdin.buffer))"
    import pickle

    subprocess.run([sys.executable, "-c", code], input=pickle.dumps(service), check=True, timeout=20)
    process = look(HOST, ProcessFact(service.pid_file))
    assert process.running, "its starter has ended, it has not"
    assert eventually(lambda: listens(service.port))
    assert Path(service.log_file).read_text() == "up a b from the file\n"
    command = Path(f"/proc/{process.pid}/cmdline").read_text()
    assert "from the file" not in command, "a secret in a command line"
    assert steps(service) == [] and converge(HOST, service).steps == ()
    stopped = Stopped("a test service", service.pid_file, grace_s=5)
    assert converge(HOST, stopped).steps == (f"stop a test service (pid {process.pid})",)
    assert not look(HOST, ProcessFact(service.pid_file)).running and not Path(service.pid_file).exists()
    assert not listens(service.port)
    assert converge(HOST, stopped).steps == ()


def test_a_second_start_keeps_the_log_of_the_first(service: Service) -> None:
    converge(HOST, service)
    assert eventually(lambda: bool(Path(service.log_file).read_text()))
    converge(HOST, Stopped("x", service.pid_file, grace_s=5))
    converge(HOST, service)
    assert Path(service.log_file + ".1").read_text() == "up a b from the file\n"


def test_a_service_that_killed_itself_is_started_again(service: Service) -> None:
    converge(HOST, service)
    pid = look(HOST, ProcessFact(service.pid_file)).pid
    assert pid
    os.killpg(pid, signal.SIGKILL)
    assert eventually(lambda: not look(HOST, ProcessFact(service.pid_file)).running)
    assert len(converge(HOST, service).steps) == 1
    assert look(HOST, ProcessFact(service.pid_file)).pid != pid


def test_a_service_that_ends_at_once_is_not_converged(service: Service) -> None:
    ends = Service("x", ("false",), service.port, service.pid_file, service.log_file)
    with pytest.raises(NotConverged):
        converge(HOST, ends)


def test_a_port_that_is_someone_elses_is_refused_and_named(service: Service) -> None:
    with socket.create_server(("127.0.0.1", service.port)):
        with pytest.raises(PortTaken) as taken:
            converge(HOST, service)
        assert str(os.getpid()) in taken.value.where and str(service.port) in taken.value.what
        assert not Path(service.pid_file).exists() and not Path(service.log_file).exists()


def test_one_that_ignores_sigterm_is_made_to_end(service: Service, tmp_path: Path) -> None:
    script = tmp_path / "stubborn.sh"
    script.write_text("trap '' TERM\necho up\nwhile :; do sleep 0.1; done\n")
    stubborn = Service("stubborn", ("sh", str(script)), service.port, service.pid_file, service.log_file)
    converge(HOST, stubborn)
    assert eventually(lambda: Path(service.log_file).read_text() == "up\n")
    began = time.monotonic()
    assert converge(HOST, Stopped("stubborn", service.pid_file, grace_s=1)).steps
    assert 0.9 < time.monotonic() - began < 8


# uv and Python environments: their own logic, with a stand-in for uv itself


def test_uv_is_left_alone_where_it_is_there(tmp_path: Path) -> None:
    uv = tmp_path / "bin/uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\necho 'uv 0.13.9 (x86_64-unknown-linux-gnu)'\n")
    uv.chmod(0o755)
    assert steps(Uv(str(tmp_path), "0.13.9")) == []
    assert steps(Uv(str(tmp_path), "0.13.10")) == ["install uv 0.13.10"]
    assert steps(Uv(str(tmp_path / "no"), "0.13.9")) == ["install uv 0.13.9"]


FAKE_UV = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked"
if [ "$1" = venv ]; then for last; do :; done; rm -rf "$last"; mkdir -p "$last/bin"; fi
if [ "$1" = pip ] && [ -e "$(dirname "$0")/broken" ]; then echo "no route to the index" >&2; exit 2; fi
exit 0
"""


@pytest.fixture
def uv(tmp_path: Path) -> Path:
    path = tmp_path / "uv"
    path.write_text(FAKE_UV)
    path.chmod(0o755)
    return path


def test_an_environment_is_made_once_for_each_lock(uv: Path, tmp_path: Path) -> None:
    folder = tmp_path / "engines/vllm cpu"
    made = PythonEnvironment(str(folder), "a==1\n", str(uv), torch_backend="cpu")
    assert steps(made) == ["install the packages of the lock file (some minutes)"]
    assert not folder.exists()
    assert len(converge(HOST, made).steps) == 1
    assert (folder / "requirements.lock").read_text() == "a==1\n"
    asked = (tmp_path / "asked").read_text()
    assert "--no-deps" in asked and "--torch-backend cpu" in asked and "--find-links" not in asked
    assert converge(HOST, made).steps == ()
    other = PythonEnvironment(str(folder), "a==2\n", str(uv), torch_backend="cpu", find_links="/wheels")
    assert len(converge(HOST, other).steps) == 1
    last = (tmp_path / "asked").read_text().splitlines()[-1]
    assert "--find-links /wheels" in last and "--torch-backend" not in last
    assert len(steps(made)) == 1


def test_an_installation_that_broke_off_is_done_again(uv: Path, tmp_path: Path) -> None:
    made = PythonEnvironment(str(tmp_path / "env"), "a==1\n", str(uv))
    (tmp_path / "broken").touch()
    with pytest.raises(CommandFailed, match="no route to the index"):
        converge(HOST, made)
    assert len(steps(made)) == 1
    (tmp_path / "broken").unlink()
    assert len(converge(HOST, made).steps) == 1
    assert steps(made) == []


LDCONFIG = "PATH=$PATH:/sbin:/usr/sbin ldconfig -p"


def test_libraries_install_only_what_the_loader_lacks() -> None:
    wanted = Libraries((("libnuma.so.1", "libnuma1"), ("libgomp.so.1", "libgomp1")))
    found = "\tlibgomp.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libgomp.so.1\n"
    (step,) = wanted.plan(FakeHost("box", {LDCONFIG: found}))
    assert (
        step.sudo and step.why == "install libnuma1" and step.command.endswith("--no-install-recommends -- libnuma1; }")
    )
    assert not list(wanted.plan(FakeHost("box", {LDCONFIG: found + "\tlibnuma.so.1 (libc6) => /lib/libnuma.so.1\n"})))
    with pytest.raises(CommandFailed):
        list(wanted.plan(FakeHost("box", {LDCONFIG: Ran("box", LDCONFIG, 127, "", "not found", now())})))


PYTHON, SYSTEM = CompilerFact("/usr/bin/python3"), OperatingSystemFact()
UBUNTU = "id=ubuntu\nlike=debian\nversion=24.04\nkernel=6.8.0-60-generic\narch=x86_64\n"


@pytest.mark.parametrize(
    ("seen", "brought"),
    [
        ("g++=yes\npython=3.12 headers=yes\n", None),
        ("g++=no\npython=3.12 headers=yes\n", "g++"),
        ("g++=yes\npython=3.12 headers=no\n", "python3.12-dev"),
        ("g++=no\npython=3.12 headers=no\n", "g++ python3.12-dev"),
        ("g++=no\npython= headers=no\n", "g++"),  # before the environment is there, as in a dry run
    ],
)
def test_a_toolchain_brings_what_is_missing(seen: str, brought: str | None) -> None:
    host = FakeHost("box", {PYTHON.command: seen, SYSTEM.command: UBUNTU})
    assert [step.why for step in Toolchain(PYTHON.python).plan(host)] == ([f"install {brought}"] if brought else [])


def test_without_apt_a_missing_compiler_is_refused() -> None:
    other = UBUNTU.replace("ubuntu", "rocky").replace("like=debian", "like=rhel")
    host = FakeHost("box", {PYTHON.command: "g++=no\npython=3.11 headers=no\n", SYSTEM.command: other})
    with pytest.raises(NotSupported, match="installed by apt alone"):
        list(Toolchain(PYTHON.python).plan(host))


@pytest.mark.skipif(not shutil.which("g++"), reason="no g++ here")
def test_the_toolchain_of_this_machine_is_found_and_really_builds(tmp_path: Path) -> None:
    assert steps(Toolchain(sys.executable)) == []
    (tmp_path / "m.cc").write_text("#include <Python.h>\n")
    include = sysconfig.get_paths()["include"]
    subprocess.run(["g++", "-fsyntax-only", f"-I{include}", str(tmp_path / "m.cc")], check=True)


def test_a_library_of_this_machine_is_found_for_real() -> None:
    assert steps(Libraries((("libc.so.6", "libc6"),))) == []
