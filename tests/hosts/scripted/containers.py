"""docker, nvidia-ctk and dcgmi of the scripted machine: a container is a note, its commands run on the host itself.

Only what a GPU host's acceptance asks of Docker is scripted; anything else is refused with exit status 64.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import hardware
import nvidia_smi

DAEMON_JSON = "/etc/docker/daemon.json"
CDI = "/etc/cdi/nvidia.yaml"
COMPOSE = "/usr/libexec/docker/cli-plugins/docker-compose"
RELOADED = "/run/scripted-docker-reload"  # touched by a systemd generator at every daemon-reload
Args = list[str]
_SAID = {  # what docker answers without its engine
    "--version": "Docker version 28.5.1, build scripted",
    "-v": "Docker version 28.5.1, build scripted",
    "version --format {{.Client.Version}}": "28.5.1",
    "compose version": "Docker Compose version v2.40.3",
    "compose version --short": "2.40.3",
}


def dockerd(args: Args) -> int:
    """Read daemon.json once, as the engine does at its start, then wait to be stopped."""
    config = {}
    if os.path.exists(DAEMON_JSON):
        with open(DAEMON_JSON) as file:
            config = json.load(file)
    hardware.note("docker", json.dumps(config))
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    hardware.forget("docker")
    return 0


def docker(args: Args) -> int:
    """The few calls that a GPU host's acceptance makes."""
    said = _SAID.get(" ".join(args))
    if said and (args[0] != "compose" or os.path.exists(COMPOSE)):
        print(said)
        return 0
    config = hardware.noted("docker")
    if config is None:
        print(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            file=sys.stderr,
        )
        return 1
    runtimes = json.loads(config).get("runtimes", {})
    if args == ["version", "--format", "{{.Server.Version}}"]:
        print("28.5.1")
        return 0
    if args == ["image", "ls", "-q", "--no-trunc"]:
        print(f"sha256:{'0' * 64}")
        return 0
    if args[:1] == ["info"]:
        return _info(args[1:], runtimes)
    if args[:1] == ["run"]:
        return _run(args[1:], runtimes)
    if args[:1] == ["exec"] and len(args) > 2:
        return _exec(args[1], args[2:])
    if args[:2] in (["rm", "-f"], ["rm", "--force"]) and len(args) == 3:
        hardware.forget(f"container-{args[2]}")
        return 0
    return _refuse("docker", args)


def _info(rest: Args, runtimes: dict[str, object]) -> int:
    names = sorted({"io.containerd.runc.v2", "runc", *runtimes})
    if rest == ["--format", "{{json .Runtimes}}"]:
        print(json.dumps({name: {"path": name} for name in names}))
    elif not rest:
        print(f"Server:\n Server Version: 28.5.1\n Runtimes: {' '.join(names)}\n Default Runtime: runc")
    else:
        return _refuse("docker info", rest)
    return 0


def _run(args: Args, runtimes: dict[str, object]) -> int:
    """`docker run [options] IMAGE COMMAND`: with GPUs asked for, it needs the nvidia runtime or a CDI file."""
    options, words = [], list(args)
    with_value = {"--gpus", "--device", "--name", "--runtime", "--entrypoint"}
    while words and words[0].startswith("-"):
        option = words.pop(0)
        options.append(option if option not in with_value else f"{option}={words.pop(0)}")
    if not words:
        return _refuse("docker run", args)
    by_cdi = any(option.startswith("--device=nvidia.com/gpu") for option in options)
    gpus = by_cdi or any(option.startswith("--gpus") or option == "--runtime=nvidia" for option in options)
    if by_cdi and not os.path.exists(CDI):
        print('docker: Error response from daemon: could not select device driver "cdi".', file=sys.stderr)
        return 125
    if gpus and not by_cdi and "nvidia" not in runtimes:
        print(
            'docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]].',
            file=sys.stderr,
        )
        return 125
    name = next((option.partition("=")[2] for option in options if option.startswith("--name=")), None)
    if "-d" in options and name:
        hardware.note(f"container-{name}", json.dumps({"gpus": gpus, "cdi": by_cdi, "at": time.time()}))
        print("0" * 64)
        return 0
    entry = [option.partition("=")[2] for option in options if option.startswith("--entrypoint=")]
    return _inside([*entry, *words[1:]], gpus)


def _exec(name: str, command: Args) -> int:
    noted = hardware.noted(f"container-{name}")
    if noted is None:
        print(f"Error response from daemon: No such container: {name}", file=sys.stderr)
        return 1
    box: dict[str, float] = json.loads(noted)
    if box["gpus"] and not box["cdi"] and os.path.exists(RELOADED) and os.path.getmtime(RELOADED) > box["at"]:
        print("Failed to initialize NVML: Unknown Error")  # NVIDIA/nvidia-container-toolkit#48
        return 255
    return _inside(command, bool(box["gpus"]))


def _inside(command: Args, gpus: bool) -> int:
    if command[:1] == ["nvidia-smi"] and gpus:
        return nvidia_smi.main(command[1:])
    if command[:1] == ["nvidia-smi"]:
        print('exec: "nvidia-smi": executable file not found in $PATH', file=sys.stderr)
        return 127
    return _refuse("docker run", command)


def nvidia_ctk(args: Args) -> int:
    """`nvidia-ctk runtime configure --runtime=docker` and `nvidia-ctk cdi generate`."""
    if args in (["--version"], ["-v"]):
        print("NVIDIA Container Toolkit CLI version 1.18.0")
        return 0
    if args[:2] == ["runtime", "configure"] and {"--runtime=docker"} == set(args[2:]):
        config = {}
        if os.path.exists(DAEMON_JSON):
            with open(DAEMON_JSON) as file:
                config = json.load(file)
        config.setdefault("runtimes", {})["nvidia"] = {"args": [], "path": "nvidia-container-runtime"}
        os.makedirs("/etc/docker", exist_ok=True)
        with open(DAEMON_JSON, "w") as file:
            json.dump(config, file, indent=4)
        print('level=info msg="It is recommended that docker daemon be restarted."', file=sys.stderr)
        return 0
    if args[:2] == ["cdi", "generate"] and args[2:] == [f"--output={CDI}"]:
        os.makedirs("/etc/cdi", exist_ok=True)
        with open(CDI, "w") as file:
            file.write("cdiVersion: 0.5.0\nkind: nvidia.com/gpu\n")
        return 0
    return _refuse("nvidia-ctk", args)


def dcgmi(args: Args) -> int:
    """`dcgmi diag -r LEVEL -j` passes unless the state names a failing test."""
    if args == ["--version"]:
        print("\ndcgmi  version: 4.4.1\n")
        return 0
    if args[:2] != ["diag", "-r"] or "-j" not in args:
        return _refuse("dcgmi", args)
    failing = hardware.state().get("dcgm_fails", {})
    tests = [
        {"name": name, "results": [{"gpu_ids": "0", "status": "Fail" if name in failing else "Pass"}]}
        for name in ("software", "pcie", "memory")
    ]
    print(json.dumps({"DCGM Diagnostic": {"test_categories": [{"category": "scripted", "tests": tests}]}}))
    return 1 if failing else 0


def _refuse(name: str, args: Args) -> int:
    print(f"{name}: not scripted on this test host: {' '.join(args)}", file=sys.stderr)
    return 64


TOOLS = {"dockerd": dockerd, "docker": docker, "nvidia-ctk": nvidia_ctk, "dcgmi": dcgmi}

if __name__ == "__main__":
    sys.exit(TOOLS[sys.argv[1]](sys.argv[2:]))
