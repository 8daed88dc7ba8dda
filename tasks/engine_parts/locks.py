"""Which versions the product installs: uv's own, and the folder of the engines' locks."""

from __future__ import annotations

from pathlib import Path

LOCKS = Path(__file__).parents[1] / "engines" / "locks"
RAY = "ray-2.60.0"  # beside vllm-….lock lies vllm-…-ray-2.60.0.lock: what Ray needs beyond that
UV = (Path(__file__).parents[2] / "requirements" / "uv.lock.txt").read_text(encoding="utf-8").strip().split("==")[1]
