"""A connection to the engine on which one call follows another."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self

import h11
from pydantic import JsonValue

MOST_HEAD_BYTES: Final = 65_536
MOST_BODY_BYTES: Final = 32 << 20
CHUNK_BYTES: Final = 65_536

Receive = Callable[[], Awaitable[bytes]]


class Garbled(ConnectionError):
    """What came back is not an answer in HTTP, or only half of one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


class Exchange:
    """Is used by one caller at a time. Raises `OSError` when it breaks."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = new_http()

    @classmethod
    async def open(cls, socket_path: str) -> Self:
        """A new connection."""
        return cls(*await asyncio.open_unix_connection(socket_path))

    @property
    def is_usable(self) -> bool:
        """Whether another call can be made on it."""
        has_ended = self._reader.at_eof() or self._writer.is_closing()
        return self._http.our_state is h11.IDLE and not has_ended

    async def call(self, method: str, path: str, body: dict[str, JsonValue] | None) -> Answer:
        """Makes one call."""
        content = b"" if body is None else json.dumps(body).encode()
        fields = [("Content-Length", str(len(content)))]
        if body is not None:
            fields.append(("Content-Type", "application/json"))
        head = h11.Request(method=method, target=path, headers=[("Host", "engine"), *fields])
        self._writer.write(write_request(self._http, head, content))
        await self._writer.drain()
        answer = await self._answer()
        if self._http.our_state is h11.DONE and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
        return answer

    async def close(self) -> None:
        """Lets go of the connection, whatever is still to be sent."""
        self._writer.transport.abort()
        # How it ended is nobody's concern; where nobody asks, the loop complains of that.
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _answer(self) -> Answer:
        status, body = 0, bytearray()
        while not isinstance(
            event := await read_event(self._http, self._receive), h11.EndOfMessage
        ):
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            if len(body) > MOST_BODY_BYTES:
                raise Garbled(f"an answer of more than {MOST_BODY_BYTES} bytes")
        return Answer(status, bytes(body))

    async def _receive(self) -> bytes:
        return await self._reader.read(CHUNK_BYTES)


def new_http() -> h11.Connection:
    """Makes the state of a connection on which nothing has been said."""
    return h11.Connection(h11.CLIENT, MOST_HEAD_BYTES)


def write_request(http: h11.Connection, head: h11.Request, content: bytes = b"") -> bytes:
    """Writes a whole request as bytes."""
    events = (head, h11.Data(data=content), h11.EndOfMessage())
    return b"".join(http.send(event) or b"" for event in events)


async def read_event(http: h11.Connection, receive: Receive) -> h11.Event:
    """Reads the next part of an answer; `Garbled` where there is none."""
    try:
        while not isinstance(event := http.next_event(), h11.Event):
            http.receive_data(await receive())
    except h11.RemoteProtocolError as odd:
        has_ended = http.trailing_data[1]
        why = "it hung up before the end of its answer" if has_ended else f"it is not HTTP: {odd}"
        raise Garbled(why) from odd
    return event
