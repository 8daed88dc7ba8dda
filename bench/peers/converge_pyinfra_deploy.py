"""The ten steps in pyinfra's words."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from pyinfra import host  # type: ignore[import-not-found]
from pyinfra.operations import apt, files, server, systemd  # type: ignore[import-not-found]

TEMPLATE = str(Path(__file__).parent / "converge_rsyncd.conf.j2")

apt.packages(
    packages=["libnccl2", "libcudnn9-cuda-13", "nvidia-container-toolkit"], update=True, cache_time=3600, _sudo=True
)
server.group(group="inference", system=True, _sudo=True)
server.user(user="serve", groups=["inference"], append=True, shell="/bin/bash", create_home=True, _sudo=True)
files.directory(path="/srv/models", user="serve", group="inference", mode="750", _sudo=True)
files.template(
    src=TEMPLATE, dest="/etc/rsyncd.conf", user="root", group="root", mode="644", host_title=host.name, _sudo=True
)
files.line(path="/etc/security/limits.conf", line="serve - memlock unlimited", _sudo=True)
files.put(
    src=StringIO("not-a-secret-0123456789\n"),
    dest="/srv/models/token",
    user="serve",
    group="inference",
    mode="600",
    _sudo=True,
)
files.link(path="/srv/current", target="/srv/models", _sudo=True)
server.sysctl(
    key="net.core.somaxconn", value=8192, persist=True, persist_file="/etc/sysctl.d/90-converge.conf", _sudo=True
)
systemd.service(service="rsync.service", running=True, enabled=True, _sudo=True)
