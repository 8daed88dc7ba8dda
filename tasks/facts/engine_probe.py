"""What the engine's own code on the host says when it is asked without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.facts.base import NotUnderstood, script
from tasks.facts.engine_log import fatal_line


@dataclass(frozen=True, slots=True)
class Probed:
    """`message` is the engine's own reason where it refused; `tokens` what it generated."""

    accepted: bool
    message: str
    tokens: int
    version: str


@dataclass(frozen=True)
class EngineProbe:
    """The answer of tasks/remote/engine_probe.py to one `verb`: flags, budget or load.

    Sample: {"accepted": false, "message": "argument --dtype: invalid choice: 'int4' …", "tokens": 0, "version": …}
    behind whatever the engine logs.
    """

    python: str
    verb: str
    model_dir: str
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """Both streams together: the reason for a failed start stands in the log of a child process."""
        env = {**self.env, "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
        words = " ".join(f"{name}={value}" for name, value in sorted(env.items()))
        rest = ("--", *self.arguments) if self.arguments else ()
        return f"env {words} {script(self.python, 'engine_probe.py', self.verb, self.model_dir, *rest)} 2>&1"

    def parse(self, stdout: str) -> Probed:
        """The last JSON line, and the log's own reason where the line only points at it."""
        for line in reversed(stdout.splitlines()):
            if line.startswith('{"accepted"'):
                try:
                    probed = Probed(**json.loads(line))
                except (ValueError, TypeError):
                    break
                if not probed.accepted and (cause := fatal_line(stdout.replace(line, ""))):
                    return Probed(False, cause, 0, probed.version)
                return probed
        raise NotUnderstood(self, stdout[-600:])
