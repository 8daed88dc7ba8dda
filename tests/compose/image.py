"""Local images for tests: Debian with Python and what vLLM's CPU build links to, and one with nginx and its perl.

vLLM itself is not in the image: its environment is mounted read-only at its own path, as weights are.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.compose.tools import alone
from tests.hosts.docker import EngineError, docker

SUITE = "bookworm"
ENGINE = ("python3", "libnuma1", "libgomp1", "procps")
NGINX = ("nginx-light", "libnginx-mod-http-perl")


def engine_image() -> str:
    """Debian 12 with Python 3.11 and vLLM's system libraries (some 40 s at the first call)."""
    return _image("beachhead-test-engine", ENGINE)


def nginx_image() -> str:
    """Debian 12 with nginx and its perl module."""
    return _image("beachhead-test-nginx", NGINX)


def _image(name: str, packages: tuple[str, ...]) -> str:
    recipe = hashlib.sha256("\0".join([SUITE, *packages]).encode()).hexdigest()[:12]
    image = f"{name}:{recipe}"
    with alone(name):
        if not docker("images", "-q", image):
            _build(image, packages)
    return image


def _build(image: str, packages: tuple[str, ...]) -> None:
    if not shutil.which("mmdebstrap"):
        raise EngineError("mmdebstrap is not installed: apt-get install mmdebstrap")
    asked = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", SUITE, "-"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as strap:
        taken = subprocess.run(["docker", "import", "-", image], stdin=strap.stdout, capture_output=True)
        said = strap.stderr.read().decode() if strap.stderr else ""
    if strap.returncode != 0 or taken.returncode != 0:
        docker("rmi", "--force", image, check=False)
        raise EngineError(f"mmdebstrap or docker import failed: {said[-1500:]} {taken.stderr.decode()[-500:]}")


def python_mounts(python: Path) -> tuple[str, ...]:
    """What an environment's interpreter needs in a container, at the same paths: the environment and its base."""
    base = python.resolve().parent.parent
    environment = str(python.parent.parent)
    return (environment,) if base == Path("/usr") else (environment, str(base))
