"""vLLM versions that warm up alike, and what a version's own defaults are."""

from __future__ import annotations

import re
from typing import NamedTuple

from assumptions.formulas.shapes import Range, UnsupportedConfig

Version = tuple[int, int, int]
LOGS = "server logs collected in ashishkamra/vllm-memory-estimator@8b0e21d, H200 and MI300X, vLLM 0.11 to 0.20"
SPLITS = "llm-d-incubation/llm-d-planner@e50305a, H100 logs of vLLM ~0.11 that name activation and non-torch memory"
OLDEST_KNOWN: Version = (0, 4, 0)


class Era(NamedTuple):
    """Versions that warm up alike.  `sampler` is bytes per request and vocabulary entry of the warm-up batch.

    `recent` versions keep more workspaces per rank: see `overhead.RESIDENT`.
    """

    name: str
    until: Version  # the first version that no longer belongs
    sampler: Range
    recent: bool
    graphs_counted: bool
    source: str

    @property
    def counts_requests(self) -> bool:
        """The logged token count is concurrency x max_model_len, no longer blocks x block size (vllm#51041)."""
        return self.graphs_counted  # both came with 0.20


# H100, ~0.11: activation 4.76, 4.84 and 5.64 GiB / (1,024 requests x vocabulary) = 38.9, 39.6, 38.9 bytes.
# H100, Mistral Small, 0.11.0: 2.12 GiB / (1,024 x 131,072) = 17.0: both kinds of sampler were in use up to 0.11.0.
# H200, 0.17 to 0.19, one GPU: the least overhead logged, 2.2 GiB, leaves room for 17 bytes and not for 38.9.
SORTING, LEAN = Range(36.0, 38.9, 40.0), Range(15.0, 17.0, 20.0)
ERAS = (
    Era("V0 engine", (0, 8, 0), Range(8.0, 17.0, 17.0), False, False, "vllm#10517, RTX 3090, vLLM ~0.6.4"),
    Era("0.8 to 0.11.0", (0, 11, 1), Range(17.0, 38.9, 40.0), False, False, f"{SPLITS}; {LOGS}"),
    Era("0.11.1 to 0.16", (0, 17, 0), SORTING, False, False, f"{SPLITS}; {LOGS}"),
    Era("0.17 to 0.19", (0, 20, 0), LEAN, True, False, LOGS),
    Era("0.20 and later", (1000, 0, 0), LEAN, True, True, LOGS + "; only 0.20.0 was measured"),
)
V0 = ERAS[0]
UNREAD = Era(
    "version not readable", (0, 0, 0), Range(15.0, 17.0, 40.0), True, True, f"every era together: {SPLITS}; {LOGS}"
)


def version_of(vllm: str) -> Version | None:
    """The version in a text such as "v0.11.2+rhai1" or "~0.11"; None for a build that names no release."""
    if not isinstance(vllm, str):
        raise UnsupportedConfig("vllm is not a text that names a version")
    found = re.search(r"(?<![\d.])(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?", vllm)
    version = (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
    return version if version and version >= OLDEST_KNOWN else None


def era_of(vllm: str) -> Era:
    """The era that `vllm` belongs to; one that covers all of them when the version can't be read."""
    version = version_of(vllm)
    return next((era for era in ERAS if version and version < era.until), UNREAD)


def default_utilization(vllm: str) -> float:
    """vLLM's own --gpu-memory-utilization: 0.90 up to 0.19, 0.92 from 0.25.

    Read in the wheels of 0.18.1, 0.19.0 and 0.33.0, and quoted publicly from config/cache.py at 0.25.0 and 0.30.0.
    When it changed between 0.19 and 0.25 was not found: 0.90 is assumed there, and for builds that name no release.
    """
    version = version_of(vllm)
    return 0.92 if version and version >= (0, 25, 0) else 0.90
