"""HTTP requests and responses of the scripted server as values, and their wire form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from mini_agent.testing.replies import JsonObject, JsonValue
from mini_agent_protocol.sse import format_event

NDJSON: Final = "application/x-ndjson"
DRIP_PIECES: Final = 10
TURN_PATHS: Final = frozenset({"/api/chat", "/api/generate", "/v1/chat/completions"})
MAX_HEAD_BYTES: Final = 64 * 1024
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
REQUEST_FIELDS: Final = frozenset({"model", "messages", "tools", "stream", "options"})


class MalformedRequest(Exception):
    """The received bytes are no request; the message says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `body` is its JSON object, `problem` says why there is none.

    `number` counts from 1 over all requests of the server. Header names are lower case.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: JsonObject
    problem: str = ""
    number: int = 0

    @property
    def model(self) -> str:
        """The requested model, from `model` or, as older clients send it, `name`."""
        named = self.body.get("model") or self.body.get("name")
        return named if isinstance(named, str) else ""

    @property
    def messages(self) -> list[JsonObject]:
        """The conversation; a prompt of `/api/generate` is converted to messages."""
        if self.path != "/api/generate":
            return _objects(self.body.get("messages"))
        prompt: JsonObject = {"role": "user", "content": self.body.get("prompt")}
        system: JsonObject = {"role": "system", "content": self.body.get("system")}
        return [turn for turn in (system, prompt) if turn["content"]]

    @property
    def tools(self) -> list[JsonObject]:
        """The tools offered to the model."""
        return _objects(self.body.get("tools"))

    @property
    def options(self) -> JsonObject:
        """Ollama's `options`; in OpenAI's format, every field beside the conversation."""
        if self.path.startswith("/v1/"):
            return {key: self.body[key] for key in self.body if key not in REQUEST_FIELDS}
        options = self.body.get("options")
        return options if isinstance(options, dict) else {}

    @property
    def stream(self) -> bool:
        """Whether the answer is streamed; Ollama's default is true, OpenAI's false."""
        return bool(self.body.get("stream", not self.path.startswith("/v1/")))

    @property
    def is_model_request(self) -> bool:
        """Whether it asks the model for a reply."""
        return self.method == "POST" and self.path in TURN_PATHS

    @property
    def keeps_alive(self) -> bool:
        """Whether the client wants to use the connection again."""
        return self.headers.get("connection", "").lower() != "close"


def _objects(value: JsonValue) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_request(reader: BinaryIO, send_continue: Callable[[], None]) -> Request | None:
    """Read the connection's next request; None at its end. Raises `MalformedRequest`.

    `send_continue` is called when the client waits for `100 Continue` before it sends the body.
    """
    head = _read_head(reader)
    if not head:
        return None
    method, target, headers = _parse_head(head)
    if "100-continue" in headers.get("expect", "").lower():
        send_continue()
    body, problem = _parse_json_object(_read_body(reader, headers))
    path = urlsplit(target).path
    return Request(method, path, headers, body, problem if method == "POST" else "")


def _read_head(reader: BinaryIO) -> str:
    lines, room = [], MAX_HEAD_BYTES
    while line := reader.readline(room).rstrip(b"\r\n"):
        lines.append(line)
        room -= len(line) + 1
        if room <= 0:
            raise MalformedRequest(f"the headers are longer than {MAX_HEAD_BYTES} bytes")
    return b"\r\n".join(lines).decode("latin-1")


def _parse_head(head: str) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise MalformedRequest(f"not a request line: {first[:80]!r}")
    pairs = (line.partition(":") for line in lines if line)
    return words[0], words[1], {name.strip().lower(): value.strip() for name, _, value in pairs}


def _parse_json_object(body: bytes) -> tuple[JsonObject, str]:
    if not body.strip():
        return {}, "missing request body"
    try:
        value: JsonValue = json.loads(body)
    except ValueError as broken:
        return {}, f"invalid JSON: {broken}"
    return (value, "") if isinstance(value, dict) else ({}, "the body is not a JSON object")


