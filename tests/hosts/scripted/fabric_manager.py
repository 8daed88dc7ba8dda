"""nv-fabricmanager of the scripted machine: it runs while its version is the loaded driver's, and refuses otherwise."""

from __future__ import annotations

import os
import signal
import sys

import hardware


def main(version: str) -> int:
    """Stay up as a daemon does; the fabric is complete while this process lives."""
    if sys.argv[2:] == ["--version"]:
        print(f"Fabric Manager version is : {version}")
        return 0
    loaded = hardware.loaded_driver()
    if not hardware.state().get("nvswitches"):
        print("Pre-condition checks failed: NVSwitch device not detected", file=sys.stderr)
        return 1
    if loaded != version:
        print(
            f"fabric manager NVIDIA GPU driver interface version {version} don't match with driver version "
            f"{loaded}. Please update with matching NVIDIA driver package.",
            file=sys.stderr,
        )
        return 1
    hardware.note("fabric-manager", version)
    hardware.note("fabric-manager.pid", str(os.getpid()))
    print("Successfully configured all the available NVSwitches to route GPU NVLink traffic.", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    hardware.forget("fabric-manager")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
