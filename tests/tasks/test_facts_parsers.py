"""Every parser on what its command really printed, and on anything else: NotUnderstood and no other error."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.facts.base import Fact, NotUnderstood, ask, look
from tasks.facts.disk import Disk, DiskFact
from tasks.facts.engine_probe import EngineProbe
from tasks.facts.listener import Listener, ListenerFact
from tasks.facts.machine import MachineFact
from tasks.facts.process import Process, ProcessFact
from tasks.facts.text_file import TextFile
from tasks.facts.weights import DiskFiles, HubTree
from tasks.fake import FakeHost
from tasks.hosts import CommandFailed, HostError, Ran, Unreachable, now
from tests.recorded import recordings

FACTS: list[Fact[Any]] = [
    MachineFact(),
    DiskFact("/x"),
    ProcessFact("/x.pid"),
    ListenerFact(22101),
    TextFile("/x"),
    HubTree("python", "http://hub", "a/b", "0" * 40, ""),
    DiskFiles("python", "/x"),
    EngineProbe("python", "load", "/x"),
]
MACHINE, DISK, PROCESS, LISTENER, TEXT, TREE, FILES, PROBE = FACTS
REFUSED = "NotImplementedError: No WNA16 MoE backend supports the deployment configuration."


def test_machine_as_recorded() -> None:
    machine = MACHINE.parse(recordings.text("machine.txt"))
    assert (machine.os, machine.arch, machine.cores) == ("Debian GNU/Linux 12 (bookworm)", "x86_64", 2)
    assert (machine.ram_mib, machine.uid) == (24_684_092 // 1024, 0)
    assert "avx2" in machine.cpu_flags and not machine.amx


def test_machine_with_amx() -> None:
    assert MACHINE.parse(recordings.text("machine.txt").replace(" avx2", " avx2 amx_tile")).amx


@pytest.mark.parametrize("key", ["os", "kernel", "arch", "cores", "ram_kib", "boot_id", "uid", "flags"])
def test_machine_without_a_line_is_not_understood(key: str) -> None:
    lines = [line for line in recordings.text("machine.txt").splitlines() if not line.startswith(f"{key}=")]
    with pytest.raises(NotUnderstood):
        MACHINE.parse("\n".join(lines))


def test_process_as_recorded() -> None:
    assert PROCESS.parse(recordings.text("process-never.txt")) == Process(None, False)
    assert PROCESS.parse(recordings.text("process-running.txt")) == Process(1718, True)
    assert PROCESS.parse("ended\n") == Process(None, True)
    assert not PROCESS.parse("ended\n").running


@pytest.mark.parametrize("text", ["", "running", "running x", "running ²", "running 1 2", "ended now", "Never"])
def test_process_is_not_guessed(text: str) -> None:
    with pytest.raises(NotUnderstood):
        PROCESS.parse(text)


def test_listener_as_recorded() -> None:
    assert LISTENER.parse(recordings.text("listener-free.txt")) == Listener(False, "")
    busy = LISTENER.parse(recordings.text("listener-busy.txt"))
    assert busy.busy and busy.holder.startswith("1289 /srv/beachhead/") and "gateway.py" in busy.holder
    assert LISTENER.parse("busy \n") == Listener(True, "")


def test_text_file_as_recorded() -> None:
    assert TEXT.parse(recordings.text("slots-empty.txt")).startswith('{\n "live": null')
    assert TEXT.parse("absent\n") is None
    assert TEXT.parse("present\n") == ""
    assert TEXT.parse("present\nabsent\n") == "absent\n"


def test_disk_as_df_prints_it() -> None:
    heading = "       Avail    IFree Mounted on\n"
    assert DISK.parse(heading + " 85899345920 16000000 /mnt/with space\n") == Disk(
        85_899_345_920, 16_000_000, "/mnt/with space"
    )
    assert DISK.parse(heading + " 85899345920 - /data\n").free_inodes is None
    assert DISK.parse(heading + " 85899345920 0 /btrfs\n").free_inodes is None


@pytest.mark.parametrize("suffix", ["", "-native", "-gptq"])
def test_weights_as_recorded(suffix: str) -> None:
    listed, found = recordings.hub_tree(suffix), recordings.disk_files(suffix)
    assert [file.path for file in listed] == [file.path for file in found]
    for published, file in zip(listed, found, strict=True):
        large = file.path.endswith(".safetensors")
        assert published.size == file.size
        assert (published.sha256, published.git_sha1) == ((file.sha256, None) if large else (None, file.git_sha1))
        assert file.header_size == (file.size if large else None)


@pytest.mark.parametrize(
    "change",
    [{"size": "12"}, {"size": None}, {"path": None}, {"sha256": None, "git_sha1": None}, {"more": 1}, {"size": True}],
)
def test_a_listed_file_of_another_shape_is_not_understood(change: dict[str, Any]) -> None:
    line = {"path": "a", "size": 1, "sha256": "0" * 64, "git_sha1": None, **change}
    with pytest.raises(NotUnderstood):
        TREE.parse(json.dumps(line))


def test_an_empty_list_is_no_list_but_an_empty_folder_is_one() -> None:
    with pytest.raises(NotUnderstood):
        TREE.parse("")
    assert FILES.parse("") == ()


def test_probes_as_recorded() -> None:
    assert recordings.probed("flags").message.startswith("-c: error: argument --dtype: invalid choice: 'int4'")
    refused, loaded, budget = (recordings.probed(n) for n in ("load-native", "load-gptq", "budget"))
    assert (refused.accepted, refused.message) == (False, REFUSED)
    assert (loaded.accepted, loaded.tokens, loaded.version) == (True, 4, "0.32.0")
    assert not budget.accepted and "reasoning_config is not configured" in budget.message


def test_a_refusal_that_only_points_at_the_log_gives_the_logs_reason() -> None:
    line = {"accepted": False, "message": "RuntimeError: Engine core initialization failed.", "tokens": 0}
    text = recordings.text("server-fatal.log") + "\n" + json.dumps({**line, "version": "0.32.0"}) + "\n"
    assert PROBE.parse(text).message == REFUSED


@pytest.mark.parametrize(
    "text", ["", "Killed\n", '{"accepted": true}\n', '{"accepted": tru\n', '{"accepted": 1, "x": 2}']
)
def test_a_probe_that_broke_off_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        PROBE.parse(recordings.text("probe-load-gptq.txt").split('{"accepted"')[0] + text)


json_lines = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "size", "x"]), inner),
    max_leaves=6,
).map(json.dumps)
words = st.sampled_from(["running", "busy", "present", "os=", "cores=", "Avail\n", '{"accepted"', "²", "-1", "1 2 3"])
garbage = st.text(max_size=60) | json_lines | st.lists(words | st.text(max_size=4), max_size=6).map(" ".join)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
@given(text=garbage)
@example(text="running ²")
@example(text="heading\n1 ² /\n")
@example(text='{"path": {}, "size": [], "sha256": 0, "git_sha1": 0}')
def test_garbage_is_understood_or_not_understood(fact: Fact[Any], text: str) -> None:
    try:
        fact.parse(text)
    except NotUnderstood as error:
        assert type(fact).__name__ in error.what and error.fix


def test_a_failed_command_is_not_parsed() -> None:
    ran = Ran("box", MACHINE.command, 1, recordings.text("machine.txt"), "", now())
    with pytest.raises(CommandFailed):
        look(FakeHost("box", {MACHINE.command: ran}), MACHINE)


def test_what_a_connection_raises_comes_through() -> None:
    host = FakeHost("box", {LISTENER.command: Unreachable("gone", where="box", fix="wait")})
    with pytest.raises(Unreachable):
        look(host, LISTENER)


def test_ask_gives_the_raw_output_too() -> None:
    host = FakeHost("box", {LISTENER.command: "free\n"})
    value, ran = ask(host, LISTENER, timeout=7)
    assert (value, ran.stdout, host.calls[0].timeout) == (Listener(False, ""), "free\n", 7)


def test_not_understood_is_a_host_error_for_a_person() -> None:
    error = NotUnderstood(MACHINE, "x" * 1000)
    assert isinstance(error, HostError) and len(str(error)) < 700 and "raw record" in error.where
