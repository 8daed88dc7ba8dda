"""Real nginx before a FAKE engine (tests/gateway/engine.py): what passes, what is limited, what survives a change."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from tasks.facts.base import look
from tasks.facts.gateway_state import GatewayState, GatewayStateFact
from tasks.facts.listening_ports import ListeningPortFact
from tasks.facts.nginx import Nginx, NginxFact
from tasks.facts.open_connections import OpenConnectionsFact
from tasks.gateway.authority import Authority
from tasks.gateway.draining import drained
from tasks.gateway.keys import removed, retired, rotated
from tasks.hosts import CommandFailed, now
from tasks.local import LocalHost
from tasks.operations.base import converge
from tasks.operations.gateway_configured import GatewayConfigured
from tasks.operations.gateway_running import GatewayRunning
from tasks.operations.service import PortTaken
from tests.gateway.engine import Engine
from tests.gateway.matrix import exchange, let_in, run, statuses, strange, with_key, without_key
from tests.gateway.scene import ENGINE_KEY, OWN_KEY, Gateway, gateway
from tests.gateway.tricks import Asked

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine().running() as made:
        yield made


@pytest.fixture(scope="module")
def at(engine: Engine) -> Iterator[Gateway]:
    with gateway(engine.port) as made:
        yield made


def ask(
    at: Gateway, method: str, path: str, key: str = OWN_KEY, body: bytes = b"{}", header: str = "Authorization: Bearer "
) -> bytes:
    asked = Asked(method, path, (f"{header}{key}",) if key else ())
    return exchange(at.port, asked.request(body=body), at.trust, wait_s=20)


def status(at: Gateway, method: str, path: str, key: str = OWN_KEY, body: bytes = b"{}") -> int:
    return statuses(ask(at, method, path, key, body))[0]


def test_a_second_run_changes_nothing(at: Gateway) -> None:
    assert at.up() == []
    assert at.state.current and at.state.pid


def test_open_routes_answer_to_a_key_in_either_header(at: Gateway, engine: Engine) -> None:
    for method, path in (("GET", "/health"), ("GET", "/v1/models"), ("POST", "/v1/chat/completions")):
        for header in ("Authorization: Bearer ", "authorization: bearer  ", "X-Api-Key: "):
            assert statuses(ask(at, method, path, header=header)) == (200,)
    assert not strange(engine)


def test_two_keys_must_be_the_same(at: Gateway) -> None:
    same = Asked("GET", "/health", (f"Authorization: Bearer {OWN_KEY}", f"X-Api-Key: {OWN_KEY}"))
    differ = Asked("GET", "/health", (f"Authorization: Bearer {OWN_KEY}", "X-Api-Key: another"))
    assert statuses(exchange(at.port, same.request(), at.trust)) == (200,)
    assert statuses(exchange(at.port, differ.request(), at.trust)) == (401,)


def test_the_engine_gets_its_own_key_and_nothing_of_the_clients(at: Gateway, engine: Engine) -> None:
    engine.arrived.clear()
    asked = Asked(
        "POST",
        "/v1/completions",
        (f"X-Api-Key: {OWN_KEY}", "Cookie: a=b", "X-data-parallel-rank: 3", "X-Request-Id: mine"),
    )
    assert statuses(exchange(at.port, asked.request("/v1/completions?api_key=zzz"), at.trust)) == (200,)
    (arrived,) = engine.arrived
    headers = dict(arrived.headers)
    assert arrived.line == "POST /v1/completions HTTP/1.1"
    assert headers.pop("authorization") == f"Bearer {ENGINE_KEY}"
    assert re.fullmatch("[0-9a-f]{32}", headers.pop("x-request-id"))
    assert set(headers) == {"host", "connection", "content-length", "content-type"}


def test_refusals_are_errors_as_openai_clients_read_them(at: Gateway) -> None:
    for key, path, code in (("", "/health", "invalid_api_key"), (OWN_KEY, "/metrics", "not_found")):
        said = json.loads(ask(at, "GET", path, key).partition(b"\r\n\r\n")[2])["error"]
        assert said["code"] == code and said["message"] and "type" in said and "param" in said


def test_a_tenth_of_the_matrix(at: Gateway, engine: Engine) -> None:
    """The whole of it is test_gateway_matrix.py; this one is for every run."""
    engine.arrived.clear()
    before = engine.connections
    refused = run((trial for n, trial in enumerate(without_key()) if n % 13 == 0), at)
    assert len(refused) > 400 and not let_in(refused) and engine.connections == before
    run((trial for n, trial in enumerate(with_key()) if n % 13 == 0), at)
    assert engine.arrived and not strange(engine), strange(engine)[:3]


def test_a_prompt_of_256k_tokens_passes_and_touches_no_disk(at: Gateway, engine: Engine) -> None:
    body = b'{"prompt": "' + b"word " * (4 * 1024 * 1024 // 5) + b'"}'
    assert status(at, "POST", "/v1/completions", body=body) == 200
    assert engine.arrived[-1].size == len(body)
    assert not [file for file in Path(at.plan.folder, "tmp").rglob("*") if file.is_file()]


def test_a_body_over_the_limit_is_told_so_and_does_not_reach_the_engine(engine: Engine) -> None:
    with gateway(engine.port, body_mib=1) as small:
        before = engine.connections
        assert status(small, "POST", "/v1/completions", body=b"x" * (1 << 20)) == 200
        assert status(small, "POST", "/v1/completions", body=b"x" * ((1 << 20) + 1)) == 413
        chunks = b"".join(b"8000\r\n" + b"x" * 0x8000 + b"\r\n" for _ in range(40)) + b"0\r\n\r\n"
        head = f"POST /v1/completions HTTP/1.1\r\nHost: a\r\nX-Api-Key: {OWN_KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert statuses(exchange(small.port, head.encode() + chunks, small.trust)) in ((413,), ())
        assert statuses(exchange(small.port, head.replace(OWN_KEY, "no").encode() + chunks, small.trust)) in (
            (401,),
            (401, 400),
            (),
        )
        assert engine.connections == before + 1


def test_requests_a_minute_are_counted_for_each_client(engine: Engine) -> None:
    with gateway(engine.port, requests_per_minute=10) as slow:
        slow.admit("ann", "key-of-ann")
        counts = Counter(status(slow, "GET", "/health", "key-of-ann") for _ in range(20))
        assert counts[200] in (11, 12) and counts[429] == 20 - counts[200]
        assert status(slow, "GET", "/health", OWN_KEY) == 200
        assert b"Retry-After: 1" in ask(slow, "GET", "/health", "key-of-ann")


STREAM = json.dumps({"stream": True}).encode()


def test_requests_at_once_are_counted_for_each_client_streams_too() -> None:
    with Engine(pieces=2, allowed=1).running() as slow, gateway(slow.port, concurrent_requests=3) as narrow:
        narrow.admit("ann", "key-of-ann")
        with ThreadPoolExecutor(8) as pool:
            got = [pool.submit(status, narrow, "POST", "/v1/completions", "key-of-ann", STREAM) for _ in range(8)]
            refused = list(islice(as_completed(got, 60), 5))
            assert status(narrow, "GET", "/health", OWN_KEY) == 200
            slow.allowed = 2
            assert [each.result() for each in refused] == [429] * 5
            assert [each.result() for each in got if each not in refused] == [200] * 3
        assert status(narrow, "POST", "/v1/completions", "key-of-ann", b"{}") == 200


def streams(at: Gateway, count: int, key: str, began: threading.Barrier, out: list[bytes]) -> list[threading.Thread]:
    """`count` streams at once; each says when its first piece has come."""

    def one() -> None:
        sent = Asked("POST", "/v1/chat/completions", (f"Authorization: Bearer {key}",)).request(body=STREAM)
        got = b""
        with socket.create_connection(("127.0.0.1", at.port), 20) as plain:
            wire = at.trust.wrap_socket(plain, server_hostname="127.0.0.1") if at.trust else plain
            wire.sendall(sent)
            while piece := wire.recv(65536):
                first = b"data:" not in got
                got += piece
                if first and b"data:" in got:
                    began.wait(60)
        out.append(got)

    made = [threading.Thread(target=one) for _ in range(count)]
    for thread in made:
        thread.start()
    return made


def test_64_streams_survive_a_key_rotation_a_reload_and_a_switch_to_another_engine() -> None:
    with (
        Engine(name="old", pieces=60, every_s=0.15, allowed=59).running() as old,
        Engine(name="new").running() as new,
        gateway(old.port) as live,
    ):
        live.admit("ann", "first-key-of-ann")
        began, out = threading.Barrier(65), list[bytes]()
        threads = streams(live, 64, "first-key-of-ann", began, out)
        began.wait(60)
        live.set_keys(rotated(live.keys(), "ann", "second-key-of-ann", TODAY))
        assert (
            status(live, "GET", "/health", "first-key-of-ann")
            == status(live, "GET", "/health", "second-key-of-ann")
            == 200
        )
        live.set_keys(retired(live.keys(), "ann"))
        assert (
            status(live, "GET", "/health", "first-key-of-ann"),
            status(live, "GET", "/health", "second-key-of-ann"),
        ) == (401, 200)
        live.plan = replace(live.plan, upstream=new.port)
        assert len(live.up()) == 2
        assert b'"new"' in ask(live, "GET", "/v1/models")
        live.plan = replace(live.plan, upstream=None)
        live.up()
        assert status(live, "GET", "/v1/models") == 503
        assert all(thread.is_alive() for thread in threads)
        old.allowed = 60
        for thread in threads:
            thread.join(60)
        whole = [got for got in out if len(re.findall(rb"data: old \d+", got)) == 60 and got.endswith(b"0\r\n\r\n")]
        assert len(whole) == 64


def test_pieces_of_a_stream_come_as_they_are_made() -> None:
    with (
        Engine(pieces=4, allowed=1).running() as slow,
        gateway(slow.port) as live,
        socket.create_connection(("127.0.0.1", live.port)) as plain,
    ):
        assert live.trust is not None
        wire = live.trust.wrap_socket(plain, server_hostname="127.0.0.1")
        wire.sendall(Asked("POST", "/v1/completions", (f"X-Api-Key: {OWN_KEY}",)).request(body=STREAM))
        came = list[bytes]()
        while piece := wire.recv(65536):  # the engine makes the next one when the last has come
            came += re.findall(rb"data: one (\d)", piece)
            slow.allowed = len(came) + 1
        assert came == [b"0", b"1", b"2", b"3"]


def test_a_client_that_leaves_takes_its_request_with_it() -> None:
    """The engine must see the connection close, or it goes on for nobody."""
    with Engine(pieces=200, every_s=0.05).running() as slow, gateway(slow.port, tls=False) as live:
        with socket.create_connection(("127.0.0.1", live.port)) as wire:
            wire.sendall(Asked("POST", "/v1/completions", (f"X-Api-Key: {OWN_KEY}",)).request(body=STREAM))
            wire.recv(1000)
        held = f"ss -Htn state established '( sport = :{slow.port} )' | wc -l"
        until = time.monotonic() + 30
        while time.monotonic() < until and live.host.run(held).stdout.strip() != "0":
            time.sleep(0.1)
        assert live.host.run(held).stdout.strip() == "0"


def test_removed_clients_are_out(at: Gateway) -> None:
    at.admit("carl", "key-of-carl")
    assert status(at, "GET", "/health", "key-of-carl") == 200
    at.set_keys(removed(at.keys(), "carl"))
    assert status(at, "GET", "/health", "key-of-carl") == 401


def test_what_the_engine_says_can_not_steer_nginx() -> None:
    evil = "X-Accel-Redirect: /metrics\r\nX-Accel-Limit-Rate: 1\r\nX-Accel-Buffering: yes\r\n"
    with Engine(extra_headers=evil).running() as engine, gateway(engine.port) as live:
        assert b'"engine"' in ask(live, "GET", "/v1/models")


def test_the_log_names_client_route_and_status_and_holds_no_key_no_query_no_prompt(at: Gateway) -> None:
    at.admit("dora", "key-of-dora")
    secret = b'{"prompt": "the secret prompt"}'
    asked = Asked("POST", "/v1/completions", ("Authorization: Bearer key-of-dora",))
    exchange(at.port, asked.request("/v1/completions?api_key=in-the-query", body=secret), at.trust)
    exchange(at.port, Asked("KEYINMETHOD", "/key-in-path", ("X-Api-Key: key-of-dora",)).request(), at.trust)
    until = time.monotonic() + 30
    while at.log().count('"client":"dora"') < 2 and time.monotonic() < until:
        time.sleep(0.1)
    found = [json.loads(line) for line in at.log().splitlines()]
    told = [(one["method"], one["route"], one["status"]) for one in found if one["client"] == "dora"]
    assert sorted(told) == [("POST", "/v1/completions", 200), ("other", "other", 404)]  # two workers, any order
    text = at.log() + Path(at.plan.folder, "error.log").read_text()
    for hidden in ("key-of-dora", "in-the-query", "secret prompt", "KEYINMETHOD", "key-in-path", OWN_KEY, ENGINE_KEY):
        assert hidden not in text


def test_a_configuration_that_nginx_refuses_changes_nothing(at: Gateway) -> None:
    before = at.state
    broken = replace(at.certificate, key="not a key") if at.certificate else None
    with pytest.raises(CommandFailed, match="key"):
        converge(at.host, GatewayConfigured(at.plan, ENGINE_KEY, broken, at.words))
    assert at.state == before and before.current
    assert sorted(path.name for path in Path(at.plan.folder).glob("conf*")) == ["conf", f"conf-{before.mark}"]
    assert at.up() == [] and status(at, "GET", "/health") == 200


def test_a_damaged_keys_file_leaves_the_old_keys_in_service(at: Gateway) -> None:
    file = Path(at.plan.keys_file)
    good = file.read_text()
    file.write_text("nonsense\n")
    try:
        with pytest.raises(CommandFailed, match="line 1"):
            converge(at.host, GatewayRunning(at.plan, at.words))
        assert status(at, "GET", "/health") == 200
    finally:
        file.write_text(good)
    assert at.up() == []


def test_a_file_that_somebody_changed_is_put_back(at: Gateway) -> None:
    conf = Path(at.plan.folder, "conf", "nginx.conf")
    conf.write_text(conf.read_text().replace("return 401", "return 403"))
    assert len(at.up()) == 1 and at.up() == [] and status(at, "GET", "/health", "") == 401


def children(pid: int | None) -> list[int]:
    said = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(word) for word in said.split()]


def gone(live: Gateway) -> bool:
    until = time.monotonic() + 30
    while live.state.answers and time.monotonic() < until:
        time.sleep(0.1)
    return not live.state.answers


def test_workers_that_lost_their_master_end_their_streams_and_a_new_one_is_started() -> None:
    with Engine(pieces=60, every_s=0.1, allowed=59).running() as slow, gateway(slow.port) as live:
        began, out = threading.Barrier(5), list[bytes]()
        threads = streams(live, 4, OWN_KEY, began, out)
        began.wait(60)
        os.kill(live.state.pid or 0, signal.SIGKILL)
        until = time.monotonic() + 30
        while live.state.pid is not None and time.monotonic() < until:
            time.sleep(0.1)
        assert live.state.answers and live.state.pid is None
        assert live.up() == ["start the gateway again: its workers have no master"]
        assert status(live, "GET", "/health") == 200 and live.up() == []
        slow.allowed = 60
        for thread in threads:
            thread.join(60)
        assert [len(re.findall(rb"data: one \d+", got)) for got in out] == [60] * 4


def test_a_gateway_that_was_killed_is_started_again(engine: Engine) -> None:
    with gateway(engine.port) as live:
        pid = live.state.pid
        assert pid is not None
        workers = children(pid)
        for each in (pid, *workers):
            os.kill(each, signal.SIGKILL)
        assert gone(live)
        assert live.up() == ["start the gateway"]
        assert status(live, "GET", "/health") == 200 and live.up() == []


def test_a_port_of_somebody_else_is_not_taken(engine: Engine) -> None:
    with gateway(engine.port) as live:
        live.down()
        with socket.create_server(("127.0.0.1", live.port)), pytest.raises(PortTaken, match=str(live.port)):
            live.up()


def handshake(at: Gateway, context: ssl.SSLContext) -> str | None:
    with (
        socket.create_connection(("127.0.0.1", at.port), 5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as wire,
    ):
        return wire.version()


def test_tls_1_2_and_1_3_and_no_older(at: Gateway) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=str(at.ca))
        context.minimum_version = context.maximum_version = version
        assert handshake(at, context) == version.name.replace("_", ".")
    for flag in ("-tls1", "-tls1_1"):
        words = ["openssl", "s_client", "-connect", f"127.0.0.1:{at.port}", flag, "-cipher", "DEFAULT@SECLEVEL=0"]
        ran = subprocess.run(words, input=b"", capture_output=True, timeout=20)
        assert ran.returncode != 0 and b"protocol version" in ran.stderr, ran.stderr  # the server's alert, not ours


def test_another_authority_and_another_name_are_refused(at: Gateway, tmp_path: Path) -> None:
    other = Authority(tmp_path / "ca", "other")
    other.server(("127.0.0.1",), now())
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(at, ssl.create_default_context(cafile=str(other.certificate_file)))
    context = ssl.create_default_context(cafile=str(at.ca))
    with socket.create_connection(("127.0.0.1", at.port), 5) as plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="evil.example.org")


def test_it_listens_where_it_was_told_and_nowhere_else(at: Gateway) -> None:
    pid = at.state.pid
    listed = look(at.host, ListeningPortFact())
    ours = {one.address for one in listed if any(owner.pid == pid for owner in one.owners)}
    assert ours <= {"127.0.0.1"}
    assert [one for one in listed if one.port == at.port]


def test_secrets_lie_in_files_that_only_their_owner_reads(at: Gateway) -> None:
    for path in (*Path(at.plan.folder, "conf").iterdir(), Path(at.plan.keys_file)):
        assert path.stat().st_mode & 0o777 == 0o600, path
    listed = at.host.run("ps -eo args").stdout
    assert ENGINE_KEY not in listed and OWN_KEY not in listed


def test_an_empty_folder_has_no_gateway(tmp_path: Path) -> None:
    found = look(LocalHost(), GatewayStateFact(str(tmp_path)))
    assert found == GatewayState("", (), "", None, "", "") and not found.current


def test_nginx_is_found_or_not() -> None:
    fact = NginxFact()
    assert fact.parse("@@ program\n@@ version\n@@ perl\n@@ end\n") == Nginx("", "", "")
    said = "@@ program\n/usr/sbin/nginx\n@@ version\nnginx version: nginx/1.18.0 (Ubuntu)\n@@ perl\n@@ end\n"
    assert not fact.parse(said).usable and fact.parse(said).version == "1.18.0"


def test_an_engine_is_waited_for_until_its_last_stream_has_ended() -> None:
    with Engine(pieces=20, allowed=19).running() as slow, gateway(slow.port) as live:
        began, out = threading.Barrier(4), list[bytes]()
        threads = streams(live, 3, OWN_KEY, began, out)
        began.wait(60)
        live.plan = replace(live.plan, upstream=None)
        live.up()
        assert look(live.host, OpenConnectionsFact(slow.port)) == 3
        said: list[str] = []

        def told(words: str) -> None:
            said.append(words)
            slow.allowed = 20

        assert drained(live.host, slow.port, 0) == 3
        assert drained(live.host, slow.port, 60, say=told) == 0 and "3 requests" in said[0]
        for thread in threads:
            thread.join(60)
        assert [len(re.findall(rb"data: one \d+", got)) for got in out] == [20] * 3
