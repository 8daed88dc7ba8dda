"""Headers of every kernel that the host can start, so that modules can be built for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.kernel_modules import KernelModuleFact
from tasks.facts.secure_boot import SecureBootFact
from tasks.hosts import CommandFailed, Host, HostError
from tasks.operations.base import Step
from tasks.operations.packages import Packages


class SecureBootUnknown(HostError):
    """It could not be found out whether the firmware refuses unsigned modules."""


def enforces_secure_boot(host: Host) -> bool:
    """Whether an unsigned module would not load; raises SecureBootUnknown rather than guess."""
    try:
        return look(host, SecureBootFact()).enforced
    except CommandFailed as failed:
        raise SecureBootUnknown(
            f"it can't be told whether Secure Boot is on: {failed.ran.stderr.strip() or failed.what}",
            where=host.name,
            fix="install mokutil on the host; without its answer no driver is installed",
        ) from failed


@dataclass(frozen=True)
class KernelHeaders:
    """Every kernel with an image in /boot has its headers, where the driver is built on the host.

    `build` as in stack.driver.build; signed modules need no headers.
    """

    build: str = "auto"

    @property
    def name(self) -> str:
        """For a person."""
        return "kernel headers"

    def plan(self, host: Host) -> Iterator[Step]:
        """One apt call for all that lack them."""
        if self.build == "signed":
            return
        bare = [k.kernel for k in look(host, KernelModuleFact()) if k.bootable and not k.has_headers]
        if bare and not (self.build == "auto" and enforces_secure_boot(host)):
            yield from Packages(tuple(f"linux-headers-{kernel}" for kernel in bare)).plan(host)
