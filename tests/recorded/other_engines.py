"""Makes the recordings of SGLang's, llama.cpp's and TGI's options, in the shape of tasks/facts/engine_options.py.

python tests/recorded/other_engines.py sglang          with a Python that has sglang's files (no GPU is needed)
python tests/recorded/other_engines.py llamacpp llama-server
python tests/recorded/other_engines.py tgi launcher/src/main.rs VERSION
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_NAMES = re.compile(r"^(-{1,2}[\w-]+)(?:,? +|$)")
_CHOICES = re.compile(r"[\[{<]([\w|,. +-]+)[\]}>]")


def sglang() -> dict[str, Any]:
    """Asked of the parser that SGLang's own code builds."""
    import importlib.metadata

    from sglang.srt.server_args import ServerArgs  # type: ignore[import-not-found]

    parser = argparse.ArgumentParser()
    ServerArgs.add_cli_args(parser)
    options = [one(action) for action in parser._actions if action.option_strings]
    version = importlib.metadata.version("sglang")
    how = f"the parser of the sglang {version} wheel, its Python files beside PyTorch's CPU build; no GPU"
    return {"version": version, "how": how, "options": sorted(options, key=lambda told: str(told["names"]))}


def one(action: argparse.Action) -> dict[str, Any]:
    """As tasks/remote/engine_options.py writes it."""
    plain = action.default if isinstance(action.default, (str, int, float)) else None
    choices = [str(choice) for choice in action.choices] if action.choices is not None else None
    kind = getattr(action.type, "__name__", None)
    told = {"names": sorted(action.option_strings), "type": kind, "nargs": action.nargs, "choices": choices}
    return {key: value for key, value in {**told, "default": plain}.items() if value is not None}


def llamacpp(program: str) -> dict[str, Any]:
    """Read from the help of a real build; a value's name or choices stand behind the last of an option's names."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    version, build = re.findall(r"version: (\S+) \((.*?)\)", said.stdout + said.stderr)[0]
    options = [told for line in text.splitlines() if (told := from_help(line))]
    return {"version": version, "how": f"--help of llama-server {version} ({build})", "options": options}


def from_help(line: str) -> dict[str, Any] | None:
    """One option of a help line, None where it holds none."""
    rest, names = line, []
    while found := _NAMES.match(rest):
        names.append(found[1])
        rest = rest[found.end() :]
        if line[len(line) - len(rest) - 1 : len(line) - len(rest)] == " " and not rest.startswith("-"):
            break
    if not names:
        return None
    value = rest.split("  ")[0].strip() if rest and not rest[:1].islower() and line.index(rest) < 40 else ""
    choices = _CHOICES.match(value)
    told: dict[str, Any] = {"names": sorted(names)}
    if not value:
        told["nargs"] = 0
    elif choices and len(listed := re.split(r"[|,]", choices[1])) > 1:
        told["choices"] = listed
    return told


def tgi(main_rs: str, version: str) -> dict[str, Any]:
    """Read from the launcher's clap structure: a field is an option of its name with dashes, a bool is a switch."""
    text = Path(main_rs).read_text(encoding="utf-8").split("struct Args {", 1)[1].split("\n}", 1)[0]
    fields = re.findall(r"#\[clap\(([^\]]*)\)\]\s+(\w+): ([^,]+),", text)
    options = []
    for clap, name, kind in fields:
        told: dict[str, Any] = {"names": ["--" + name.replace("_", "-")], "type": kind.strip()}
        if kind.strip() == "bool":
            told["nargs"] = 0
        if default := re.search(r'default_value = "([^"]*)"', clap):
            told["default"] = default[1]
        options.append(told)
    how = f"read in launcher/src/main.rs of huggingface/text-generation-inference, tag v{version}"
    return {"version": version, "how": how, "options": options}


def main(kind: str, *arguments: str) -> None:
    """Print one engine's recording."""
    told = {"sglang": sglang, "llamacpp": llamacpp, "tgi": tgi}[kind](*arguments)
    rows = ",\n".join(json.dumps(each) for each in told["options"])
    head = {key: told[key] for key in ("version", "how")}
    print(json.dumps({**head, "trials": [], "modules": {}, "health": {}})[:-1] + ',\n"options":[\n' + rows + "]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
