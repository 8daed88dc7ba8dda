"""The `stack:` block of a host: which drivers, libraries and container engine Beachhead puts there, and from where.

Without the block nothing of this is touched: the host's own image brings it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from inventories.strict import Name, Strict

PackageName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]
PackageVersion = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+:~-]*\*?$", description="dpkg's; a * at the end stands for the rest")
]
DriverVersion = Annotated[str, Field(pattern=r"^\d{3}\.\d{1,3}(\.\d{2})?$")]
Uri = Annotated[str, Field(pattern=r"^(https?|file):/[^\s@\[\]]+$", description="no user or password in it")]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
User = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
AbsolutePath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/@+-]*$")]
ImageByDigest = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-zA-Z0-9._:/-]*@sha256:[0-9a-f]{64}$", description="name@sha256:…, never a tag")
]
SysctlKey = Annotated[str, Field(pattern=r"^[a-z0-9][a-zA-Z0-9_./-]*$")]
SysctlValue = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/:-]*$")]


class AptSource(Strict):
    """A repository of Debian packages: NVIDIA's, Docker's, or a mirror of them on this site."""

    name: Name
    uri: Uri
    suite: Word = Field(description="a flat repository's ends in /")
    components: tuple[Word, ...] = ()
    key: str = Field(min_length=1, description="file here that holds the repository's armoured public key")

    @model_validator(mode="after")
    def _flat_or_with_components(self) -> AptSource:
        if self.suite.endswith("/") == bool(self.components):
            raise ValueError("a suite that ends in / has no components, and any other has at least one")
        return self


class Driver(Strict):
    """Which NVIDIA driver; what is left out is chosen by rule, and the reason is shown."""

    branch: int | None = Field(None, ge=400, le=999, description="580; absent: what the engine's CUDA needs")
    version: DriverVersion | None = Field(None, description="exactly this one: 580.159.03")
    kernel_module: Literal["auto", "open", "proprietary"] = "auto"
    build: Literal["auto", "dkms", "signed"] = Field(
        "auto", description="dkms builds it on the host; signed is the distribution's own, which Secure Boot accepts"
    )
    server: bool = Field(True, description="the data-centre packages, nvidia-…-580-server")

    @model_validator(mode="after")
    def _version_is_of_the_branch(self) -> Driver:
        if self.version and self.branch and self.version.split(".")[0] != str(self.branch):
            raise ValueError(f"version {self.version} is not of branch {self.branch}")
        return self

    @property
    def declared_branch(self) -> int | None:
        """The branch, or the version's."""
        return self.branch or (int(self.version.split(".")[0]) if self.version else None)


class Containers(Strict):
    """Docker, and how containers get the GPUs."""

    engine: Literal["docker-ce", "docker.io"] = Field(
        "docker-ce", description="Docker's packages, or the distribution's"
    )
    gpus_by: Literal["runtime", "cdi"] = Field(
        "cdi", description="a runtime loses the GPUs at systemctl daemon-reload (NVIDIA/nvidia-container-toolkit#48)"
    )
    probe_image: ImageByDigest | None = Field(
        None, description="small image in which nvidia-smi is tried; needed where the host has GPUs"
    )


class Limits(Strict):
    """What login sessions of the host's user may use."""

    # vLLM raises its own soft limit to 65535 (set_ulimit in vllm/utils), so the hard one must allow that
    open_files: int = Field(65535, ge=1024)
    locked_memory: Literal["unlimited"] | int = Field(
        "unlimited", description="KiB; NCCL's guide asks for unlimited where InfiniBand is used"
    )


class Stack(Strict):
    """What one host is to have below the engine."""

    repositories: tuple[AptSource, ...] = ()
    packages: tuple[PackageName, ...] = Field(
        ("ca-certificates", "python3-venv"),
        description="further packages; Ubuntu's python3 can't make environments alone",
    )
    versions: dict[PackageName, PackageVersion] = Field(
        default_factory=dict, description="exact versions of packages, by name"
    )
    driver: Driver = Driver()
    cuda_toolkit: str | None = Field(
        None, pattern=r"^\d+\.\d+$", description="13.0; FlashInfer compiles with it, images bring their own"
    )
    cudnn: bool = False
    nccl: bool = False
    containers: Containers | None = None
    sysctl: dict[SysctlKey, SysctlValue] = Field(default_factory=dict)
    limits: Limits | None = Limits()
    models_mount: AbsolutePath | None = Field(None, description="mount point that the host's root must lie on")
    models_room_gib: float = Field(0, ge=0, description="room below the host's root in all; 0: the fetch alone asks")
    hold_packages: bool = Field(True, description="keep driver and kernel packages from being upgraded behind our back")

    @field_validator("repositories")
    @classmethod
    def _names_differ(cls, value: tuple[AptSource, ...]) -> tuple[AptSource, ...]:
        if len({source.name for source in value}) != len(value):
            raise ValueError("repository names must differ")
        return value
