"""A connection to the engine on which one call follows another."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

from pydantic import JsonValue

MOST_HEAD_BYTES: Final = 65_536
MOST_BODY_BYTES: Final = 32 << 20


class Garbled(Exception):
    """What came back is not an answer in HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


class Exchange:
    """Is used by one caller at a time. Raises `OSError`, `EOFError` or `Garbled` when it breaks."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._is_between_calls = True
        self._is_last = False

    @classmethod
    async def open(cls, socket_path: str) -> Self:
        """A new connection."""
        return cls(*await asyncio.open_unix_connection(socket_path, limit=MOST_HEAD_BYTES))

    @property
    def is_usable(self) -> bool:
        """Whether another call can be made on it."""
        has_ended = self._is_last or self._reader.at_eof() or self._writer.is_closing()
        return self._is_between_calls and not has_ended

    async def call(self, method: str, path: str, body: dict[str, JsonValue] | None) -> Answer:
        """Makes one call."""
        self._is_between_calls = False
        content = b"" if body is None else json.dumps(body).encode()
        kind = "" if body is None else "Content-Type: application/json\r\n"
        head = f"{method} {path} HTTP/1.1\r\nHost: engine\r\n{kind}"
        self._writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        await self._writer.drain()
        try:
            answer = await self._answer()
        except (asyncio.LimitOverrunError, ValueError, IndexError) as odd:
            raise Garbled("what the engine said is not HTTP") from odd
        self._is_between_calls = True
        return answer

    async def close(self) -> None:
        """Lets go of the connection, whatever is still to be sent."""
        self._writer.transport.abort()
        # How it ended is nobody's concern; where nobody asks, the loop complains of that.
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _answer(self) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        first, *lines = head.split("\r\n")
        status = int(first.split(" ", 2)[1])
        fields = dict(line.split(":", 1) for line in lines if line)
        self._is_last = "close" in fields.get("connection", "")
        if status == HTTPStatus.NO_CONTENT:
            return Answer(status, b"")
        if "chunked" in fields.get("transfer-encoding", ""):
            return Answer(status, await self._chunks())
        return Answer(status, await self._exactly(int(fields.get("content-length", "0"))))

    async def _chunks(self) -> bytes:
        body = bytearray()
        while chunk := await self._exactly(int(await self._reader.readline(), 16), len(body)):
            body += chunk
            await self._reader.readline()
        await self._reader.readline()
        return bytes(body)

    async def _exactly(self, count: int, before: int = 0) -> bytes:
        if count < 0 or before + count > MOST_BODY_BYTES:
            raise Garbled(f"an answer of {before + count} bytes")
        return await self._reader.readexactly(count)
