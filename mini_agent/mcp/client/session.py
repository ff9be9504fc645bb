"""A session with an MCP server: a task that opens, holds and closes its connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from mcp import Client, MCPError
from mcp.client.session import IncomingMessage
from mcp.client.subscriptions import SubscriptionLost
from mcp.types import CONNECTION_CLOSED, PARSE_ERROR, CallToolResult, ToolListChangedNotification
from mcp.types import Tool as McpTool
from pydantic import ValidationError

from mini_agent.errors import ToolsUnavailable
from mini_agent.mcp.client.answers import clean_arguments
from mini_agent.mcp.client.connection import Connection
from mini_agent.mcp.client.convert import (
    convert_result,
    convert_tool,
    decode_resource,
    error_result,
    note_mismatches,
)
from mini_agent.mcp.client.messages import Cursors, join_lines
from mini_agent.mcp.client.refusals import is_session_lost, refusal_marks
from mini_agent.mcp.client.server import McpAddress, McpTarget, ProgressListener, SessionLost
from mini_agent.messages import JsonObject, replace_surrogates
from mini_agent.tools.invoker import OutputListener, Tool, ToolOutput
from mini_agent_protocol.execution import Output

MODERN_VERSIONS: Final = frozenset({"2026-07-28"})
CLOSE_TIMEOUT_S: Final = 8.0
# What a server with the older SSE alone answers to a POST.
SSE_STATUSES: Final = frozenset({400, 404, 405})


class McpSession:
    """A session, for any task of the event loop in which it was opened.

    The SDK's connection must be exited by the task that entered it, so one task does both and waits
    in between. Calls run in their callers' tasks; cancelling one cancels it at the server.
    """

    def __init__(
        self, server: McpTarget, on_tools_changed: Callable[[], None] = lambda: None
    ) -> None:
        self._server = server
        self._on_tools_changed = on_tools_changed
        self._connection = Connection(server)
        self._listing_remark = ""
        self._uses, self._is_ending = 0, False
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
        is_ended = self._is_ending or self._over.is_set() or self._connection.ended.is_set()
        return self._ready.done() and not self._owner.done() and not is_ended

    @property
    def remark(self) -> str:
        """What is wrong with a server that works all the same; empty for nothing."""
        return "; ".join(filter(None, (self._connection.stray.remark, self._listing_remark)))

    @property
    def is_over(self) -> bool:
        """Tell whether the session and its connection are closed."""
        return self._owner.done()

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the session from being closed by `end`."""
        self._uses += 1
        try:
            yield
        finally:
            self._uses -= 1
            if self._is_ending and not self._uses:
                self._close()

    def end(self) -> None:
        """Begin no more, and close the session once nothing uses it."""
        self._is_ending = True
        if not self._uses:
            self._close()

    async def aclose(self) -> None:
        """Close the session and, where it is a child process, the server."""
        self._close()
        await asyncio.wait({self._owner}, timeout=CLOSE_TIMEOUT_S)

    def _close(self) -> None:
        self._over.set()
        if not self._ready.done():
            self._owner.cancel()

    async def list_openai_tools(self) -> list[Tool]:
        """List the tools in OpenAI's format."""
        return [convert_tool(tool) for tool in await self.list_mcp_tools()]

    async def list_mcp_tools(self) -> list[McpTool]:
        """List the tools of all pages, as the server describes them."""
        client = self._ready.result()
        listed: dict[str, McpTool] = {}
        cursors = self._cursors("tools")
        with cursors.translating():
            while cursors.has_more:
                page = await client.list_tools(cursor=cursors.next)
                for tool in page.tools:
                    listed.setdefault(tool.name, tool)
                cursors.advance(page.next_cursor)
        self._listing_remark = cursors.remark
        return list(listed.values())

    async def list_templates(self) -> list[str]:
        """List the URI templates of the resources, with `{...}` for parameters."""
        client = self._ready.result()
        if client.server_capabilities.resources is None:
            return []
        listed: list[str] = []
        cursors = self._cursors("resource templates")
        with cursors.translating():
            while cursors.has_more:
                page = await client.list_resource_templates(cursor=cursors.next)
                listed += [each.uri_template for each in page.resource_templates]
                cursors.advance(page.next_cursor)
        return listed

    async def read_resource(self, uri: str) -> list[str]:
        """Return the contents of a resource as texts."""
        try:
            read = await self._ready.result().read_resource(replace_surrogates(uri))
        except (MCPError, ValidationError) as broken:
            reason = self._server.redact(join_lines(broken))
            if isinstance(broken, MCPError):
                self._raise_if_lost(broken)
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
        """Call a tool; a failure of the server is an error result.

        Raises `SessionLost` where the server knows the session no longer and has begun nothing.
        """
        try:
            return await self._ready.result().call_tool(
                replace_surrogates(name),
                clean_arguments(arguments),
                progress_callback=progress,
            )
        except MCPError as error:
            self._raise_if_lost(error)
            return error_result(self._server.redact(self._describe_error(error)))
        except (RuntimeError, ValidationError) as odd:
            return error_result(
                f"{self._server.label} was called, but its result cannot be read, so whether it "
                f"did what it should is not known: {self._server.redact(str(odd)):.500}"
            )

    async def _run(self) -> None:
        try:
            await self._hold()
        except Exception as broken:  # noqa: BLE001  the SDK raises whatever its libraries raise
            if not self._ready.done():
                await self._try_sse(self._unavailable(broken))
        finally:
            self._connection.ended.set()
            self._ready.cancel()

    async def _hold(self) -> None:
        """Open the connection, and hold it until the session is over."""
        streams = self._connection.streams()
        async with Client(streams, cache=None, message_handler=self._handle_message) as client:
            note_mismatches(client.session)
            self._ready.set_result(client)
            listening = asyncio.create_task(self._listen(client))
            try:
                await self._wait_until_over()
            finally:
                listening.cancel()
                await asyncio.wait({listening})

    async def _try_sse(self, failure: ToolsUnavailable) -> None:
        """Try the older SSE where the server refused a POST as one without it does."""
        server, refused = self._server, self._connection.refusal_status in SSE_STATUSES
        if not isinstance(server, McpAddress) or server.transport != "auto" or not refused:
            self._ready.set_exception(failure)
            return
        self._connection = Connection(replace(server, transport="sse"))
        try:
            await self._hold()
        except Exception:  # noqa: BLE001  as above
            if not self._ready.done():
                self._ready.set_exception(failure)

    async def _handle_message(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._on_tools_changed()

    async def _listen(self, client: Client) -> None:
        """Receive changes of the tools in protocol versions where a client asks for them."""
        tools = client.server_capabilities.tools
        if client.protocol_version not in MODERN_VERSIONS or not (tools and tools.list_changed):
            return
        with contextlib.suppress(MCPError, SubscriptionLost, RuntimeError):
            async with client.listen(tools_list_changed=True) as changes:
                async for _change in changes:
                    self._on_tools_changed()

    async def _wait_until_over(self) -> None:
        waits = {
            asyncio.create_task(event.wait()) for event in (self._over, self._connection.ended)
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _cursors(self, what: str) -> Cursors:
        failure = f"{self._server.label} lists no {what}"
        return Cursors(failure, self._server.redact, isinstance(self._server, McpAddress))

    def _raise_if_lost(self, error: MCPError) -> None:
        if is_session_lost(error, has_address=isinstance(self._server, McpAddress)):
            self._is_ending = True
            why = self._server.redact(join_lines(error))
            raise SessionLost(f"{self._server.label} did not begin the call: {why}") from error

    def _describe_error(self, error: MCPError) -> str:
        if refusal_marks(error) is not None:
            return f"{self._server.label} did not answer: {error.message}"
        if error.code == CONNECTION_CLOSED:
            refusal = self._connection.refusal
            return (
                f"{self._server.label} is gone, and whether the call was carried out is not known"
                f"{f': {refusal}' if refusal else ''}{self._stderr_note}"
            )
        if error.code == PARSE_ERROR:
            return (
                f"{self._server.label} was called, but its answer cannot be read, so whether it "
                f"did what it should is not known: {join_lines(error)}"
            )
        return error.message or f"{self._server.label} refuses the call with code {error.code}"

    def _unavailable(self, broken: BaseException) -> ToolsUnavailable:
        reason = broken
        while isinstance(reason, BaseExceptionGroup):
            reason = reason.exceptions[0]
        what = join_lines(reason) or type(reason).__name__
        why = self._server.redact(f"{what:.300}{self._stderr_note}")
        return ToolsUnavailable(f"{self._server.label} cannot be used: {why}")

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
