"""What the installed huggingface_hub and openai take, as tasks/engines/recorded/ has it.

`python -m tests.recorded.client_libraries` writes the two recordings again.
"""

import inspect
import json
import re
from datetime import UTC, datetime
from importlib.metadata import distribution, version
from typing import Any

from tasks.facts.engine_options import RECORDED

HF_TRIALS = (
    ("hf", "download", "moonshotai/Kimi-K2-Thinking", "--local-dir", "/data/models/kimi-k2-thinking-int4"),
    ("hf", "download", "moonshotai/Kimi-K2-Thinking", "--local-dir-use-symlinks", "False"),
    ("hf", "download", "moonshotai/Kimi-K2-Thinking", "--revision", "0" * 40),
    ("hf", "login"),
    ("hf", "auth", "login"),
    ("hf", "cache", "verify", "moonshotai/Kimi-K2-Thinking", "--fail-on-missing-files"),
)
OPENAI_NAMES = ("api_base", "api_key", "base_url", "ChatCompletion.create", "OpenAI", "OpenAI.chat.completions.create")


def _hf_trial(words: tuple[str, ...]) -> dict[str, Any]:
    """Parsed by hf's own commands, and not run."""
    import click
    from huggingface_hub.cli.hf import app

    context = click.Context(app, info_name=words[0])
    command, rest = app, list(words[1:])
    try:
        while isinstance(command, click.Group):
            name, found, rest = command.resolve_command(context, rest)
            assert found is not None
            command, context = found, click.Context(found, info_name=name, parent=context)
        command.make_context(context.info_name, rest, parent=context.parent)
    except click.UsageError as refused:
        return {"words": list(words), "taken": False, "said": refused.format_message().splitlines()[0]}
    return {"words": list(words), "taken": True, "said": ""}


def hub() -> dict[str, Any]:
    """Commands and the guide's words; the listing of an installed distribution's scripts names no path."""
    scripts = [e.name for e in distribution("huggingface_hub").entry_points if e.group == "console_scripts"]
    return {"scripts": sorted(scripts), "trials": [_hf_trial(words) for words in HF_TRIALS]}


def openai() -> dict[str, Any]:
    """For each name: is it there, which parameters has it, what does a call raise."""
    import openai as library

    client: Any = library.OpenAI(api_key="none", base_url="http://127.0.0.1:9/v1")
    told: dict[str, Any] = {}
    for name in OPENAI_NAMES:
        first, _, rest = name.partition(".")
        one: Any = client if first == "OpenAI" and rest else getattr(library, first, None)
        for step in rest.split(".") if rest else ():
            one = getattr(one, step)
        entry: dict[str, Any] = {"there": hasattr(library, first)}
        if name == "ChatCompletion.create":
            entry["raises"] = _raised(one)
        elif callable(one):
            entry["parameters"] = sorted(set(inspect.signature(one).parameters) - {"self"})
        told[f"openai.{name}"] = entry
    return {"names": told}


def _raised(call: Any) -> str:
    """The error's name and first sentence."""
    try:
        call(model="/models", messages=[])
    except Exception as error:
        first = re.split(r" - |\n", str(error).strip())[0]
        return f"{type(error).__name__}: {first}"
    return ""


LIBRARIES = {"huggingface-hub": hub, "openai": openai}


def main() -> None:
    for name, look in LIBRARIES.items():
        about = {
            "version": version(name),
            "recorded_on": f"{datetime.now(UTC):%Y-%m-%d}",
            "how": f"asked {name} itself",
        }
        rows = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in {**about, **look()}.items()]
        file = RECORDED / f"{name}-{version(name)}.json"
        file.write_text("{" + ",\n".join(rows) + "}\n", encoding="utf-8")
        print(file, file.stat().st_size)


if __name__ == "__main__":
    main()
