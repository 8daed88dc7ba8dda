"""Runs on the host: whether the hub gives one file at one commit to somebody without a token, as a JSON line.

Arguments: endpoint, repo, revision, path.  A refusal is an answer; a hub that can't be asked is an error.
"""

import json
import sys

from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError

endpoint, repo, revision, path = sys.argv[1:5]
try:
    get_hf_file_metadata(hf_hub_url(repo, path, revision=revision, endpoint=endpoint), token=False, endpoint=endpoint)
    print(json.dumps({"path": path, "status": 200, "said": ""}))
except HfHubHTTPError as error:
    status = error.response.status_code if error.response is not None else 0
    if not status:
        print(f"hub-status=0 {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(3)
    said = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    print(json.dumps({"path": path, "status": status, "said": said}))
except Exception as error:
    print(f"hub-status=0 {type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(3)
