"""Runs on the host: the hub's list of files at one commit, a JSON line each.

Arguments: endpoint, repo, revision, token file (or nothing).
"""

import json
import sys
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import RepoFile

endpoint, repo, revision, token_file = sys.argv[1:5]
token = Path(token_file).read_text().strip() if token_file and Path(token_file).exists() else False
try:
    for entry in HfApi(endpoint=endpoint, token=token).list_repo_tree(repo, revision=revision, recursive=True):
        if isinstance(entry, RepoFile):
            sha256 = entry.lfs.sha256 if entry.lfs else None
            git_sha1 = None if entry.lfs else entry.blob_id
            print(json.dumps({"path": entry.path, "size": entry.size, "sha256": sha256, "git_sha1": git_sha1}))
except HfHubHTTPError as error:
    status = error.response.status_code if error.response is not None else 0
    print(f"hub-status={status} {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
    sys.exit(3)
except Exception as error:
    print(f"hub-status=0 {type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(3)
