"""What the machine is: operating system, processor, memory, boot."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.base import NotUnderstood


@dataclass(frozen=True, slots=True)
class Machine:
    """A host as it is now."""

    os: str  # PRETTY_NAME of /etc/os-release
    kernel: str
    arch: str
    cores: int
    ram_mib: int
    boot_id: str
    uid: int
    cpu_flags: frozenset[str]  # of the first processor

    @property
    def amx(self) -> bool:
        """Whether vLLM's CPU kernels may use AMX tiles (they decide on chunked prefill and prefix caching too)."""
        return "amx_tile" in self.cpu_flags


@dataclass(frozen=True)
class MachineFact:
    """The host's Machine.

    Sample: "os=Debian GNU/Linux 12 (bookworm)\\nkernel=6.18.44\\narch=x86_64\\ncores=2\\nram_kib=24648240\\n
    boot_id=1f0c…\\nuid=0\\nflags= fpu vme … avx512f"
    """

    command: str = (
        ". /etc/os-release 2>/dev/null; echo os=${PRETTY_NAME:-$(uname -s)}; echo kernel=$(uname -r); "
        "echo arch=$(uname -m); echo cores=$(getconf _NPROCESSORS_ONLN); "
        "echo ram_kib=$(sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo); "
        "echo boot_id=$(cat /proc/sys/kernel/random/boot_id); echo uid=$(id -u); "
        "echo flags=$(sed -n 's/^flags[^:]*://p' /proc/cpuinfo | head -n 1)"
    )

    def parse(self, stdout: str) -> Machine:
        """Read the `key=value` lines."""
        fields = dict(line.split("=", 1) for line in stdout.splitlines() if "=" in line)
        try:
            return Machine(
                os=fields["os"],
                kernel=fields["kernel"],
                arch=fields["arch"],
                cores=int(fields["cores"]),
                ram_mib=int(fields["ram_kib"]) // 1024,
                boot_id=fields["boot_id"],
                uid=int(fields["uid"]),
                cpu_flags=frozenset(fields["flags"].split()),
            )
        except (KeyError, ValueError):
            raise NotUnderstood(self, stdout) from None
