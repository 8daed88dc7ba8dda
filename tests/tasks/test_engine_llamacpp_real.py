"""Real llama.cpp (Debian's package) serves the rehearsal's checkpoint as GGUF: our launch, its log and metrics."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from inventories.schema import Host, Inventory
from rehearsal.processes import read_pid_file
from serving.client import Client, ServingError
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.engine_log import EngineLogFact
from tasks.facts.engine_metrics import EngineMetrics, EngineMetricsFact
from tasks.facts.engine_options import recorded
from tasks.local import LocalHost
from tasks.operations.base import NotConverged, converge
from tasks.operations.files import File, Folder
from tasks.operations.hub_environment import hub_environment, hub_python
from tasks.operations.service import Service, Stopped
from tasks.releases import Release, Slot
from tasks.runtimes.process import log_file, pid_file, service
from tests.e2e.children import until
from tests.ports import free_port
from tests.recorded.other_engines import llamacpp
from tests.tasks import tiny_gguf
from tests.tasks.engine_cases import case
from tests.tasks.llamacpp_package import NotHere, llama_server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
KEY = "e2e-key-of-llamacpp-9876543210"
HOST = LocalHost()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return llama_server(tmp_path_factory.mktemp("llamacpp"))
    except NotHere as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


def asked(program: Path, **options: object) -> Inventory:
    given = {"program": str(program), "file": "tiny-k2.gguf", "threads": 1, **options}
    return case("llamacpp", "0.7.0", options=given, concurrent_requests=2, context_tokens=4096)


class Served:
    """One started engine, as the process runtime starts it."""

    def __init__(self, root: Path, inventory: Inventory) -> None:
        (root / "models").mkdir(exist_ok=True)
        tiny_gguf.write(root / "models" / "tiny-k2.gguf")
        spec = Host(name="here", ram_gib=4, cpu_cores=1, root=str(root))
        kind = engine("llamacpp")
        launch = kind.launch(inventory, spec, str(root / "models"))
        self.release = Release("tiny", "llama.cpp", "x/y", "0" * 40, str(root / "models"), launch.program,
                               launch.arguments, dict(launch.env))  # fmt: skip
        self.slot, self.root, self.kind = Slot("tiny", free_port()), str(root), kind
        for folder, mode in (("run", "0755"), ("secrets", "0700"), ("releases/tiny", "0755")):
            converge(HOST, Folder(f"{root}/{folder}", mode))
        key = f"{kind.key_variable}={KEY}\n"
        converge(HOST, File(f"{root}/secrets/engine.env", key, mode="0600", what="the key"))
        self.service: Service = service(self.root, self.release, self.slot)
        converge(HOST, self.service)

    @property
    def log(self) -> str:
        return Path(log_file(self.root, self.slot)).read_text()

    def client(self) -> Client:
        base = f"http://127.0.0.1:{self.slot.port}/v1"
        return Client(base, model="tiny-k2", api_key=KEY, record=lambda *_, **__: "")

    def metrics(self) -> EngineMetrics:
        key_file = f"{self.root}/secrets/engine.env"
        fact = EngineMetricsFact(self.slot.port, self.kind.metrics, key_file, self.kind.key_variable)
        assert KEY not in fact.command
        return look(HOST, fact)

    def stop(self) -> None:
        converge(HOST, Stopped("engine", pid_file(self.root, self.slot), 5))


def wait(began: Served) -> None:
    for _ in range(150):
        with began.client() as client, suppress(ServingError):
            if client.call("GET", "/health", key=False, timeout=5).status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"not healthy: {began.log[-600:]}")


@pytest.fixture(scope="module")
def served(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    began = Served(tmp_path_factory.mktemp("host"), asked(program))
    try:
        wait(began)
        yield began
    finally:
        began.stop()


def test_it_thinks_and_says_its_one_sentence(served: Served) -> None:
    before = served.metrics()
    with served.client() as client:
        answers = [client.chat("hi", max_tokens=140, temperature=0) for _ in range(2)]
    for answer in answers:
        assert answer.content.strip() == "I am a rehearsal checkpoint and know one sentence."
        assert answer.thinking.split()[:2] == ["step1", "step2"] and "step96" in answer.thinking
    after = served.metrics()
    assert before.generation_tokens == 0 and after.generation_tokens == 216
    assert after.prompt_tokens == 40 and after.cached_tokens == 19
    assert (after.running, after.waiting, after.kv_cache_usage) == (0, 0, None)


def test_each_slot_has_the_whole_context(served: Served) -> None:
    log = look(HOST, EngineLogFact(log_file(served.root, served.slot), served.kind.log))
    assert log.kv_tokens == 2 * 4096 and log.fatal is None


def test_no_route_but_health_answers_without_the_key(served: Served) -> None:
    with served.client() as client:
        statuses = {
            path: client.call("GET", path, key=False, timeout=10).status
            for path in ("/v1/models", "/metrics", "/props", "/slots", "/health")
        }
    assert statuses == {"/v1/models": 401, "/metrics": 401, "/props": 401, "/slots": 401, "/health": 200}


def test_the_key_is_in_no_log_and_no_command_line(served: Served) -> None:
    pid = Path(pid_file(served.root, served.slot)).read_text().split()[0]
    assert KEY not in Path(f"/proc/{pid}/cmdline").read_text()
    assert "3210" not in served.log, "with --log-verbosity 4 it logs a key's last four characters"


def test_a_second_start_changes_nothing(served: Served) -> None:
    assert list(served.service.plan(HOST)) == []


def test_installed_is_what_the_binary_says(program: Path, served: Served) -> None:
    spec = Host(name="here", ram_gib=4, cpu_cores=1, root=served.root)
    found = look(HOST, served.kind.installed(asked(program), spec))
    assert found.startswith("llama.cpp ") and "build" in found


def test_a_file_cut_short_dies_and_says_why(program: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    whole = tiny_gguf.write(tmp_path / "models" / "whole.gguf").read_bytes()
    (tmp_path / "models" / "cut.gguf").write_bytes(whole[:100_000])
    began = None
    try:
        with suppress(NotConverged):  # where it is gone before the operation looks again
            began = Served(tmp_path, asked(program, file="cut.gguf"))
        (log,) = (tmp_path / "releases" / "tiny").glob("server-*.log")
        read = EngineLogFact("", engine("llamacpp").log).parse
        fatal = until("it says why", lambda: read(log.read_text()).fatal, seconds=60)
        assert "is not within the file bounds" in fatal
        (file,) = (tmp_path / "run").glob("engine-*.pid")
        until("it is gone", lambda: not any(process.alive for process in read_pid_file(file)), seconds=60)
    finally:
        if began is not None:
            began.stop()


def test_the_recorded_options_are_the_real_ones(program: Path) -> None:
    told = llamacpp(str(program))
    known = recorded("llamacpp", told["version"])
    if known is None:
        pytest.skip(f"llama.cpp {told['version']} is newer than what was recorded")
    assert {tuple(each["names"]) for each in told["options"]} == {each.names for each in known.options}


def test_the_hub_environment_for_real(tmp_path: Path) -> None:
    for operation in hub_environment(str(tmp_path)):
        converge(HOST, operation)
    assert [step for operation in hub_environment(str(tmp_path)) for step in operation.plan(HOST)] == []
    code = "import huggingface_hub, json; print(json.dumps(huggingface_hub.__version__))"
    said = HOST.run(f"{hub_python(str(tmp_path))} -c '{code}'").check().stdout
    assert json.loads(said) == "2.4.0"
