"""The tools of an MCP server."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar
from weakref import WeakKeyDictionary

from mini_agent.errors import BadRequest, MiniAgentError, ToolsUnavailable, ToolTooSlow
from mini_agent.mcp.client.server import (
    McpAddress,
    McpCommand,
    McpTarget,
    ProgressListener,
)
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import NotRun, called
from mini_agent.tools.invoker import (
    Listener,
    OpenAIToolCall,
    Tool,
    ToolOutput,
    refused,
    unheard,
)

if TYPE_CHECKING:
    from mcp.types import CallToolResult
    from mcp.types import Tool as McpTool

    from mini_agent.mcp.client.session import McpSession

Result = TypeVar("Result")
MAX_TIMEOUT_S: Final = 86_400.0
MIN_BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 30.0


class McpInvoker:
    """Lists and calls the tools of one MCP server, which is started or connected to when needed.

    The session is kept, also from run to run, until `aclose` or the end of an `async with`; each
    event loop has its own. A server that has died is started anew by the next call, after a pause
    when it would not start. It may take `startup_timeout` seconds to start and `tool_timeout` for
    a call, which is cancelled there.
    """

    def __init__(
        self, server: McpTarget, *, startup_timeout: float = 30.0, tool_timeout: float = 60.0
    ) -> None:
        for name, seconds in (("startup_timeout", startup_timeout), ("tool_timeout", tool_timeout)):
            if not 0 < seconds <= MAX_TIMEOUT_S:
                raise BadRequest(
                    f"{name} must be above 0 and at most {MAX_TIMEOUT_S:g} seconds, not {seconds!r}",
                    field=name,
                )
        self._server = server
        self._startup_s, self._tool_s = startup_timeout, tool_timeout
        self._places: WeakKeyDictionary[AbstractEventLoop, _LoopSession] = WeakKeyDictionary()

    @classmethod
    def command(
        cls, command: str, *args: str, env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> Self:
        """A server that `command` starts as a child process."""
        return cls(McpCommand(command, args, env or {}, cwd))

    @classmethod
    def address(cls, url: str, headers: Mapping[str, str] | None = None) -> Self:
        """A server that speaks streamable HTTP at `url`."""
        return cls(McpAddress(url, headers or {}))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the session of this event loop, and the server that it had started."""
        place = self._places.pop(asyncio.get_running_loop(), None)
        if place is not None:
            await asyncio.shield(place.aclose())

    async def list_openai_tools(self) -> list[Tool]:
        """The server's tools; `ToolsUnavailable` when it cannot be reached."""
        session = await self._session()
        try:
            async with asyncio.timeout(self._startup_s):
                return await session.tools()
        except TimeoutError:
            raise ToolsUnavailable(
                f"{self._server.shown} did not list its tools within {self._startup_s:g} s"
            ) from None

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """What came of one call; a server that fails is told to the model as well."""
        return await self.stream_openai_tool(openai_tool, unheard)

    async def stream_openai_tool(self, openai_tool: OpenAIToolCall, tell: Listener) -> ToolOutput:
        """The same; `tell` gets the progress that the server reports."""
        try:
            name, arguments = called(openai_tool)
            session = await self._session()
            async with asyncio.timeout(self._tool_s):
                return await session.output(name, arguments, tell)
        except (NotRun, MiniAgentError) as why:
            return refused(str(why))
        except TimeoutError:
            return refused(f"the call took longer than {self._tool_s:g} s and was cancelled")

    async def listed(self) -> list[McpTool]:
        """The server's tools in the protocol's own form."""
        session = await self._session()
        return await self._in_time(session.listed(), self._startup_s)

    async def result(
        self, name: str, arguments: JsonObject, progress: ProgressListener
    ) -> CallToolResult:
        """What came of one call in the protocol's own form; `ToolsUnavailable` when it took too
        long or the server cannot be reached.
        """
        session = await self._session()
        return await self._in_time(session.result(name, arguments, progress), self._tool_s)

    async def templates(self) -> list[str]:
        """The templates of the server's resources."""
        session = await self._session()
        return await self._in_time(session.templates(), self._startup_s)

    async def read(self, uri: str) -> list[str]:
        """The contents of a resource, each as text; `ToolsUnavailable` when there are none."""
        session = await self._session()
        return await self._in_time(session.read(uri), self._tool_s)

    async def _in_time(self, work: Coroutine[object, object, Result], seconds: float) -> Result:
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            raise ToolTooSlow(
                f"{self._server.shown} took longer than {seconds:g} s and was cancelled"
            ) from None

    async def _session(self) -> McpSession:
        place = self._places.setdefault(asyncio.get_running_loop(), _LoopSession())
        async with place.lock:
            return await place.session(self._server, self._startup_s)


@dataclass
class _LoopSession:
    """What an event loop has of the server: a session, or how often it would not open."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    kept: McpSession | None = None
    failures: int = 0
    not_before: float = 0.0
    last_error: ToolsUnavailable | None = None
    leaving: list[McpSession] = field(default_factory=list)

    async def session(self, server: McpTarget, startup_s: float) -> McpSession:
        if self.kept is not None and self.kept.is_open:
            return self.kept
        self._require_pause_is_over()
        opening = (await asyncio.to_thread(_session_type))(server)
        self._leave(self.kept)
        self.kept = opening
        try:
            await opening.opened(startup_s)
        except ToolsUnavailable as error:
            self._failed(error)
            raise
        except asyncio.CancelledError:
            self._leave(opening)
            raise
        self.failures, self.last_error = 0, None
        return opening

    async def aclose(self) -> None:
        self._leave(self.kept)
        self.kept = None
        for session in self.leaving:
            await session.aclose()

    def _require_pause_is_over(self) -> None:
        left = self.not_before - asyncio.get_running_loop().time()
        if self.last_error is not None and left > 0:
            raise ToolsUnavailable(f"{self.last_error.message}; it is tried again in {left:.1f} s")

    def _failed(self, error: ToolsUnavailable) -> None:
        pause = min(MIN_BACKOFF_S * 2**self.failures, MAX_BACKOFF_S)
        self.failures, self.last_error = self.failures + 1, error
        self.not_before = asyncio.get_running_loop().time() + pause

    def _leave(self, session: McpSession | None) -> None:
        """What is over is closed at the end: a server that does not go takes some seconds."""
        self.leaving = [each for each in self.leaving if not each.is_over]
        if session is not None:
            session.end()
            self.leaving.append(session)


# With the MCP SDK, which takes a second to import.
def _session_type() -> type[McpSession]:
    from mini_agent.mcp.client.session import McpSession

    return McpSession
