"""The ten steps of the bench as operations; the peers' files in bench/peers/converge_* say the same in their words."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Template

from bench.converge_states import Group, Link
from tasks.operations.base import Operation
from tasks.operations.directory import Directory
from tasks.operations.file_content import FileContent, LineInFile
from tasks.operations.packages import Packages
from tasks.operations.sysctl import Sysctl
from tasks.operations.systemd_service import SystemdService
from tasks.operations.user_account import UserAccount

TEMPLATE = Path(__file__).parent / "peers" / "converge_rsyncd.conf.j2"
TOKEN = "not-a-secret-0123456789\n"
STEPS = (
    ("packages", "libnccl2, libcudnn9-cuda-13 and nvidia-container-toolkit are installed"),
    ("group", "the system group `inference` exists"),
    ("user", "the user `serve` exists, in that group, with a shell and a home"),
    ("folder", "/srv/models belongs to serve, mode 0750"),
    ("template", "/etc/rsyncd.conf is made from a template that names the host"),
    ("line", "/etc/security/limits.conf lets serve lock memory"),
    ("private file", "/srv/models/token belongs to serve, mode 0600"),
    ("link", "/srv/current leads to /srv/models"),
    ("sysctl", "net.core.somaxconn is 8192, now and after a boot"),
    ("service", "rsync runs and is enabled"),
)
READY = "; ".join(
    (
        "mount -o remount,rw /proc/sys",  # a container's is read-only
        "touch -d '2 days ago' /var/lib/apt/lists",  # the image is young, and its lists are empty
        "install -d -o ops /opt/beachhead",  # where our journal goes
    )
)
SEEN = """
dpkg-query -W -f '${Status}\\n' libnccl2 libcudnn9-cuda-13 nvidia-container-toolkit | sort | uniq -c | sed 's/^ *//'
getent group inference | cut -d: -f1; id -nG serve; getent passwd serve | cut -d: -f6,7
stat -c '%n %F %U %a' /srv/models /srv/models/token; readlink /srv/current; cat /srv/models/token
grep -c '^path = /srv/models$' /etc/rsyncd.conf; grep -c "^# $(hostname)$" /etc/rsyncd.conf
grep -c '^serve - memlock unlimited$' /etc/security/limits.conf
cat /proc/sys/net/core/somaxconn; tr -d ' ' < /etc/sysctl.d/90-converge.conf
systemctl is-active rsync; systemctl is-enabled rsync
"""  # what a person would look at, whichever tool was here
EXPECTED = f"""3 install ok installed
inference
serve inference
/home/serve:/bin/bash
/srv/models directory serve 750
/srv/models/token regular file serve 600
/srv/models
{TOKEN}1
1
1
8192
net.core.somaxconn=8192
active
enabled"""


def operations(name: str) -> list[Operation]:
    """The ten steps on the host called `name`."""
    text = Template(TEMPLATE.read_text(encoding="utf-8"), keep_trailing_newline=True).render(host_title=name)
    return [
        Packages(("libnccl2", "libcudnn9-cuda-13", "nvidia-container-toolkit")),
        Group("inference"),
        UserAccount("serve", groups=("inference",), shell="/bin/bash"),
        Directory("/srv/models", owner="serve:inference", mode="0750"),
        FileContent("/etc/rsyncd.conf", text),
        LineInFile("/etc/security/limits.conf", "serve - memlock unlimited"),
        FileContent("/srv/models/token", TOKEN, owner="serve:inference", mode="0600"),
        Link("/srv/current", "/srv/models"),
        Sysctl("converge", {"net.core.somaxconn": "8192"}),
        SystemdService("rsync.service"),
    ]
