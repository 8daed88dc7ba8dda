"""What the gateway itself says when it refuses: OpenAI's error shape, so that its clients can read it."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """`nginx` are its own statuses that are answered with `status`; `header` is one more line of the answer."""

    status: int
    nginx: tuple[int, ...]
    type: str
    code: str
    message: str
    header: str = ""

    @property
    def body(self) -> str:
        """One line of JSON, without a character that nginx's configuration would read."""
        error = {"message": self.message, "type": self.type, "param": None, "code": self.code}
        return json.dumps({"error": error})


_BAD = "invalid_request_error"
ANSWERS = (
    # 494 header too large, 497 plain HTTP at the TLS port: nginx's own numbers
    Refusal(
        400, (400, 405, 414, 421, 494, 495, 496, 497, 501, 505), _BAD, "bad_request", "not a request that is read here"
    ),
    Refusal(
        401,
        (401,),
        _BAD,
        "invalid_api_key",
        "no valid API key: send it as Authorization: Bearer or X-Api-Key",
        'WWW-Authenticate "Bearer"',
    ),
    Refusal(404, (403, 404), _BAD, "not_found", "this route is not open here"),
    Refusal(408, (408,), _BAD, "timeout", "the request did not arrive in time"),
    Refusal(413, (413,), _BAD, "request_too_large", "the request is larger than this gateway takes"),
    Refusal(
        429,
        (429,),
        "requests",
        "rate_limit_exceeded",
        "too many requests of this key, in a minute or at once",
        'Retry-After "1"',
    ),
    Refusal(500, (500,), "server_error", "gateway_error", "the gateway failed"),
    Refusal(502, (502,), "server_error", "engine_unreachable", "the live engine does not answer"),
    Refusal(503, (503,), "server_error", "nothing_live", "nothing is live"),
    Refusal(504, (504,), "server_error", "engine_silent", "the live engine was silent for too long"),
)
