"""The rendered configuration: a snapshot, nginx's own test of it, and values that try to break out of it."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventories.errors import BadInput
from tasks.gateway.answers import ANSWERS
from tasks.gateway.keys import render as render_keys
from tasks.gateway.nginx import render, upstream_conf, upstream_key_conf
from tasks.gateway.plan import LONGEST_STREAM_S, GatewayPlan, gateway_plan, listens
from tasks.local import LocalHost
from tasks.operations.gateway_configured import gateway_files, mark_of
from tests.gateway.scene import ROUTES, require_nginx
from tests.ports import free_port
from tests.recorded.recordings import rehearsal

SNAPSHOT = Path(__file__).parent / "nginx.conf.snapshot"
PLAN = GatewayPlan("/opt/beachhead/gateway", ("10.0.0.5:443", "127.0.0.1:443"), ROUTES, True, 8001, 600, 64, 64, 3600)


def nginx_test(folder: Path, plan: GatewayPlan) -> tuple[int, str]:
    """What `nginx -t` says of the plan's files, without TLS."""
    require_nginx()
    files = gateway_files(plan, "k" * 16, None)
    conf = folder / f"conf-{mark_of(files)}"
    shutil.rmtree(conf, ignore_errors=True)
    for made in (conf, folder / "run", folder / "tmp"):
        made.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (conf / name).write_text(text)
    (folder / "keys").write_text(render_keys(()))
    ran = LocalHost().run(f"PATH=$PATH:/usr/sbin nginx -t -p {folder}/ -c {conf.name}/nginx.conf")
    return ran.exit, ran.stderr


def test_the_configuration_is_the_one_that_was_read_by_a_person() -> None:
    assert render(PLAN) == SNAPSHOT.read_text(), "render() changed: read it, then write the snapshot anew"


def test_nginx_accepts_it(tmp_path: Path) -> None:
    code, said = nginx_test(
        tmp_path, replace(PLAN, folder=str(tmp_path), listens=(f"127.0.0.1:{free_port()}",), tls=False)
    )
    assert code == 0, said


def test_an_inventory_becomes_a_plan() -> None:
    inventory = rehearsal()
    plan = gateway_plan(inventory, inventory.hosts[0], 22101)
    assert plan.folder == f"{inventory.hosts[0].root}/gateway"
    assert plan.listens == (f"127.0.0.1:{inventory.serving.live_port}",) and plan.upstream == 22101
    assert plan.tls == (inventory.serving.gateway.tls.mode != "off")
    assert dict(plan.routes)["/v1/chat/completions"] == ("POST",)


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("127.0.0.1", ("127.0.0.1:80",)),
        ("localhost", ("127.0.0.1:80",)),
        ("0.0.0.0", ("0.0.0.0:80",)),
        ("10.1.2.3", ("10.1.2.3:80", "127.0.0.1:80")),
        ("::", ("[::]:80", "0.0.0.0:80")),
        ("::1", ("[::1]:80", "127.0.0.1:80")),
        ("gpu1.example.org", ("gpu1.example.org:80", "127.0.0.1:80")),
    ],
)
def test_the_deployment_can_always_come_in_by_loopback(address: str, wanted: tuple[str, ...]) -> None:
    assert listens(address, 80) == wanted


HOSTILE = [
    "a;b",
    "a b",
    "a\nb",
    "$host",
    'x"',
    "a{",
    "fe80::1%eth0; x",
    "",
    "unix:/tmp/x",
    "-a",
    "a_b",
    "1.2.3.4:5 ssl",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_an_address_that_says_more_is_bad_input(address: str) -> None:
    with pytest.raises(BadInput, match=r"address|interface"):
        listens(address, 80)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=20), place=st.sampled_from(["folder", "address", "path", "method", "module"]))
def test_no_value_breaks_out_of_its_directive(tmp_path: Path, text: str, place: str) -> None:
    """Either it is refused, or nginx takes it, as one value: the same directives stand in the same places."""
    root = str(tmp_path)
    try:
        plan = GatewayPlan(
            folder=f"{root}/{text}" if place == "folder" else root,
            listens=listens(text if place == "address" else "127.0.0.1", 8000),
            routes=(("/" + text if place == "path" else "/x", (text if place == "method" else "GET",)),),
            tls=False,
            upstream=1,
            requests_per_minute=1,
            concurrent_requests=1,
            body_mib=1,
            stream_s=60,
            perl_module=f"/usr/{text}" if place == "module" else PLAN.perl_module,
        )
    except BadInput:
        return
    plain = replace(plan, folder="/a", listens=("127.0.0.1:8000",), routes=(("/x", ("GET",)),), perl_module="/m")
    shape = [line.split(" ")[0] for line in render(plan).splitlines()]
    expected = [line.split(" ")[0] for line in render(plain).splitlines()]
    assert [word for word in shape if word != "listen"] == [word for word in expected if word != "listen"]
    if place == "path":
        code, said = nginx_test(tmp_path, plan)
        assert code == 0, said


@pytest.mark.parametrize("key", ["", 'a"; evil', "a b", "a\nb", "a$b", "a;b", "é", "a'b", "a\\b", "a{b}"])
def test_an_engine_key_that_nginx_would_read_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        upstream_key_conf(key)


def test_nothing_in_nginx_conf_is_secret_and_the_mark_tells_every_change() -> None:
    files = gateway_files(PLAN, "secret-engine-key", None)
    assert [name for name, text in files.items() if "secret-engine-key" in text] == ["upstream_key.conf"]
    others = [
        gateway_files(PLAN, "another-engine-key", None),
        gateway_files(replace(PLAN, upstream=8002), "secret-engine-key", None),
    ]
    assert len({mark_of(each) for each in (files, *others)}) == 3


def test_streams_outlive_a_reload_for_longer_than_a_silence_may_last() -> None:
    for silence in (60, 100_000):
        text = render(replace(PLAN, stream_s=silence))
        found = re.search(r"worker_shutdown_timeout (\d+)s;", text)
        assert found and int(found[1]) >= max(silence, LONGEST_STREAM_S)


def test_without_an_engine_no_address_is_connected_to() -> None:
    assert " down;" in upstream_conf(None) and "default 0" in upstream_conf(None)
    assert "127.0.0.1:8001" in upstream_conf(8001) and "default 1" in upstream_conf(8001)


def test_refusals_are_json_that_nginx_can_quote() -> None:
    for refusal in ANSWERS:
        assert "'" not in refusal.body and "$" not in refusal.body
