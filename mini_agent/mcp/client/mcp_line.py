"""The line to an MCP server, whose end is noticed when it comes and not at the next call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final, TextIO

import anyio
import httpx2
from mcp import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from mini_agent.mcp.client.server import McpCommand, Server

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, TransportStreams

KEPT: Final = 2000
CONNECT_S: Final = 10.0


class Line:
    """One connection to `server`; `ended` is set when the server has hung up."""

    def __init__(self, server: Server) -> None:
        self.ended = asyncio.Event()
        self._server = server
        self._stderr = _Tail()

    @property
    def complaints(self) -> str:
        """The end of what the server, a child process, wrote to its stderr."""
        return self._stderr.kept.decode("utf-8", "replace").strip()

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[TransportStreams]:
        """What the SDK reads from and writes to."""
        async with self._transport() as (read, write):
            passing, passed = anyio.create_memory_object_stream[SessionMessage | Exception](0)
            relay = asyncio.create_task(self._relay(read, passing))
            try:
                yield passed, write
            finally:
                relay.cancel()
                await asyncio.wait({relay})

    def _transport(self) -> AbstractAsyncContextManager[TransportStreams]:
        if isinstance(self._server, McpCommand):
            return self._child(self._server)
        return _over_http(self._server.url, dict(self._server.headers))

    async def _relay(
        self,
        read: ReadStream[SessionMessage | Exception],
        passing: anyio.abc.ObjectSendStream[SessionMessage | Exception],
    ) -> None:
        try:
            async with passing:
                async for message in read:
                    await passing.send(message)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass  # one of the ends was closed, which is the end of the line as well
        finally:
            self.ended.set()

    @asynccontextmanager
    async def _child(self, server: McpCommand) -> AsyncIterator[TransportStreams]:
        parameters = StdioServerParameters(
            command=server.command,
            args=list(server.args),
            env=dict(server.env),
            cwd=server.cwd,
            encoding_error_handler="replace",
        )
        async with self._stderr.open() as stderr, stdio_client(parameters, stderr) as streams:
            yield streams


@asynccontextmanager
async def _over_http(url: str, headers: dict[str, str]) -> AsyncIterator[TransportStreams]:
    # How long an answer may take is said for each call.
    patience = httpx2.Timeout(CONNECT_S, read=None)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=patience) as http,
        streamable_http_client(url, http_client=http) as streams,
    ):
        yield streams


class _Tail(asyncio.Protocol):
    """Reads a stderr and keeps the end of it."""

    def __init__(self) -> None:
        self.kept = b""

    def data_received(self, data: bytes) -> None:
        self.kept = (self.kept + data)[-KEPT:]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TextIO]:
        """The file that a child is to write to."""
        reading, writing = os.pipe()
        loop = asyncio.get_running_loop()
        with os.fdopen(writing, "w") as file:
            transport, _ = await loop.connect_read_pipe(lambda: self, os.fdopen(reading, "rb", 0))
            try:
                yield file
            finally:
                transport.close()
