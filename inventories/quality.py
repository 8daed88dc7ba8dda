"""The `quality:` block: files on this machine that tell how good the model's answers are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from inventories.strict import Strict

LocalFile = Annotated[
    str, Field(min_length=1, description="a file on this machine, from the folder that Beachhead is started in")
]


class Quality(Strict):
    """What the claims about quality compare with; each of them is UNKNOWN where its file is not named."""

    reference: LocalFile | None = Field(
        None, description="what `beachhead reference record` wrote; absent: references/<model>.json, if it is there"
    )
    suite_results: tuple[LocalFile, ...] = Field(
        (), description="JSON result files of lm-evaluation-harness or logs of Inspect, taken of this deployment"
    )
    vendor_set: LocalFile | None = Field(
        None, description="requests in K2 Vendor Verifier's form, one JSON object a line"
    )
    vendor_results: LocalFile | None = Field(
        None, description="the vendor's own results of that set, one JSON object a line"
    )
    vendor_requests: int = Field(200, ge=1, description="how many of that set are asked, evenly spread over it")

    @model_validator(mode="after")
    def _results_belong_to_a_set(self) -> Quality:
        if self.vendor_results and not self.vendor_set:
            raise ValueError("vendor_results: name the requests that they answer too, with vendor_set")
        return self