def _read_body(reader: BinaryIO, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _read_chunked(reader)
    return _read_exactly(reader, _parse_size(headers.get("content-length", "0"), base=10))


def _read_chunked(reader: BinaryIO) -> bytes:
    body = b""
    while size := _parse_size(reader.readline(100).decode("latin-1").split(";")[0], base=16):
        body += _read_exactly(reader, size + 2)[:-2]
        _parse_size(str(len(body)), base=10)
    while reader.readline(MAX_HEAD_BYTES).strip():
        pass
    return body


def _parse_size(written: str, *, base: int) -> int:
    try:
        size = int(written.strip(), base)
    except ValueError:
        raise MalformedRequest(f"not a length: {written[:20]!r}") from None
    if not 0 <= size <= MAX_BODY_BYTES:
        raise MalformedRequest(f"a body of {size} bytes is more than {MAX_BODY_BYTES}")
    return size


def _read_exactly(reader: BinaryIO, size: int) -> bytes:
    body = reader.read(size)
    if len(body) < size:
        raise EOFError
    return body


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response: `pieces` are sent `every_s` seconds apart, the first after `after_s`.

    A `streamed` response is chunked, any other has its length. One that is `cut` closes the
    connection half way; one that `hangs` is never sent.
    """

    status: int
    media_type: str
    pieces: tuple[bytes, ...]
    streamed: bool = False
    after_s: float = 0.0
    every_s: float = 0.0
    cut: bool = False
    hangs: bool = False
    retry_after: str = ""

    @property
    def head(self) -> bytes:
        """Status line and headers."""
        length = sum(len(piece) for piece in self.pieces)
        framing = "Transfer-Encoding: chunked" if self.streamed else f"Content-Length: {length}"
        lines = (
            f"HTTP/1.1 {self.status} {_reason_phrase(self.status)}",
            f"Content-Type: {self.media_type}",
            framing,
            *((f"Retry-After: {self.retry_after}",) if self.retry_after else ()),
            *(("Connection: close",) if self.cut else ()),
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    @property
    def framed_pieces(self) -> tuple[bytes, ...]:
        """The body as sent over the wire; half of it if the response is cut."""
        body = self.pieces
        if self.cut and self.streamed:
            body = body[: max(1, len(body) // 2)]
        elif self.cut:
            whole = b"".join(body)
            body = (whole[: len(whole) // 2],)
        if not self.streamed:
            return body
        chunks = tuple(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in body if piece)
        return chunks if self.cut else (*chunks, b"0\r\n\r\n")

    def with_delay(self, *, after_s: float, every_s: float) -> Response:
        """The same response, later or slower; a body in one piece is split into ten."""
        pieces = self.pieces if self.streamed or not every_s else _split(b"".join(self.pieces))
        return replace(
            self, pieces=pieces, after_s=self.after_s + after_s, every_s=every_s or self.every_s
        )


def _reason_phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Scripted"


def _split(body: bytes) -> tuple[bytes, ...]:
    size = max(1, -(-len(body) // DRIP_PIECES))
    return tuple(body[start : start + size] for start in range(0, len(body), size))


def text_response(status: int, text: str) -> Response:
    """Build a response in plain text."""
    return Response(status, "text/plain; charset=utf-8", (text.encode(),))


def json_response(status: int, value: JsonValue) -> Response:
    """Build a response in JSON, in one piece."""
    return Response(status, "application/json; charset=utf-8", (json.dumps(value).encode(),))


def ndjson_line(value: JsonValue) -> bytes:
    """Format one line of Ollama's streams."""
    return json.dumps(value).encode() + b"\n"


def sse_event(value: JsonValue) -> bytes:
    """Format one event of OpenAI's streams."""
    return format_event(json.dumps(value)).encode()


NO_RESPONSE: Final = Response(200, "text/plain", (), hangs=True)
