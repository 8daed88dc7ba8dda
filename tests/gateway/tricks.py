# ruff: noqa: E501 - a request a line reads best
"""Ways to ask for a route that should not be open, as bytes on the wire.  None of them is followed by a valid key
unless the caller puts one into `auth`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

BODY = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}], "prompt": "hi", "max_tokens": 1}'


@dataclass(frozen=True)
class Asked:
    """One attempt: method and path that are meant, and header lines that carry a key or pretend to."""

    method: str
    path: str
    auth: tuple[str, ...] = ()

    def request(
        self, target: str | None = None, *, method: str = "", headers: tuple[str, ...] = (), body: bytes = BODY,
        version: str = "HTTP/1.1", host: str = "Host: gateway", length: bool = True,
    ) -> bytes:  # fmt: skip
        """A request with a body where the method has one, and `Connection: close`."""
        verb = method or self.method
        sent = body if verb in ("POST", "PUT", "PATCH") else b""
        lines = [f"{verb} {self.path if target is None else target} {version}", host, "Connection: close"]
        lines += [f"Content-Length: {len(sent)}", "Content-Type: application/json"] if sent and length else []
        return "\r\n".join([*(line for line in lines if line), *self.auth, *headers, "", ""]).encode("latin-1") + sent


Trick = Callable[[Asked], bytes]


def _spelled(change: Callable[[str], str]) -> Trick:
    return lambda asked: asked.request(change(asked.path))


def _with(*headers: str) -> Trick:
    return lambda asked: asked.request(headers=headers)


def _method(name: str) -> Trick:
    return lambda asked: asked.request(method=name)


def _behind(asked: Asked, first: bytes) -> bytes:
    """`first`, and behind it on the same connection what it hopes to smuggle."""
    return first + asked.request()


def _cl_te(asked: Asked) -> bytes:
    hidden = asked.request()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\n" + "".join(f"{line}\r\n" for line in asked.auth)
    return (
        head.encode()
        + f"Content-Length: {len(hidden) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        + b"0\r\n\r\n"
        + hidden
    )


def _te(*lines: str) -> Trick:
    def trick(asked: Asked) -> bytes:
        own = "".join(f"{line}\r\n" for line in (*asked.auth, *lines))
        return (
            f"POST {asked.path} HTTP/1.1\r\nHost: gateway\r\n{own}\r\n".encode("latin-1")
            + b"0\r\n\r\n"
            + asked.request()
        )

    return trick


def _raw(text: str) -> Trick:
    """`text` with METHOD, PATH and AUTH (header lines) put in."""

    def trick(asked: Asked) -> bytes:
        auth = "".join(f"{line}\r\n" for line in asked.auth)
        filled = text.replace("METHOD", asked.method).replace("PATH", asked.path).replace("AUTH", auth)
        return filled.encode("latin-1")

    return trick


SPELLINGS: dict[str, Trick] = {
    "double slash": _spelled(lambda path: "/" + path),
    "double slash inside": _spelled(lambda path: path[:1] + path[1:].replace("/", "//")),
    "up from an open route": _spelled(lambda path: "/v1/.." + path),
    "up from /health": _spelled(lambda path: "/health/.." + path),
    "up from models": _spelled(lambda path: "/v1/models/../.." + path),
    "encoded dots": _spelled(lambda path: "/v1/%2e%2e" + path),
    "encoded dots and slash": _spelled(lambda path: "/v1/%2e%2e%2f" + path[1:]),
    "twice encoded dots": _spelled(lambda path: "/v1/%252e%252e" + path),
    "encoded slashes": _spelled(lambda path: "/" + path[1:].replace("/", "%2f")),
    "leading encoded slash": _spelled(lambda path: "/%2f" + path[1:]),
    "encoded letters": _spelled(lambda path: "/" + "".join(f"%{ord(c):02x}" for c in path[1:])),
    "first letter encoded": _spelled(lambda path: path[:1] + "".join(f"%{ord(c):02x}" for c in path[1:2]) + path[2:]),
    "trailing dot": _spelled(lambda path: path + "."),
    "trailing dot segment": _spelled(lambda path: path + "/."),
    "trailing slash": _spelled(lambda path: path + "/"),
    "matrix parameter": _spelled(lambda path: path + ";x=1"),
    "matrix parameter on a parent": _spelled(lambda path: "/v1;/.." + path),
    "backslash": _spelled(lambda path: "/v1\\.." + path),
    "encoded backslash": _spelled(lambda path: "/v1%5c.." + path),
    "encoded NUL": _spelled(lambda path: path + "%00"),
    "encoded newline": _spelled(lambda path: path + "%0d%0aX-Api-Key:%20x"),
    "encoded space": _spelled(lambda path: path + "%20"),
    "fragment": _spelled(lambda path: "/health#" + path),
    "question mark encoded": _spelled(lambda path: "/health%3f" + path),
    "upper case": _spelled(str.upper),
    "overlong UTF-8": _spelled(lambda path: "/v1/%c0%ae%c0%ae" + path),
    "bad percent": _spelled(lambda path: path + "%zz"),
    "no leading slash": _spelled(lambda path: path[1:] or "x"),
    "absolute form": _spelled(lambda path: "http://127.0.0.1:8001" + path),
    "absolute form, user in it": _spelled(lambda path: "http://user:pw@gateway" + path),
    "asterisk form": _spelled(lambda path: "*"),
    "own refusal page": _spelled(lambda path: "/.unreadable"),
    "control page": _spelled(lambda path: "/loaded"),
}  # fmt: skip

FRAMINGS: dict[str, Trick] = {
    "CONNECT": _raw("CONNECT 127.0.0.1:8001 HTTP/1.1\r\nHost: 127.0.0.1:8001\r\nAUTH\r\nMETHOD PATH HTTP/1.1\r\nHost: a\r\n\r\n"),
    "TRACE": _method("TRACE"),
    "HEAD": _method("HEAD"),
    "OPTIONS": _method("OPTIONS"),
    "PUT": _method("PUT"),
    "DELETE": _method("DELETE"),
    "PATCH": _method("PATCH"),
    "invented method": _method("BREW"),
    "small letters method": lambda asked: asked.request(method=asked.method.lower()),
    "method override": _with("X-HTTP-Method-Override: POST", "X-Original-URL: /invocations", "X-Rewrite-URL: /invocations"),
    "huge header": _with("X-Fill: " + "a" * 40_000),
    "many headers": _with(*(f"X-{n}: {'a' * 900}" for n in range(60))),
    "huge path": _spelled(lambda path: path + "/" + "a" * 40_000),
    "two lengths": _with("Content-Length: 5", "Content-Length: 50"),
    "two equal lengths": lambda asked: asked.request(headers=(f"Content-Length: {len(BODY)}", f"Content-Length: {len(BODY)}")),
    "negative length": lambda asked: asked.request(headers=("Content-Length: -1",), length=False),
    "length with plus": lambda asked: asked.request(headers=("Content-Length: +5",), length=False),
    "huge length": lambda asked: asked.request(headers=("Content-Length: 99999999999999999999",), length=False),
    "body over the limit": lambda asked: asked.request(headers=("Content-Length: 9999999999",), length=False),
    "CL and TE": _cl_te,
    "TE chunked, request behind": _te("Transfer-Encoding: chunked"),
    "TE spelled with space": _te("Transfer-Encoding : chunked", "Content-Length: 0"),
    "TE twice": _te("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    "TE unknown": _te("Transfer-Encoding: xchunked"),
    "TE list": _te("Transfer-Encoding: gzip, chunked"),
    "TE with a tab": _te("Transfer-Encoding:\tchunked", "Content-Length: 0"),
    "TE in HTTP/1.0": _raw("POST PATH HTTP/1.0\r\nHost: a\r\nAUTHTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "bad chunk size": _raw("POST PATH HTTP/1.1\r\nHost: a\r\nAUTHTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
    "chunk extension": _raw("POST PATH HTTP/1.1\r\nHost: a\r\nAUTHTransfer-Encoding: chunked\r\n\r\n2;x=\"\\\r\n{}\r\n0\r\n\r\n"),
    "obs-fold": _raw("METHOD PATH HTTP/1.1\r\nHost: a\r\nAUTHX-A: b\r\n Transfer-Encoding: chunked\r\n\r\n"),
    "folded first header": _raw("METHOD PATH HTTP/1.1\r\n Host: a\r\nAUTH\r\n"),
    "bare LF": _raw("METHOD PATH HTTP/1.1\nHost: a\nX: y\n\n"),
    "bare CR": _raw("METHOD PATH HTTP/1.1\rHost: a\r\r\n\r\n"),
    "NUL in a header": _raw("METHOD PATH HTTP/1.1\r\nHost: a\r\nAUTHX: a\0b\r\n\r\n"),
    "NUL in the path": _raw("METHOD PATH\0x HTTP/1.1\r\nHost: a\r\nAUTH\r\n"),
    "header without a name": _raw("METHOD PATH HTTP/1.1\r\nHost: a\r\nAUTH: x\r\n\r\n"),
    "header without a colon": _raw("METHOD PATH HTTP/1.1\r\nHost: a\r\nAUTHnonsense\r\n\r\n"),
    "HTTP/0.9": _raw("GET PATH\r\n"),
    "HTTP/1.0": lambda asked: asked.request(version="HTTP/1.0"),
    "HTTP/2.0 in words": lambda asked: asked.request(version="HTTP/2.0"),
    "HTTP/9.9": lambda asked: asked.request(version="HTTP/9.9"),
    "no version, but headers": _raw("METHOD PATH \r\nHost: a\r\nAUTH\r\n"),
    "h2 preface": _raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "upgrade to h2c": _with("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
    "upgrade to WebSocket": _with("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA=="),
    "expect": _with("Expect: 100-continue"),
    "hop by hop Authorization": _with("Connection: close, Authorization"),
    "no host": lambda asked: asked.request(host=""),
    "two hosts": lambda asked: asked.request(headers=("Host: other",)),
    "host of the engine": lambda asked: asked.request(host="Host: 127.0.0.1:8001"),
    "host with a path": lambda asked: asked.request(host="Host: gateway/invocations"),
    "forwarded from loopback": _with("X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1"),
    "internal redirect": _with("X-Accel-Redirect: /invocations", "X-Sendfile: /etc/passwd"),
    "range": _with("Range: bytes=0-10"),
    "pipelined": lambda asked: _behind(asked, asked.request("/health", method="GET").replace(b"Connection: close\r\n", b"")),
    "line ends before the request": _raw("\r\n\r\n\r\nMETHOD PATH HTTP/1.1\r\nHost: a\r\nAUTHConnection: close\r\n\r\n"),
    "garbage": _raw("\x16\x03\x01\x02\x00PATH\r\n\r\n"),
}  # fmt: skip

WRONG = "bh_" + "A" * 43
NO_KEYS: dict[str, tuple[str, ...]] = {
    "no key": (),
    "wrong key": (f"Authorization: Bearer {WRONG}",),
    "wrong X-Api-Key": (f"X-Api-Key: {WRONG}",),
    "two wrong keys": (f"Authorization: Bearer {WRONG}", f"Authorization: Bearer {WRONG}x"),
    "keys that differ": (f"Authorization: Bearer {WRONG}", "X-Api-Key: other"),
    "empty key": ("Authorization: Bearer ", "X-Api-Key: "),
    "Basic": ("Authorization: Basic dXNlcjpwdw==",),
    "underscore header": (f"X_Api_Key: {WRONG}",),
    "cookie": (f"Cookie: api_key={WRONG}",),
}
PLAIN: dict[str, Trick] = {"as it is": lambda asked: asked.request()}
