"""The one way an application or a claim talks to a served model: OpenAI's client, with every call recorded.

Reads the thinking from `reasoning` (vLLM since 0.12) and, where that is absent, from `reasoning_content`
(vLLM 0.11, SGLang).
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # openai takes most of a second to import, and a plan needs none of it
    import httpx2

Recorder = Callable[..., str]


class ServingError(Exception):
    """A served model gave no usable answer."""


class Refused(ServingError):
    """The server answered with an error status, which is an answer too."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


class NoAnswer(ServingError):
    """No connection, no answer in time, or an answer that broke off."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer: status, JSON body (None when it was not JSON), text, seconds, and the raw record's id."""

    status: int
    body: Any
    text: str
    seconds: float
    record: str

    @property
    def message(self) -> str:
        """The server's own error message, or the start of its body."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        if isinstance(error, dict):
            return str(error.get("message", error))
        return str(error or self.text[:300])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chat completion said, with the usage the server reports."""

    thinking: str
    content: str
    finish: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    thinking_tokens: int | None
    cached_tokens: int | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    chunks: int = 1
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One `data:` line of a stream, and how many seconds after the request was sent it came."""

    seconds: float
    data: str


@dataclass(frozen=True, slots=True)
class Events:
    """A stream as it came: status, the lines, the whole body where it was no stream, and why it broke off if it did."""

    status: int
    events: tuple[Event, ...]
    seconds: float
    record: str
    reply: Reply | None = None
    broke: str = ""


class Client:
    """A served model at `base_url` (which ends in /v1).  `record` gets every exchange; secrets are cut there.

    `verify` says whom an https address must be; without it the system's authorities do.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        api_key: str | None,
        record: Recorder,
        timeout: float = 120.0,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        from openai import DefaultHttpxClient, OpenAI

        self.base_url, self.model, self._record = base_url.rstrip("/"), model, record
        self.last_record = ""
        self.timeout = timeout
        self._expected: tuple[int | None, str] = (None, "")
        self._unanswered: httpx2.Request | None = None
        self._http = DefaultHttpxClient(
            timeout=timeout,
            trust_env=False,
            verify=verify if verify is not None else True,
            event_hooks={"response": [self._seen], "request": [self._asked]},
        )
        self.openai = OpenAI(base_url=self.base_url, api_key=api_key or "none", max_retries=0, http_client=self._http)
        self._auth = {"authorization": f"Bearer {api_key}"} if api_key else {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._http.close()

    def expecting(self, status: int, purpose: str) -> Client:
        """Say what the next call is for and which status it should get; the record carries both."""
        self._expected = (status, purpose)
        return self

    def _asked(self, request: httpx2.Request) -> None:
        request.extensions["beachhead"] = (datetime.now(UTC), time.monotonic(), *self._expected)
        self._expected = (None, "")
        self._unanswered = request

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """Errors translated, and a request that got no answer on the record too."""
        self._unanswered = None
        try:
            with _translated():
                yield
        except NoAnswer as error:
            if self._unanswered is not None:
                self._note(self._unanswered, error=str(error))
            raise

    def _seen(self, response: httpx2.Response) -> None:
        streamed = "text/event-stream" in response.headers.get("content-type", "")
        if not streamed:
            response.read()
        said = "[event stream]" if streamed else response.text
        self._note(response.request, status=response.status_code, response=said)

    def _note(self, request: httpx2.Request, **outcome: Any) -> None:
        """One exchange on the record."""
        at, began, expected, purpose = request.extensions["beachhead"]
        self._unanswered = None
        self.last_record = self._record(
            "request",
            at=at.isoformat(),
            method=request.method,
            url=str(request.url),
            request=request.content.decode("utf-8", "replace")[:4000],
            **outcome,
            seconds=round(time.monotonic() - began, 4),
            expected_status=expected,
            purpose=purpose,
        )

    def call(
        self, method: str, path: str, *, json_body: Any = None, key: bool | str = True, timeout: float = 120.0
    ) -> Reply:
        """One plain HTTP call; `path` is absolute on the server (`/health`, `/v1/models`).  Raises NoAnswer.

        `key` False sends none, a text sends that one.
        """
        began = time.monotonic()
        auth = {"authorization": f"Bearer {key}"} if isinstance(key, str) else self._auth if key else {}
        root = self.base_url.removesuffix("/v1")
        with self._recorded():
            response = self._http.request(method, root + path, json=json_body, headers=auth, timeout=timeout)
        return _reply(response, time.monotonic() - began, self.last_record)

    def post(self, path: str, body: dict[str, Any], *, timeout: float = 120.0) -> Reply:
        """POST to a route under /v1 with the model's name filled in."""
        return self.call("POST", "/v1" + path, json_body={"model": self.model, **body}, timeout=timeout)

    def events(self, path: str, body: dict[str, Any], *, timeout: float | None = None) -> Events:
        """POST to a route under /v1 as a stream, its lines untouched; `timeout` is for each wait, not for the whole.

        Raises NoAnswer where not even a status came; what breaks off later is in the answer.
        """
        began, lines, broke = time.monotonic(), [], ""
        asked = {"model": self.model, **body, "stream": True}
        wait = self.timeout if timeout is None else timeout
        with (
            self._recorded(),
            self._http.stream("POST", self.base_url + path, json=asked, headers=self._auth, timeout=wait) as response,
        ):
            status, record = response.status_code, self.last_record
            streamed = "text/event-stream" in response.headers.get("content-type", "")
            try:
                for line in response.iter_lines() if streamed else ():
                    if line.startswith("data:"):
                        lines.append(Event(time.monotonic() - began, line.removeprefix("data:").strip()))
            except _lost() as error:
                broke = f"{type(error).__name__}: {str(error)[:200]}"
            seconds = time.monotonic() - began
            reply = None if streamed else _reply(response, seconds, record)
        if streamed:
            said = "\n".join(event.data for event in lines)
            self._record("stream", at=datetime.now(UTC).isoformat(), of=record, response=said, broke=broke)
        return Events(status, tuple(lines), seconds, record, reply, broke)

    def chat(self, text: str, *, timeout: float = 120.0, **body: Any) -> Answer:
        """One chat completion through the openai client; raises Refused or NoAnswer."""
        with self._recorded():
            done = self.openai.chat.completions.create(
                model=self.model,
                messages=[{"role": "user", "content": text}],
                timeout=timeout,
                **_split(body),
            )
            return answer_of(done.model_dump())

    def stream(self, text: str, *, timeout: float = 120.0, **body: Any) -> Answer:
        """The same as a stream, put together again; `chunks` counts what arrived."""
        with self._recorded():
            pieces = self.openai.chat.completions.create(
                model=self.model,
                messages=[{"role": "user", "content": text}],
                stream=True,
                stream_options={"include_usage": True},
                timeout=timeout,
                **_split(body),
            )
            answer = _assemble(piece.model_dump() for piece in pieces)
        self._record("stream", at=datetime.now(UTC).isoformat(), of=self.last_record, response=dumps(asdict(answer)))
        return answer


def _reply(response: httpx2.Response, seconds: float, record: str) -> Reply:
    try:
        body = response.json()
    except ValueError:
        body = None
    return Reply(response.status_code, body, response.text, seconds, record)


def _lost() -> type[Exception]:
    import httpx2

    return httpx2.HTTPError


@contextmanager
def _translated() -> Iterator[None]:
    """The client libraries' errors as this module's two."""
    import httpx2
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise Refused(error.status_code, str(error.message)[:500]) from None
    except (openai.OpenAIError, httpx2.HTTPError) as error:
        raise NoAnswer(f"{type(error).__name__}: {str(error)[:300]}") from None
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise NoAnswer(f"the answer is not a chat completion: {type(error).__name__}: {error}") from None


_TYPED = {"max_tokens", "temperature", "top_p", "seed", "stop", "tools", "tool_choice", "response_format", "logprobs"}


def _split(body: dict[str, Any]) -> dict[str, Any]:
    typed = {k: v for k, v in body.items() if k in _TYPED}
    extra = {k: v for k, v in body.items() if k not in _TYPED}
    return {**typed, "extra_body": extra} if extra else typed


def _thinking(message: dict[str, Any]) -> str:
    return message.get("reasoning") or message.get("reasoning_content") or ""


def _usage(usage: dict[str, Any] | None) -> dict[str, Any]:
    usage = usage or {}
    return {
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "thinking_tokens": (usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
        "cached_tokens": (usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
    }


def answer_of(done: dict[str, Any]) -> Answer:
    """An Answer from a chat completion's JSON."""
    choice = done["choices"][0]
    message = choice["message"]
    return Answer(
        thinking=_thinking(message),
        content=message.get("content") or "",
        finish=choice.get("finish_reason"),
        tool_calls=tuple(message.get("tool_calls") or ()),
        **_usage(done.get("usage")),
    )


def _assemble(pieces: Iterator[dict[str, Any]]) -> Answer:
    thinking, content, finish, usage, chunks = "", "", None, None, 0
    for piece in pieces:
        chunks += 1
        usage = piece.get("usage") or usage
        for choice in piece.get("choices") or ():
            delta = choice.get("delta") or {}
            thinking += _thinking(delta)
            content += delta.get("content") or ""
            finish = choice.get("finish_reason") or finish
    return Answer(thinking=thinking, content=content, finish=finish, chunks=chunks, **_usage(usage))


def dumps(value: object) -> str:
    """Compact JSON for a record."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
