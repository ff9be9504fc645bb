"""How a scripted reply becomes an HTTP answer in a server's own wire format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mini_agent.testing.answer import NEVER, Answer, json_answer
from mini_agent.testing.http import Request
from mini_agent.testing.replies_ import (
    BreaksOff,
    HalfClosed,
    Hang,
    JsonObject,
    NoChoices,
    Paced,
    RawBody,
    Refusal,
    Reply,
    Scripted,
)

CHUNK_CHARS = 4


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format: the functions that write a reply, a stream of it, nothing, an error."""

    whole: Callable[[Request, Reply], JsonObject]
    chunks: Callable[[Request, Reply], list[JsonObject]]
    nothing: Callable[[Request], JsonObject]
    error: Callable[[int, str], JsonObject]
    frame: Callable[[JsonObject], bytes]
    media_type: str
    stream_end: bytes = b""

    def answer(self, request: Request, said: Scripted) -> Answer:
        """The answer to a request for a turn."""
        match said:
            case Reply():
                return self._turn(request, said)
            case Refusal(status, message, retry_after):
                return replace(self.refusal(status, message), retry_after=retry_after)
            case Paced(reply, after_s, every_s):
                return self.answer(request, reply).paced(after_s=after_s, every_s=every_s)
            case BreaksOff(content, message):
                return self._broken_off(request, content, message)
            case _:
                return self._odd(request, said)

    def refusal(self, status: int, message: str) -> Answer:
        """An error before the first byte."""
        return json_answer(status, self.error(status, message))

    def _turn(self, request: Request, reply: Reply) -> Answer:
        if not request.stream:
            return json_answer(200, self.whole(request, reply))
        return self._stream(self.chunks(request, reply))

    def _stream(self, objects: list[JsonObject]) -> Answer:
        frames = (*(self.frame(one) for one in objects), self.stream_end)
        pieces = tuple(frame for frame in frames if frame)
        return Answer(200, self.media_type, pieces, streamed=True)

    def _broken_off(self, request: Request, content: str, message: str) -> Answer:
        if not request.stream:
            return self.refusal(500, message)
        spoken = self.chunks(request, Reply(content))[: len(pieces_of(content))]
        answer = self._stream([*spoken, self.error(500, message)])
        return replace(answer, pieces=answer.pieces[: len(spoken) + 1])

    def _odd(self, request: Request, said: Hang | HalfClosed | RawBody | NoChoices) -> Answer:
        match said:
            case Hang():
                return NEVER
            case RawBody(body, status, media_type):
                return Answer(status, media_type, (body.encode(),))
            case HalfClosed(content):
                return replace(self._turn(request, Reply(content)), cut=True)
            case NoChoices():
                nothing = self.nothing(request)
                return self._stream([nothing]) if request.stream else json_answer(200, nothing)


def pieces_of(content: str | None) -> list[str]:
    """Text as a stream brings it: four characters at a time, so that tags arrive in pieces."""
    text = content or ""
    return [text[start : start + CHUNK_CHARS] for start in range(0, len(text), CHUNK_CHARS)]
