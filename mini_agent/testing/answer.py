"""An HTTP answer as a value: what to send, how fast, and whether to send it whole."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from mini_agent.testing.replies_ import JsonValue
from mini_agent_protocol.sse import format_event

NDJSON: Final = "application/x-ndjson"
DRIPS: Final = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """`pieces` are written one after the other, `every_s` apart, the first after `after_s`.

    A `streamed` answer is sent in chunks, any other with its length. One that is `cut` closes the
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
            f"HTTP/1.1 {self.status} {_reason(self.status)}",
            f"Content-Type: {self.media_type}",
            framing,
            *((f"Retry-After: {self.retry_after}",) if self.retry_after else ()),
            *(("Connection: close",) if self.cut else ()),
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    @property
    def sent_pieces(self) -> tuple[bytes, ...]:
        """The body as it goes over the wire, framed, and half of it where the answer is cut."""
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

    def paced(self, *, after_s: float, every_s: float) -> Answer:
        """The same answer, later or slower; a body in one piece is cut into ten."""
        pieces = self.pieces if self.streamed or not every_s else _parts(b"".join(self.pieces))
        return replace(
            self, pieces=pieces, after_s=self.after_s + after_s, every_s=every_s or self.every_s
        )


def plain(status: int, said: str) -> Answer:
    """An answer in plain text."""
    return Answer(status, "text/plain; charset=utf-8", (said.encode(),))


def json_answer(status: int, value: JsonValue) -> Answer:
    """An answer in JSON, in one piece."""
    return Answer(status, "application/json; charset=utf-8", (json.dumps(value).encode(),))


def ndjson_line(value: JsonValue) -> bytes:
    """One line of Ollama's streams."""
    return json.dumps(value).encode() + b"\n"


def sse_event(value: JsonValue) -> bytes:
    """One event of OpenAI's streams."""
    return format_event(json.dumps(value)).encode()


NEVER: Final = Answer(200, "text/plain", (), hangs=True)


def _parts(body: bytes) -> tuple[bytes, ...]:
    size = max(1, -(-len(body) // DRIPS))
    return tuple(body[start : start + size] for start in range(0, len(body), size))


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Scripted"
