"""The packages of the loopback repository: NVIDIA's and Docker's names and versions, small scripted contents.

Names and relations are those of Ubuntu 24.04 (sources nvidia-graphics-drivers-580-server and fabric-manager-580, as
packages.ubuntu.com shows them) and of NVIDIA's own repositories.  Two versions of each driver package are there, so
that upgrades, holds and mismatches are the package manager's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OLD, NEW = "580.159.03", "580.173.02"
BRANCH_570 = "570.211.01"
REVISION = "-0ubuntu0.24.04.1"
KERNEL, NEXT_KERNEL = "6.8.0-60-generic", "6.8.0-62-generic"
CODE = "/usr/lib/scripted-nvidia"


@dataclass(frozen=True, slots=True)
class Package:
    """One binary package: control fields, files (a path ending in / is a folder) and maintainer scripts."""

    name: str
    version: str
    depends: str = ""
    provides: str = ""
    conflicts: str = ""
    files: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)


def called(module: str, name: str | None = None) -> str:
    """A command that runs `module` by its own path, with `name` as the first argument where one is given."""
    first = f" {name}" if name else ""
    return f'#!/bin/sh\nPYTHONPATH={CODE} exec python3 -S {CODE}/{module}.py{first} "$@"\n'


def catalog() -> list[Package]:
    """Every package, oldest version first."""
    drivers = [p for v in (BRANCH_570, OLD, NEW) for p in _driver(v)]
    return [*_kernels(), *drivers, *_toolkits(), *_compilers(), *_docker(), *_odd()]


def _compilers() -> list[Package]:
    """For the interpreter of the image, which is Debian 12's."""
    return [
        Package("g++", "4:13.2.0-7ubuntu1", files={"/usr/bin/g++": "#!/bin/sh\necho scripted\n"}),
        Package("python3.11-dev", "3.11.2-6", files={"/usr/include/python3.11/Python.h": "/* scripted */\n"}),
    ]


def _kernels() -> list[Package]:
    found = []
    for kernel in (KERNEL, NEXT_KERNEL):
        short = kernel.removesuffix("-generic")
        image = {f"/boot/vmlinuz-{kernel}": "scripted\n", f"/lib/modules/{kernel}/modules.order": ""}
        image[f"/lib/modules/{kernel}/modules.builtin"] = ""
        hooks = (
            f"depmod {kernel} 2>/dev/null\nrun-parts --arg={kernel} /etc/kernel/postinst.d\nupdate-initramfs -u -k all"
        )
        due = "mkdir -p /run; echo '*** System restart required ***' >/run/reboot-required"
        found += [
            Package(f"linux-image-{kernel}", f"{short}.63", files=image, scripts={"postinst": f"{hooks}\n{due}"}),
            Package(f"linux-headers-{kernel}", f"{short}.63", files={f"/lib/modules/{kernel}/build/": ""},
                    scripts={"postinst": "run-parts /etc/kernel/postinst.d"}),
            Package("linux-headers-generic", f"{short}.61", f"linux-headers-{kernel}"),
            Package("linux-image-generic", f"{short}.61", f"linux-image-{kernel}"),
        ]  # fmt: skip
    return found


def _sole(
    role: str,
    name: str,
    version: str,
    depends: str = "",
    *,
    provides: str = "",
    files: dict[str, str] | None = None,
    scripts: dict[str, str] | None = None,
) -> Package:
    """A package of which only one branch can be installed at a time: it provides its role and conflicts with it."""
    provided = f"{provides}, {role}" if provides else role
    return Package(name, version, depends, provided, role, files or {}, scripts or {})


def _driver(version: str) -> list[Package]:
    """One driver version, open and proprietary, with the branch's own fabric manager."""
    branch, full = version.split(".")[0], version + REVISION
    exact = f"(= {full})"
    server = f"{branch}-server"
    common = f"nvidia-kernel-common-{server}"
    library = f"/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.{version}"
    utils = {"/usr/bin/nvidia-smi": called("nvidia_smi")}
    service = _unit("/usr/bin/nv-fabricmanager", "NVIDIA fabric manager service")
    fabric = {"/usr/bin/nv-fabricmanager": called("fabric_manager", version),
              "/usr/lib/systemd/system/nvidia-fabricmanager.service": service}  # fmt: skip
    nvml = f"libnvidia-compute-{server}"
    found = [
        _sole("nvidia-kernel-common", common, full, provides=f"{common}-{version}"),
        _sole("libnvidia-compute", nvml, full, common, files={library: "scripted\n"}),
        _sole("nvidia-utils", f"nvidia-utils-{server}", full, f"{nvml} {exact}", files=utils),
        _sole("nvidia-compute-utils", f"nvidia-compute-utils-{server}", full, f"{nvml} {exact}"),
        _sole("nvidia-fabricmanager", f"nvidia-fabricmanager-{branch}", full, f"{common}-{version}", files=fabric,
              scripts={"postinst": "systemctl daemon-reload || true"}),
    ]  # fmt: skip
    for variant in ("-open", ""):
        found += _variant(version, full, server, variant)
    return found


