"""A session with an MCP server: a task that opens, holds and closes its connection."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final, TextIO

import anyio
import httpx2
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp.types import CONNECTION_CLOSED, INVALID_REQUEST, CallToolResult
from mcp.types import Tool as McpTool
from pydantic import ValidationError

from mini_agent.errors import ToolsUnavailable
from mini_agent.mcp.client.convert import (
    convert_result,
    convert_tool,
    decode_resource,
    error_result,
    note_mismatches,
)
from mini_agent.mcp.client.messages import Cursors, StrayOutput, join_lines, silence_sdk
from mini_agent.mcp.client.server import McpCommand, McpTarget, ProgressListener
from mini_agent.messages import JsonObject
from mini_agent.tools.invoker import OutputListener, Tool, ToolOutput
from mini_agent_protocol.execution import Output

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, TransportStreams

MAX_STDERR_BYTES: Final = 2000
CONNECT_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 8.0
SESSION_LOST: Final = "Session terminated"


class Connection:
    """A connection to `server`; `ended` is set at once when the server closes it."""

    def __init__(self, server: McpTarget) -> None:
        self.ended = asyncio.Event()
        self.stray = StrayOutput()
        self._server = server
        self._stderr = _StderrTail()

    @property
    def stderr_tail(self) -> str:
        """The end of what a child process wrote to its stderr."""
        return self._stderr.tail.decode("utf-8", "replace").strip()

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[TransportStreams]:
        """Open the streams that the SDK reads and writes."""
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
            return self._start_child(self._server)
        return _connect_http(self._server.url, dict(self._server.headers))

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
        if isinstance(message, Exception) and isinstance(self._server, McpCommand):
            return self.stray.convert(message)
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
        silence_sdk()
        async with self._stderr.open() as stderr, stdio_client(parameters, stderr) as streams:
            yield streams


@asynccontextmanager
async def _connect_http(url: str, headers: dict[str, str]) -> AsyncIterator[TransportStreams]:
    # The read timeout is set for each call.
    timeout = httpx2.Timeout(CONNECT_TIMEOUT_S, read=None)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout) as http,
        streamable_http_client(url, http_client=http) as streams,
    ):
        yield streams


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


class McpSession:
    """A session, for any task of the event loop in which it was opened.

    The SDK's connection must be exited by the task that entered it, so one task does both and waits
    in between. Calls run in their callers' tasks; cancelling one cancels it at the server.
    """

    def __init__(self, server: McpTarget) -> None:
        self._server = server
        self._connection = Connection(server)
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        # asyncio logs an exception that is never retrieved, as after its waiter was cancelled.
        self._ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        self._over = asyncio.Event()
        self._owner = asyncio.create_task(self._run())

    async def wait_until_open(self, timeout_s: float) -> None:
        """Wait until the server is ready; raises `ToolsUnavailable` after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._ready)
        except TimeoutError:
            self._owner.cancel()
            raise ToolsUnavailable(
                f"{self._server.label} was not ready within {timeout_s:g} s{self._stderr_note}"
            ) from None

    @property
    def is_open(self) -> bool:
        """Tell whether calls can be made; a server that has died ends its session at once."""
        return self._ready.done() and not self._owner.done() and not self._connection.ended.is_set()

    @property
    def remark(self) -> str:
        """What is wrong with a server that works all the same; empty for nothing."""
        return self._connection.stray.remark

    @property
    def is_over(self) -> bool:
        """Tell whether the session and its connection are closed."""
        return self._owner.done()

    def end(self) -> None:
        """Begin to close the session; one that is still opening is cancelled."""
        self._over.set()
        if not self._ready.done():
            self._owner.cancel()

    async def aclose(self) -> None:
        """Close the session and, where it is a child process, the server."""
        self.end()
        await asyncio.wait({self._owner}, timeout=CLOSE_TIMEOUT_S)

    async def list_openai_tools(self) -> list[Tool]:
        """List the tools in OpenAI's format."""
        return [convert_tool(tool) for tool in await self.list_mcp_tools()]

    async def list_mcp_tools(self) -> list[McpTool]:
        """List the tools of all pages, as the server describes them."""
        client, listed = self._ready.result(), []
        cursors = Cursors(f"{self._server.label} lists no tools")
        with cursors.translating():
            while cursors.has_more:
                page = await client.list_tools(cursor=cursors.next)
                listed += page.tools
                cursors.advance(page.next_cursor)
        return listed

    async def list_templates(self) -> list[str]:
        """List the URI templates of the resources, with `{...}` for parameters."""
        client, listed = self._ready.result(), []
        if client.server_capabilities.resources is None:
            return []
        cursors = Cursors(f"{self._server.label} lists no resource templates")
        with cursors.translating():
            while cursors.has_more:
                page = await client.list_resource_templates(cursor=cursors.next)
                listed += [each.uri_template for each in page.resource_templates]
                cursors.advance(page.next_cursor)
        return listed

    async def read_resource(self, uri: str) -> list[str]:
        """Return the contents of a resource as texts."""
        try:
            read = await self._ready.result().read_resource(uri)
        except (MCPError, ValidationError) as broken:
            reason = join_lines(broken)
            raise ToolsUnavailable(f"{self._server.label} has no {uri:.80}: {reason}") from broken
        return [decode_resource(each) for each in read.contents]

    async def stream_tool(
        self, name: str, arguments: JsonObject, listener: OutputListener
    ) -> ToolOutput:
        """Call a tool; `listener` gets the progress that the server reports, as stderr."""
        return convert_result(
            await self.call_mcp_tool(name, arguments, progress_as_stderr(listener))
        )

    async def call_mcp_tool(
        self, name: str, arguments: JsonObject, progress: ProgressListener
    ) -> CallToolResult:
        """Call a tool; a failure of the server is an error result."""
        try:
            client = self._ready.result()
            return await client.call_tool(name, arguments, progress_callback=progress)
        except MCPError as error:
            return error_result(self._describe_error(error))
        except (RuntimeError, ValidationError) as odd:
            return error_result(
                f"{self._server.label} was called, but its result cannot be read, so whether it "
                f"did what it should is not known: {odd!s:.500}"
            )

    async def _run(self) -> None:
        try:
            async with Client(self._connection.streams(), cache=None) as client:
                note_mismatches(client.session)
                self._ready.set_result(client)
                await self._wait_until_over()
        except Exception as broken:  # noqa: BLE001  the SDK raises whatever its libraries raise
            if not self._ready.done():
                self._ready.set_exception(self._unavailable(broken))
        finally:
            self._connection.ended.set()
            self._ready.cancel()

    async def _wait_until_over(self) -> None:
        waits = {
            asyncio.create_task(event.wait()) for event in (self._over, self._connection.ended)
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _describe_error(self, error: MCPError) -> str:
        is_lost = error.code == INVALID_REQUEST and error.message == SESSION_LOST
        if is_lost:
            self._over.set()
            return (
                f"{self._server.label} has forgotten this session: call again, it opens a new one"
            )
        if error.code == CONNECTION_CLOSED:
            return (
                f"{self._server.label} is gone, and whether the call was carried out is not known"
                f"{self._stderr_note}"
            )
        return error.message or f"{self._server.label} refuses the call with code {error.code}"

    def _unavailable(self, broken: BaseException) -> ToolsUnavailable:
        reason = broken
        while isinstance(reason, BaseExceptionGroup):
            reason = reason.exceptions[0]
        what = join_lines(reason) or type(reason).__name__
        return ToolsUnavailable(
            f"{self._server.label} cannot be used: {what:.300}{self._stderr_note}"
        )

    @property
    def _stderr_note(self) -> str:
        text = " ".join(self._connection.stderr_tail.split())
        return f"; it says: {text[-300:]}" if text else ""


def progress_as_stderr(listener: OutputListener) -> ProgressListener:
    """Return a progress listener that passes progress to `listener` as lines of stderr."""

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        of = "" if total is None else f"/{total:g}"
        suffix = f": {message}" if message else ""
        listener(Output(stream="stderr", text=f"{progress:g}{of}{suffix}\n"))

    return on_progress
