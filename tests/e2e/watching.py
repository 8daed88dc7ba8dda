"""Every command line that any process of this machine had while the tests ran: `ps` shows them to everybody."""

import threading
from contextlib import suppress
from pathlib import Path


class CommandLines(threading.Thread):
    """Reads /proc/*/cmdline a few times a second until told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[str] = set()
        self._stop_now = threading.Event()

    def run(self) -> None:
        while not self._stop_now.wait(0.2):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    self.seen.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    def so_far(self) -> set[str]:
        """A copy: the thread goes on adding."""
        while True:
            with suppress(RuntimeError):  # it grew meanwhile
                return set(self.seen)

    def stop(self) -> None:
        self._stop_now.set()
        self.join(5)
