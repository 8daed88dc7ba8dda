"""What runs inside the pods, run here: the completion probe against an engine's stand-in, and nginx on the pod's files.

The engine is a fake that says so; nginx and its perl module are real, in the folder that the pod would see.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tasks.gateway.plan import PERL_MODULE
from tasks.kubernetes import completion_probe
from tasks.kubernetes.cluster import cluster
from tasks.kubernetes.gateway import KEYS_FILES, START, TLS_FILES
from tasks.kubernetes.gateway_files import gateway_files
from tasks.kubernetes.render import front
from tests.kubernetes.ground import VARIANTS


class Engine(BaseHTTPRequestHandler):
    """Not an engine: it answers one completion as told, /health with 200 always."""

    mode = "answers"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.mode == "hangs":
            time.sleep(5)
            return
        ok = self.headers["Authorization"] == "Bearer k3y" and asked["max_tokens"] == 1 and asked["model"] == "m"
        status = {"dead": 503}.get(self.mode, 200 if ok else 401)
        body = {"usage": {"completion_tokens": 0 if self.mode == "empty" else 1}} if self.mode != "page" else []
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


@pytest.fixture
def engine() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def probe(port: int, key: str = "k3y", seconds: str = "1") -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "VLLM_API_KEY": key, "http_proxy": "http://127.0.0.1:9"}
    words = [sys.executable, "-I", completion_probe.__file__, str(port), seconds, "m"]
    return subprocess.run(words, env=env, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("mode", "key", "exit"),
    [("answers", "k3y", 0), ("hangs", "k3y", 1), ("dead", "k3y", 1), ("empty", "k3y", 1), ("page", "k3y", 1),
     ("answers", "other", 1)],
)  # fmt: skip
def test_only_a_completion_in_time_is_alive(engine: int, monkeypatch: Any, mode: str, key: str, exit: int) -> None:
    monkeypatch.setattr(Engine, "mode", mode)
    began = time.monotonic()
    ran = probe(engine, key)
    assert ran.returncode == exit, ran.stderr
    assert time.monotonic() - began < 20 and key not in ran.stderr


def test_nobody_listening_is_not_alive() -> None:
    ran = probe(9)
    assert ran.returncode == 1 and "no completion" in ran.stderr


@pytest.mark.parametrize("variant", ["one-node", "claim-and-user"])
def test_nginx_takes_the_pod_s_files_as_they_are_mounted(variant: str, tmp_path: Path) -> None:
    """Each mount is copied to its place; only the Service's name is another, which no DNS here knows."""
    if not (shutil.which("nginx") and Path(PERL_MODULE).exists()):
        if os.environ.get("CI"):
            pytest.fail("nginx with its perl module must be installed")
        pytest.skip("nginx with its perl module is not installed")
    asked = VARIANTS[variant]
    asked = asked.model_copy(
        update={"hosts": tuple(host.model_copy(update={"root": str(tmp_path)}) for host in asked.hosts)}
    )
    folder, files = gateway_files(asked, cluster(asked))
    config, deployment, _ = front(asked, cluster(asked))
    secrets = dict.fromkeys((*KEYS_FILES, *TLS_FILES), "")
    if asked.serving.gateway.tls.mode != "off":
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "1",
             "-keyout", tmp_path / "key", "-out", tmp_path / "pem"], check=True, capture_output=True,
        )  # fmt: skip
        secrets |= {"server.key": (tmp_path / "key").read_text(), "server.pem": (tmp_path / "pem").read_text()}
    mounts = deployment["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    for mount in [one for one in mounts if "subPath" in one]:
        text = (config["data"] if mount["name"] == "plain" else secrets)[mount["subPath"]]
        Path(mount["mountPath"]).parent.mkdir(parents=True, exist_ok=True)
        Path(mount["mountPath"]).write_text(text.replace("engine.beachhead.svc", "127.0.0.1"))
    assert {mount["mountPath"] for mount in mounts if "subPath" in mount} >= {f"{folder}/{path}" for path in files}
    ran = subprocess.run(["sh", "-c", f"{START} -t", "gateway", folder], capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0 and "test is successful" in ran.stderr, ran.stderr
    assert (Path(folder) / "access.log").readlink() == Path("/dev/stdout")
