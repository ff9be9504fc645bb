"""An engine that notes what it is asked and gives the same answers to everybody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from pydantic import JsonValue

Streams = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A container that says what it hears, until it hears nothing more."""
    while heard := await reader.read(65_536):
        writer.write(heard)
        await writer.drain()


@dataclass
class RecordingEngine:
    """`heads` and `bodies` are what arrived; `status` answers what changes things."""

    socket: Path
    labels: dict[str, str] = field(default_factory=dict)
    found: list[JsonValue] = field(default_factory=list)
    status: int = HTTPStatus.OK
    streams: Streams = echo
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listens on its socket."""
        self._server = await asyncio.start_unix_server(self._serve, str(self.socket))

    async def stop(self) -> None:
        """Goes away."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._open):
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)
        self.socket.unlink(missing_ok=True)

    def asked(self) -> list[str]:
        """The request lines, without those that only find out the version."""
        lines = [head.partition(" HTTP/1.1\r\n")[0] for head in self.heads]
        return [line for line in lines if line != "GET /version"]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        lengths = [line[16:] for line in head.lower().splitlines() if "content-length:" in line]
        self.bodies.append(await reader.readexactly(int(lengths[0])) if lengths else b"")
        if "/attach?" in head:
            writer.write(b"HTTP/1.1 101 UPGRADED\r\n\r\n")
            await self.streams(reader, writer)
            return False
        status = self.status if head.startswith(("POST", "DELETE")) else HTTPStatus.OK
        content = json.dumps(self._answer(head)).encode()
        length = f"Content-Length: {len(content)}"
        writer.write(f"HTTP/1.1 {status} X\r\n{length}\r\n\r\n".encode() + content)
        return True

    def _answer(self, head: str) -> JsonValue:
        if head.startswith("GET /version"):
            return {"ApiVersion": "1.47", "KernelVersion": "6.1"}
        if "/containers/json" in head:
            return list[JsonValue](self.found)
        labels: dict[str, JsonValue] = dict(self.labels.items())
        return {"Config": {"Labels": labels}, "message": "said by the engine"}
