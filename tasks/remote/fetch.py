"""Runs on the host: fetches the files named on stdin.  Arguments: endpoint, repo, revision, folder, token file.

A file whose download stops moving is tried again; the second half of the tries goes without Xet, whose
transfers have been seen to hang near the end (huggingface/xet-core#883).
"""

import errno
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

endpoint, repo, revision, folder, token_file = sys.argv[1:6]
os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "30")
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from huggingface_hub import constants, hf_hub_download  # noqa: E402  (reads the environment when imported)
from huggingface_hub.errors import HfHubHTTPError  # noqa: E402

TRIES = 6
token = Path(token_file).read_text().strip() if token_file and Path(token_file).exists() else False


def status(error: Exception) -> int:
    """HTTP status of an error, 0 where there was none."""
    response = getattr(error, "response", None)
    return int(response.status_code) if response is not None else 0


def fetch(path: str) -> str | None:
    """One file; None when it is there, else why not."""
    for attempt in range(1, TRIES + 1):
        try:
            hf_hub_download(repo, path, revision=revision, local_dir=folder, endpoint=endpoint, token=token)
        except Exception as error:
            why = f"hub-status={status(error)} {path}: {type(error).__name__}: {str(error).splitlines()[0]}"
            fatal = isinstance(error, HfHubHTTPError) and status(error) in (401, 403, 404)
            full = isinstance(error, OSError) and error.errno == errno.ENOSPC
            if fatal or full or attempt == TRIES:
                return why
            if attempt == TRIES // 2:
                constants.HF_HUB_DISABLE_XET = True
            time.sleep(min(2**attempt, 30))
        else:
            break
    return None


paths = [line.strip() for line in sys.stdin if line.strip()]
with ThreadPoolExecutor(8) as pool:
    failed = [why for why in pool.map(fetch, paths) if why]
print(f"fetched {len(paths) - len(failed)} of {len(paths)} files")
if failed:
    print("\n".join(failed), file=sys.stderr)
    sys.exit(3)
