"""No value from an inventory reaches a shell unquoted: it is refused, or it arrives whole and inert."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from posixpath import dirname
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inventories.errors import BadInput
from inventories.stack import Stack
from tasks.facts.operating_system import OperatingSystemFact
from tasks.facts.system_packages import SystemPackageFact
from tasks.fake import FakeHost
from tasks.hosts import Host
from tasks.operations.base import Operation, Step
from tasks.operations.containers import NOTES, ContainerToolkitFact, GpuDriverFact, GpusInContainers, _AsRoot
from tasks.operations.directory import Directory
from tasks.operations.file_content import FileContent, LineInFile, _RootTextFile
from tasks.operations.model_directory import ModelDirectory, MountOfFact, OwnerFact, UsedBytesFact
from tasks.operations.packages import Packages
from tasks.operations.path_state import PathStateFact
from tasks.operations.repositories import AptRepository
from tasks.operations.sysctl import SessionLimits, Sysctl, SysctlFact
from tasks.operations.systemd_service import SystemdService, SystemdUnitFact
from tasks.operations.user_account import AccountFact, UserAccount
from tests.tasks.shell_words import inert

MARK = "PWNED"
SHAPES = (
    "a PWNED b", "$(PWNED)", "`PWNED`", "'PWNED'", '"PWNED"', "PWNED\nPWNED", "; PWNED", "-PWNED", "--PWNED", "PWNED*",
    "a'; PWNED #", '"$(PWNED)"', "PWNED\\", "~PWNED", "PWNED && PWNED", "${PWNED}", "PWNED > /x", "../PWNED", "é PWNED",
)  # fmt: skip
NASTY = st.text(alphabet="a-$`'\"\\\n;&|<>(){}*?[]#~!=. /é", max_size=12)
VALUES = st.one_of(st.sampled_from(SHAPES), st.builds(lambda a, b: f"{a}{MARK}{b}", NASTY, NASTY))
Script = Mapping[str, Any]
ABSENT_DRIVER = "@@ module\nabsent\n@@ library\nnvidia-smi: not found\n"
DOCKER = '@@ client\n28.5.1\n@@ server\nok\n28.5.1\n@@ compose\nok\n2\n@@ runtimes\nok\n{"runc": {}}\n'
UBUNTU = "id=ubuntu\nlike=debian\nversion=24.04\nkernel=6.8.0-60-generic\narch=x86_64\n"
MOUNT = (
    "@@ df\nFilesystem Type 1B-blocks Avail Inodes IFree Mounted on\n/dev/vda ext4 900 800 70 60 /\n"
    "@@ options\nrw\n@@ rotational\n0\n"
)


def _unit(name: str) -> Script:
    said = f"Id={name}\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n\n"
    return {SystemdUnitFact((name,)).command: said}


def _path(path: str) -> Script:
    return {PathStateFact(path).command: "absent\n"}


MAKERS: dict[str, Callable[[str], tuple[Operation, Script]]] = {
    "folder": lambda v: (Directory(f"/srv/{v}"), _path(f"/srv/{v}")),
    "folder's owner": lambda v: (Directory("/srv/x", owner=v), _path("/srv/x")),
    "folder's mode": lambda v: (Directory("/srv/x", mode=v), _path("/srv/x")),
    "file": lambda v: (FileContent(f"/etc/{v}", "text"), _path(f"/etc/{v}")),
    "file's text": lambda v: (FileContent("/etc/x", v), _path("/etc/x")),
    "line's file": lambda v: (LineInFile(f"/etc/{v}", "line"), {_RootTextFile(f"/etc/{v}").command: "absent\n"}),
    "line": lambda v: (LineInFile("/etc/x", v), {_RootTextFile("/etc/x").command: "present\nother\n"}),
    "user": lambda v: (UserAccount(v), {AccountFact(v, ()).command: "@@ user\n@@ groups\n"}),
    "group": lambda v: (UserAccount("ops", (v,)), {AccountFact("ops", (v,)).command: "@@ user\n@@ groups\n"}),
    "shell": lambda v: (UserAccount("ops", shell=v), {AccountFact("ops", ()).command: "@@ user\n@@ groups\n"}),
    "package": lambda v: (
        Packages((v,)),
        {SystemPackageFact((v,)).command: "@@ packages\n@@ end\n", OperatingSystemFact().command: UBUNTU},
    ),
    "package's version": lambda v: (
        Packages(("tree",), {"tree": v}),
        {SystemPackageFact(("tree",)).command: "@@ packages\n@@ end\n", OperatingSystemFact().command: UBUNTU},
    ),
    "unit": lambda v: (SystemdService(v), _unit(v)),
    "setting": lambda v: (
        Sysctl("x", {v: "1"}),
        _path("/etc/sysctl.d/90-x.conf") | {SysctlFact((v,)).command: f"{v}=2\n"},
    ),
    "setting's value": lambda v: (
        Sysctl("x", {"a.b": v}),
        _path("/etc/sysctl.d/90-x.conf") | {SysctlFact(("a.b",)).command: "a.b=2\n"},
    ),
    "limits' user": lambda v: (SessionLimits(v, 1, 1), {}),
    "repository's address": lambda v: (AptRepository("x", f"https://h/{v}", "stable", ("main",), "/k"), {}),
    "repository's suite": lambda v: (AptRepository("x", "https://h", v, ("main",), "/k"), {}),
    "repository's title": lambda v: (AptRepository(v, "https://h", "stable", ("main",), "/k"), {}),
    "models": lambda v: (
        ModelDirectory(f"/srv/{v}", room_bytes=1000),
        _path(f"/srv/{v}")
        | {MountOfFact(f"/srv/{v}").command: MOUNT, OwnerFact().command: "ops:ops\n"}
        | {UsedBytesFact(f"/srv/{v}").command: "300\n"},
    ),
    "image": lambda v: (
        GpusInContainers(v),
        {
            GpuDriverFact().command: ABSENT_DRIVER,
            _AsRoot().command: DOCKER,
            ContainerToolkitFact().command: "@@ version\nabsent\n@@ daemon\nabsent\n@@ cdi\n",
            f"if [ -e {NOTES}/gpus-in-containers.json ]; then echo present; cat {NOTES}/gpus-in-containers.json; "
            "else echo absent; fi": "absent\n",
        },
    ),
}  # fmt: skip


def planned(make: Callable[[str], tuple[Operation, Script]], value: str) -> tuple[list[str], list[Step]] | None:
    """Commands that were asked and steps that came out; None where the value was refused."""
    try:
        operation, script = make(value)
        host: Host = FakeHost("box", script)
        steps = list(operation.plan(host))
    except BadInput:
        return None
    assert isinstance(host, FakeHost)
    return [*host.asked, *(step.command for step in steps)], steps


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=100, deadline=None)
@given(value=VALUES)
def test_a_value_is_refused_or_arrives_inert(name: str, value: str) -> None:
    found = planned(MAKERS[name], value)
    if found is None:
        return
    commands, steps = found
    parent, in_json = dirname(value), json.dumps(value)[1:-1]  # mkdir's word, and the trial's note
    for command in commands:
        assert inert(command, MARK, value, in_json, parent), command
    assert steps


def test_the_test_itself_sees_what_is_not_quoted() -> None:
    value = "$(PWNED)"
    assert inert(f"cat '{value}'", MARK, value)
    for bad in (f"cat {value}", f'cat "{value}"', f"cat 'x{value[:3]}'WNED)", f"bash -c 'echo {value[1:]}'"):
        assert not inert(bad, MARK, value), bad


def test_a_path_begins_with_a_slash_and_so_is_no_option() -> None:
    for path in ("-rf", "relative", "", "~/x", "/x/", "//x", "/a\0b"):
        with pytest.raises(BadInput):
            Directory(path)


HOSTILE_STACKS: list[dict[str, Any]] = [
    {"packages": ["$(PWNED)"]},
    {"packages": ["-o=PWNED"]},
    {"versions": {"tree": "1; PWNED"}},
    {"driver": {"version": "580.1; PWNED"}},
    {"sysctl": {"a.b": "1\nPWNED = 1"}},
    {"sysctl": {"-w": "1"}},
    {"cuda_toolkit": "13.0 PWNED"},
    {"models_mount": "/$(PWNED)"},
    {"containers": {"probe_image": "x; PWNED@sha256:" + "0" * 64}},
    {"repositories": [{"name": "x", "uri": "https://u:secret@h/", "suite": "s", "components": ["m"], "key": "k"}]},
    {"repositories": [{"name": "x", "uri": "https://h/ [trusted=yes]", "suite": "s", "components": ["m"], "key": "k"}]},
    {"repositories": [{"name": "x", "uri": "https://h/", "suite": "s\nPWNED", "components": ["m"], "key": "k"}]},
]


@pytest.mark.parametrize("stack", HOSTILE_STACKS, ids=str)
def test_the_inventory_refuses_what_no_host_needs(stack: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Stack.model_validate(stack)
