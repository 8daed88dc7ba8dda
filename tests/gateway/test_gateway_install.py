"""nginx comes to a host: which hosts are refused, and a real apt on a real systemd, by a user who is not root."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.gateway_state import GatewayStateFact
from tasks.facts.nginx import NginxFact
from tasks.facts.operating_system import OperatingSystemFact
from tasks.facts.sudo_mode import SudoModeFact
from tasks.fake import FakeHost
from tasks.gateway.authority import Authority
from tasks.gateway.plan import GatewayPlan
from tasks.hosts import Host, now
from tasks.operations.base import Operation, converge
from tasks.operations.files import Folder
from tasks.operations.gateway_configured import GatewayConfigured
from tasks.operations.gateway_installed import GatewayInstalled
from tasks.operations.gateway_keys import DeploymentKey
from tasks.operations.gateway_running import GatewayRunning
from tasks.operations.gateway_words import as_process
from tests.gateway.scene import ENGINE_KEY, OWN_KEY, ROUTES
from tests.hosts import docker
from tests.hosts.fleet import Fleet

NOTHING = "@@ program\n@@ version\n@@ perl\n@@ end\n"
BARE = "@@ program\n/usr/sbin/nginx\n@@ version\nnginx version: nginx/1.22.1\n@@ perl\n@@ end\n"
WHOLE = BARE.replace("@@ end", "/usr/lib/nginx/modules/ngx_http_perl_module.so\n@@ end")
DEBIAN = "id=debian\nlike=\nversion=12\nkernel=6.1.0\narch=x86_64\n"
RHEL = "id=rhel\nlike=fedora\nversion=9.6\nkernel=5.14.0\narch=x86_64\n"
ROOT = "@@ uid\n0\n@@ sudo\n@@ exit\n0\n"
NO_SUDO = "@@ uid\n1000\n@@ sudo\nops is not in the sudoers file.\n@@ exit\n1\n"


def host(nginx: str, system: str = DEBIAN, sudo: str = ROOT) -> FakeHost:
    return FakeHost(
        "box", {NginxFact().command: nginx, OperatingSystemFact().command: system, SudoModeFact().command: sudo}
    )


def test_what_is_there_is_left_alone() -> None:
    assert list(GatewayInstalled().plan(host(WHOLE))) == []


def test_only_what_is_missing_is_installed_and_no_service_of_the_hosts_own_is_touched() -> None:
    (both,) = GatewayInstalled().plan(host(NOTHING))
    assert both.sudo and "nginx libnginx-mod-http-perl" in both.command and "mask --runtime" in both.command
    (module,) = GatewayInstalled().plan(host(BARE))
    assert "systemctl" not in module.command and " nginx " not in module.command


@pytest.mark.parametrize(
    ("system", "sudo", "fix"), [(RHEL, ROOT, "nginx-mod-http-perl"), (DEBIAN, NO_SUDO, "libnginx")]
)
def test_where_it_can_not_be_installed_the_packages_are_named(system: str, sudo: str, fix: str) -> None:
    with pytest.raises(BadInput) as refused:
        list(GatewayInstalled().plan(host(NOTHING, system, sudo)))
    assert fix in refused.value.fix


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    import os

    if (why := docker.missing()) is not None:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with docker.engine(tmp_path_factory.mktemp("docker")), Fleet(1) as made:
        yield made


def know_debian(fleet: Fleet) -> None:
    """The distribution's packages, from where this machine has them: it must be Debian 12 too."""
    if "VERSION_CODENAME=bookworm" not in Path("/etc/os-release").read_text():
        pytest.skip("this machine is no Debian 12, so its package sources are not those of the test host")
    for place in ("/etc/apt/sources.list", "/etc/apt/sources.list.d"):
        for file in [Path(place)] if Path(place).is_file() else sorted(Path(place).glob("debian*")):
            to = f"/etc/apt/sources.list.d/here-{file.name}"
            fleet[0].run_in_container(f"cat > {to} <<'EOF'\n{file.read_text()}\nEOF")


def operations(here: Host, plan: GatewayPlan, ca: Path) -> list[Operation]:
    found = look(here, NginxFact())
    words = as_process(found.program, plan.folder, found.perl_module)
    certificate = Authority(ca, "test").server(("127.0.0.1",), now())
    return [
        *(Folder(path, "0755") for path in (plan.folder, f"{plan.folder}/run", f"{plan.folder}/tmp")),
        DeploymentKey(plan.keys_file, OWN_KEY, date(2026, 11, 22)),
        GatewayConfigured(plan, ENGINE_KEY, certificate, words),
        GatewayRunning(plan, words),
    ]


@pytest.mark.e2e
def test_a_bare_host_gets_a_gateway_of_its_own_and_no_other_nginx_runs(fleet: Fleet, tmp_path: Path) -> None:
    know_debian(fleet)
    here = fleet[0].host()
    try:
        assert converge(here, GatewayInstalled()).steps and not converge(here, GatewayInstalled()).steps
        service = "systemctl is-active nginx.service; systemctl is-enabled nginx.service; pgrep -c nginx"
        assert here.run(service).stdout.split() == ["inactive", "disabled", "0"]
        home = here.run("echo $HOME").stdout.strip()
        plan = GatewayPlan(f"{home}/gateway", ("127.0.0.1:8443",), ROUTES, True, None, 600, 8, 4, 60)
        for operation in operations(here, plan, tmp_path / "ca"):
            converge(here, operation)
        assert not [step for each in operations(here, plan, tmp_path / "ca") for step in each.plan(here)]
        assert here.run("ps -o user= -C nginx").stdout.split() == ["ops"] * 5
        assert look(here, GatewayStateFact(plan.folder)).current
        switched = replace(plan, upstream=9)
        for operation in operations(here, switched, tmp_path / "ca"):
            converge(here, operation)
        with here.forward(8443) as port:
            assert asked(port, tmp_path / "ca" / "ca.pem", "") == (401, "invalid_api_key")
            assert asked(port, tmp_path / "ca" / "ca.pem", OWN_KEY) == (502, "engine_unreachable")
    finally:
        here.close()


def asked(port: int, ca: Path, key: str) -> tuple[int, str]:
    import ssl

    request = urllib.request.Request(f"https://127.0.0.1:{port}/health", headers={"X-Api-Key": key} if key else {})
    try:
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=str(ca)), timeout=20) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())["error"]["code"]
