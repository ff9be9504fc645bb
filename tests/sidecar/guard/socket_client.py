"""Bytes to a unix socket, and the answer they get."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from mini_agent.errors import ErrorBody

BODY = TypeAdapter(JsonValue)


class Refusal(BaseModel):
    """The one shape of an error, and the engine's beside it."""

    model_config = ConfigDict(extra="forbid")

    message: str
    error: ErrorBody


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, and its body."""

    status: int
    body: bytes

    def refusal(self) -> Refusal:
        """The body as an error."""
        return Refusal.model_validate_json(self.body)


async def ask(place: Path, request: bytes, patience_s: float = 30.0) -> Reply:
    """Sends the request and no more; what comes back until the other side closes."""
    async with asyncio.timeout(patience_s):
        reader, writer = await asyncio.open_unix_connection(str(place))
        try:
            writer.write(request)
            writer.write_eof()
            said = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
    head, _, body = said.partition(b"\r\n\r\n")
    return Reply(int(head.split(b" ", 2)[1]) if head else 0, body)


def request(method: str, target: str, body: bytes = b"", *headers: str) -> bytes:
    """A plain request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: engine", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
