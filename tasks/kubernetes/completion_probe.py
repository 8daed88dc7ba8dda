"""Ends with 0 when the engine in this pod gives one token of an answer in time: python3 probe.py PORT SECONDS MODEL.

The key is in the container's environment.  /health is not asked: it answers while the engine hangs.
"""

import json
import os
import sys
import urllib.request


def main() -> int:
    """Ask, and say on stderr why there was no answer."""
    port, seconds, model = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    body = {"model": model, "prompt": "Say one word.", "max_tokens": 1, "temperature": 0}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ.get("VLLM_API_KEY", "")}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/completions", json.dumps(body).encode(), headers, method="POST"
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=seconds) as answer:
            used = json.load(answer)["usage"]["completion_tokens"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"no completion: {type(error).__name__}: {error}"[:300], file=sys.stderr)
        return 1
    return 0 if used else 1


if __name__ == "__main__":
    sys.exit(main())
