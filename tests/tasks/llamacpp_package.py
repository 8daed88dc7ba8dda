"""Debian's llama.cpp, unpacked beside the system with the C library that it needs; nothing is installed.

The package is in Debian unstable alone.  Its list and 10 packages (13 MB) come from this machine's own Debian mirror,
by apt with a state of its own.
"""

import shlex
import subprocess
from pathlib import Path

NAMES = [
    "libgcc-s1",
    "libc6",
    "zlib1g",
    "libgomp1",
    "libstdc++6",
    "libggml0",
    "libzstd1",
    "libssl3t64",
    "libllama0",
    "llama.cpp-tools",
]
LIBRARIES = "usr/lib/x86_64-linux-gnu"


class NotHere(Exception):
    """No Debian mirror, or no such package there."""


def run(command: list[str], folder: Path, timeout: float = 240) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or ""
        raise NotHere(f"{shlex.join(command)}: {error} {said[-400:]}") from None
    return done.stdout


def llama_server(folder: Path) -> Path:
    """A script that runs llama-server with its own loader; raises NotHere."""
    sites = run(["apt-get", "indextargets", "--format", "$(SITE)", "Origin: Debian", "Identifier: Packages"], folder)
    if not sites.strip():
        raise NotHere("apt knows no Debian mirror")
    (folder / "sid.sources").write_text(
        f"Types: deb\nURIs: {sites.split()[0]}\nSuites: sid\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
    for each in ("lists/partial", "cache/archives/partial", "debs", "root"):
        (folder / each).mkdir(parents=True)
    (folder / "status").touch()
    state = {"Dir::Etc::sourcelist": folder / "sid.sources", "Dir::Etc::sourceparts": "/dev/null",
             "Dir::State::lists": folder / "lists", "Dir::Cache": folder / "cache",
             "Dir::State::status": folder / "status", "APT::Get::List-Cleanup": "0",
             "APT::Sandbox::User": "root"}  # fmt: skip
    apt = ["apt-get", "-q", *(word for key, value in state.items() for word in ("-o", f"{key}={value}"))]
    run([*apt, "update"], folder)
    run([*apt, "download", *NAMES], folder / "debs")
    for package in sorted((folder / "debs").glob("*.deb")):
        run(["dpkg", "-x", str(package), str(folder / "root")], folder)
    return script(folder / "root")


def script(root: Path) -> Path:
    """Its loader by name, so that nothing of the system's older C library is used."""
    libraries = root / LIBRARIES
    backend = libraries / "ggml" / "backends0" / f"libggml-cpu-{'haswell' if avx2() else 'x64'}.so"
    file, binary = root / "llama-server", shlex.quote(str(root / "usr/bin/llama-server"))
    file.write_text(
        f"#!/bin/sh\nexport GGML_BACKEND_PATH={shlex.quote(str(backend))}\n"
        f"exec {shlex.quote(str(root / 'usr/lib64/ld-linux-x86-64.so.2'))} --argv0 llama-server "
        f"--library-path {shlex.quote(f'{libraries}:{libraries}/llama')} {binary} "
        '"$@"\n'
    )
    file.chmod(0o755)
    return file


def avx2() -> bool:
    return " avx2 " in Path("/proc/cpuinfo").read_text()
