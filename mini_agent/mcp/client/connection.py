"""A connection to an MCP server: a child process, streamable HTTP, or the older SSE."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TextIO

import anyio
import httpx2
from mcp import StdioServerParameters, stdio_client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCError, JSONRPCRequest, JSONRPCResponse

from mini_agent.mcp.client.answers import keep_usable_tools
from mini_agent.mcp.client.http import CONNECT_TIMEOUT_S, McpHttpClient
from mini_agent.mcp.client.messages import StrayOutput, silence_sdk
from mini_agent.mcp.client.server import McpAddress, McpCommand, McpTarget

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, TransportStreams, WriteStream

MAX_STDERR_BYTES: Final = 2000


class Connection:
    """A connection to `server`; `ended` is set at once when the server closes it."""

    def __init__(self, server: McpTarget) -> None:
        self.ended = asyncio.Event()
        self.stray = StrayOutput()
        self._server = server
        self._stderr = _StderrTail()
        self._http: McpHttpClient | None = None

    @property
    def stderr_tail(self) -> str:
        """The end of what a child process wrote to its stderr."""
        return self._stderr.tail.decode("utf-8", "replace").strip()

    @property
    def refusal(self) -> str:
        """Why an address refused the last request that it refused; empty for none."""
        return self._http.refusal if self._http is not None else ""

    @property
    def refusal_status(self) -> int:
        """The HTTP status of that refusal; 0 for none."""
        return self._http.refusal_status if self._http is not None else 0

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[TransportStreams]:
        """Open the streams that the SDK reads and writes."""
        silence_sdk()
        async with self._transport() as (read, write):
            passing, passed = anyio.create_memory_object_stream[SessionMessage | Exception](0)
            relay = asyncio.create_task(self._relay(read, passing))
            try:
                yield passed, self._watch(write)
            finally:
                relay.cancel()
                await asyncio.wait({relay})

    def _transport(self) -> AbstractAsyncContextManager[TransportStreams]:
        match self._server:
            case McpCommand():
                return self._start_child(self._server)
            case McpAddress(transport="sse"):
                return self._connect_sse(self._server)
            case _:
                return self._connect_http(self._server)

    def _watch(self, write: WriteStream[SessionMessage]) -> WriteStream[SessionMessage]:
        """Note the ids of requests to a child process, whose lines may be unreadable."""
        if not isinstance(self._server, McpCommand):
            return write
        return _WatchedStream(write, self.stray.pending.add)

    async def _relay(
        self,
        read: ReadStream[SessionMessage | Exception],
        passing: anyio.abc.ObjectSendStream[SessionMessage | Exception],
    ) -> None:
        try:
            async with passing:
                async for message in read:
                    known = self._convert(message)
                    if known is not None:
                        await passing.send(known)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass  # one of the ends was closed, which ends the connection as well
        finally:
            self.ended.set()

    def _convert(self, message: SessionMessage | Exception) -> SessionMessage | Exception | None:
        if isinstance(message, Exception):
            is_child = isinstance(self._server, McpCommand)
            converted = self.stray.convert(message) if is_child else message
            if not isinstance(converted, SessionMessage):
                return converted
            message = converted
        answer = message.message
        if isinstance(answer, JSONRPCResponse | JSONRPCError) and answer.id is not None:
            self.stray.pending.discard(answer.id)
        if isinstance(answer, JSONRPCResponse):
            self.stray.malformed += keep_usable_tools(answer.result)
        return message

    @asynccontextmanager
    async def _start_child(self, server: McpCommand) -> AsyncIterator[TransportStreams]:
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
    async def _connect_http(self, server: McpAddress) -> AsyncIterator[TransportStreams]:
        async with (
            McpHttpClient(server.url, server.headers) as self._http,
            streamable_http_client(server.url, http_client=self._http) as streams,
        ):
            yield streams

    def _connect_sse(self, server: McpAddress) -> AbstractAsyncContextManager[TransportStreams]:
        def make_client(
            headers: dict[str, str] | None = None,
            timeout: httpx2.Timeout | None = None,
            auth: httpx2.Auth | None = None,
        ) -> httpx2.AsyncClient:
            del headers, timeout, auth
            self._http = McpHttpClient(server.url, server.headers, on_refusal=self.ended.set)
            return self._http

        return sse_client(server.url, timeout=CONNECT_TIMEOUT_S, httpx_client_factory=make_client)


class _WatchedStream:
    """A stream of messages to the server; `on_request` gets the id of each request."""

    def __init__(
        self, inner: WriteStream[SessionMessage], on_request: Callable[[int | str], None]
    ) -> None:
        self._inner, self._on_request = inner, on_request

    async def send(self, item: SessionMessage, /) -> None:
        if isinstance(item.message, JSONRPCRequest):
            self._on_request(item.message.id)
        await self._inner.send(item)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._inner.__aexit__(kind, error, trace)


class _StderrTail(asyncio.Protocol):
    """Reads a pipe and keeps the last `MAX_STDERR_BYTES`."""

    def __init__(self) -> None:
        self.tail = b""

    def data_received(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-MAX_STDERR_BYTES:]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TextIO]:
        """Open the file that the child process writes to."""
        reading, writing = os.pipe()
        loop = asyncio.get_running_loop()
        with os.fdopen(writing, "w") as file:
            transport, _ = await loop.connect_read_pipe(lambda: self, os.fdopen(reading, "rb", 0))
            try:
                yield file
            finally:
                transport.close()
