"""`python -m tests.gateway record`: vLLM's own list of routes.  `… page`: the figures of docs/reference/gateway.md."""

from __future__ import annotations

import sys

from tests.gateway import figures


def main() -> int:
    verbs = {"record": figures.record, "page": figures.write_page}
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        print(__doc__)
        return 2
    verbs[sys.argv[1]]()
    return 0


sys.exit(main())
