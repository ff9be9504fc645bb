"""A minimal HTTP/1.1 client: one open connection, little time around the request."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Final, Self

MAX_HEAD_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Address:
    """Host, port and token of a sidecar."""

    host: str
    port: int
    token: str


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class HttpConnection:
    """One connection, one request at a time; reopened if the server closed it."""

    def __init__(
        self, address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._address, self._reader, self._writer = address, reader, writer

    @classmethod
    async def open(cls, address: Address) -> Self:
        """Open a connection."""
        return cls(address, *await _open_streams(address))

    async def close(self) -> None:
        """Close it."""
        self._writer.close()
        await self._writer.wait_closed()

    async def request(self, method: str, path: str, body: bytes = b"") -> HttpResponse:
        """Send a request and read its response."""
        # A server closes a connection that was idle for some seconds.
        if self._reader.at_eof():
            self._reader, self._writer = await _open_streams(self._address)
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._address.host}\r\n"
            f"Authorization: Bearer {self._address.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        content = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return HttpResponse(int(lines[0].split(" ")[1]), content, headers)


async def _open_streams(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(address.host, address.port, limit=MAX_HEAD_BYTES)


def snippet_body(language: str, code: str, **more: object) -> bytes:
    """The body of a request for one execution."""
    return json.dumps({"language": language, "code": code, **more}).encode()