def _variant(version: str, full: str, server: str, variant: str) -> list[Package]:
    exact = f"(= {full})"
    source = {f"/usr/src/nvidia-{version}/dkms.conf": "PACKAGE_NAME=nvidia\n"}
    if variant:
        source["/usr/share/scripted-nvidia/open"] = ""
    build = "echo 'Building for all kernels'\ndkms autoinstall\nupdate-initramfs -u -k all\n"
    build += "echo '*** System restart required ***' >/run/reboot-required"
    needs = f"dkms, nvidia-kernel-source-{server}{variant} {exact}, nvidia-kernel-common-{server}-{version}"
    user = f"libnvidia-compute-{server} {exact}, nvidia-utils-{server} {exact}, nvidia-compute-utils-{server} {exact}"
    signed = f"linux-modules-nvidia-{server}{variant}"
    either = f"nvidia-dkms-{server}{variant} {exact} | {signed}-{KERNEL}"
    tree = f"/lib/modules/{KERNEL}/kernel/nvidia-{server.replace('-server', 'srv')}{variant}"
    place = f"import dkms; dkms.write_module('{tree}/nvidia.ko', '{version}', '{KERNEL}')"
    write = f"mkdir -p {tree}\npython3 -S -c \"import sys; sys.path.insert(0, '{CODE}'); {place}\"\ndepmod {KERNEL}"
    return [
        _sole("nvidia-kernel-source", f"nvidia-kernel-source-{server}{variant}", full,
              f"nvidia-kernel-common-{server}-{version}", files=source),
        Package(f"nvidia-dkms-{server}{variant}", full, needs, scripts={"postinst": build, "prerm": "dkms remove"}),
        Package(f"{signed}-{KERNEL}", f"6.8.0-60.63+{version}", f"nvidia-kernel-common-{server}-{version}",
                scripts={"postinst": write}),
        Package(f"nvidia-driver-{server}{variant}", full, f"{user}, {either}"),
        Package(f"nvidia-headless-{server}{variant}", full, f"{user}, {either}"),
    ]  # fmt: skip


def _toolkits() -> list[Package]:
    nvcc = "#!/bin/sh\necho 'Cuda compilation tools, release 13.0, V13.0.88'\n"
    return [
        Package("dkms", "3.0.11-1ubuntu13", files={"/usr/sbin/dkms": called("dkms"),
                "/etc/kernel/postinst.d/dkms": "#!/bin/sh\nexec dkms autoinstall\n"}),
        Package("cuda-drivers", f"{OLD}-1", "nvidia-driver-580-server-open"),
        Package("cuda-toolkit-13-0", "13.0.1-1", files={"/usr/local/cuda-13.0/bin/nvcc": nvcc,
                "/usr/local/cuda-13.0/version.json": '{"cuda": {"name": "CUDA SDK", "version": "13.0.1"}}\n'}),
        Package("libcudnn9-cuda-13", "9.13.0.50-1"),
        Package("libnccl2", "2.27.7-1+cuda13.0"),
        Package("libnccl2", "2.28.3-1+cuda13.0"),
        Package("datacenter-gpu-manager-4-core", "1:4.4.1-1", files={"/usr/bin/dcgmi": called("containers", "dcgmi")}),
        Package("datacenter-gpu-manager-4-cuda13", "1:4.4.1-1", "datacenter-gpu-manager-4-core"),
        Package("libnvidia-container1", "1.18.0-1"),
        Package("nvidia-container-toolkit-base", "1.18.0-1",
                files={"/usr/bin/nvidia-ctk": called("containers", "nvidia-ctk"),
                       "/usr/bin/nvidia-container-runtime": "#!/bin/sh\nexit 64\n"}),
        Package("nvidia-container-toolkit", "1.18.0-1", "nvidia-container-toolkit-base, libnvidia-container1"),
    ]  # fmt: skip


def _docker() -> list[Package]:
    engine = {
        "/usr/bin/docker": called("containers", "docker"),
        "/usr/bin/dockerd": called("containers", "dockerd"),
        "/usr/lib/systemd/system/docker.service": _unit("/usr/bin/dockerd", "Docker Application Container Engine"),
        "/usr/lib/systemd/system-generators/scripted-docker": "#!/bin/sh\ntouch /run/scripted-docker-reload\n",
    }
    up = {"postinst": "systemctl daemon-reload; systemctl enable --now docker.service || true"}
    plugin = {"/usr/libexec/docker/cli-plugins/docker-compose": called("containers", "docker")}
    return [
        Package("containerd.io", "1.7.28-1~ubuntu.24.04~noble"),
        Package("docker-ce", "5:28.5.1-1~ubuntu.24.04~noble", "containerd.io", files=engine, scripts=up),
        Package("docker-ce-cli", "5:28.5.1-1~ubuntu.24.04~noble"),
        Package("docker-compose-plugin", "2.40.3-1~ubuntu.24.04~noble", files=plugin),
    ]  # fmt: skip


def _odd() -> list[Package]:
    """Packages for faults alone: one whose configuration fails, and one that takes its time."""
    fails = "if [ -e /var/lib/scripted-nvidia/postinst-fails ]; then echo 'scripted failure' >&2; exit 1; fi"
    return [
        Package("scripted-fragile", "1.0", scripts={"postinst": fails}),
        Package("scripted-slow", "1.0", scripts={"postinst": "sleep 20"}),
    ]


def _unit(command: str, title: str) -> str:
    return (
        f"[Unit]\nDescription={title}\nAfter=network.target\n\n[Service]\nType=simple\nExecStart={command}\n"
        "Restart=no\n\n[Install]\nWantedBy=multi-user.target\n"
    )
