"""The invoker of one MCP server: lists and calls its tools over a session that it keeps."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from mini_agent.errors import BadRequest, MiniAgentError, ToolsUnavailable, ToolTooSlow
from mini_agent.mcp.client.server import (
    McpAddress,
    McpCommand,
    McpTarget,
    ProgressListener,
    SessionLost,
)
from mini_agent.messages import JsonObject
from mini_agent.net.backoff import exponential_delay
from mini_agent.tools.arguments import RejectedCall, parse_tool_call
from mini_agent.tools.changes import ChangeListeners
from mini_agent.tools.invoker import (
    OpenAIToolCall,
    OutputListener,
    Tool,
    ToolOutput,
    discard_output,
    error_output,
)
from mini_agent.tools.portable_tools import PORTABLE_NAME, PortableNames

if TYPE_CHECKING:
    from mcp.types import CallToolResult
    from mcp.types import Tool as McpTool

    from mini_agent.mcp.client.session import McpSession

Result = TypeVar("Result")
SessionUse: TypeAlias = "Callable[[McpSession], Awaitable[Result]]"
MAX_TIMEOUT_S: Final = 86_400.0
MIN_BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 30.0


class McpInvoker:
    """Lists and calls the tools of one MCP server, which it starts or connects to on first use.

    Their names and schemas are listed in a form that model servers take; a call may have a tool's
    listed name or its own.

    The session is current, also from run to run, until `aclose` or the end of an `async with`; each
    event loop has its own. A server that has died is started anew by the next call, after a pause
    when it would not start. It may take `startup_timeout` seconds to start and `tool_timeout` for
    a call, which is cancelled there. `on_tools_changed` is called when the server says that its
    tools have changed.
    """

    def __init__(
        self,
        server: McpTarget,
        *,
        startup_timeout: float = 30.0,
        tool_timeout: float = 60.0,
        on_tools_changed: Callable[[], None] = lambda: None,
    ) -> None:
        for name, seconds in (("startup_timeout", startup_timeout), ("tool_timeout", tool_timeout)):
            if not 0 < seconds <= MAX_TIMEOUT_S:
                raise BadRequest(
                    f"{name} must be above 0 and at most {MAX_TIMEOUT_S:g} seconds, "
                    f"not {seconds!r}",
                    field=name,
                )
        self._server = server
        self._startup_s, self._tool_s = startup_timeout, tool_timeout
        self._names = PortableNames()
        self._on_tools_changed, self._listeners = on_tools_changed, ChangeListeners()
        self._sessions: WeakKeyDictionary[AbstractEventLoop, _LoopSession] = WeakKeyDictionary()

    @classmethod
    def command(
        cls, command: str, *args: str, env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> Self:
        """Create the invoker of a server that `command` starts as a child process."""
        return cls(McpCommand(command, args, env or {}, cwd))

    @classmethod
    def address(cls, url: str, headers: Mapping[str, str] | None = None) -> Self:
        """Create the invoker of a server with streamable HTTP at `url`."""
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
        """Close the session of this event loop, and stop the server that it has started."""
        holder = self._sessions.pop(asyncio.get_running_loop(), None)
        if holder is not None:
            await asyncio.shield(holder.aclose())

    async def list_openai_tools(self) -> list[Tool]:
        """List the tools in OpenAI's format; raises `ToolsUnavailable`."""
        self._listeners.add_run()
        try:
            listed = await self._use(lambda session: session.list_openai_tools(), self._startup_s)
        except ToolTooSlow:
            raise ToolsUnavailable(
                f"{self._server.label} did not list its tools within {self._startup_s:g} s"
            ) from None
        return self._names.convert(listed)

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """Call one tool; a failure of the server is an output for the model."""
        return await self.stream_openai_tool(openai_tool, discard_output)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, listener: OutputListener
    ) -> ToolOutput:
        """Call one tool; `listener` gets the progress that the server reports."""
        try:
            name, arguments = parse_tool_call(openai_tool)

            async def call(session: McpSession) -> ToolOutput:
                own_name = await self._find_own_name(session, name)
                return await session.stream_tool(own_name, arguments, listener)

            return await self._use(call, self._tool_s)
        except ToolTooSlow:
            return error_output(f"the call took longer than {self._tool_s:g} s and was cancelled")
        except (RejectedCall, MiniAgentError) as why:
            return error_output(str(why))

    async def _find_own_name(self, session: McpSession, name: str) -> str:
        """Return the server's name of a tool; one that may be portable is looked up once."""
        if name not in self._names and not self._names.is_filled and PORTABLE_NAME.fullmatch(name):
            self._names.convert(await session.list_openai_tools())
        return self._names.own_name(name)

    async def list_mcp_tools(self) -> list[McpTool]:
        """List the tools as the server describes them; raises `ToolsUnavailable`."""
        return await self._use(lambda session: session.list_mcp_tools(), self._startup_s)

    async def call_mcp_tool(
        self, name: str, arguments: JsonObject, progress: ProgressListener
    ) -> CallToolResult:
        """Call one tool and return the result as the server sends it; raises `ToolsUnavailable`."""
        return await self._use(
            lambda session: session.call_mcp_tool(name, arguments, progress), self._tool_s
        )

    def remark(self) -> str:
        """Return what is wrong with a server that works all the same; empty for nothing."""
        holder = self._sessions.get(asyncio.get_running_loop())
        return holder.current.remark if holder is not None and holder.current is not None else ""

    async def list_templates(self) -> list[str]:
        """List the URI templates of the server's resources."""
        return await self._use(lambda session: session.list_templates(), self._startup_s)

    async def read_resource(self, uri: str) -> list[str]:
        """Return the contents of a resource as texts; raises `ToolsUnavailable`."""
        return await self._use(lambda session: session.read_resource(uri), self._tool_s)

    async def _use(self, work: SessionUse[Result], seconds: float) -> Result:
        """Return what `work` does in the session, or in a new one where the server lost it.

        INVARIANT: a session that is lost has begun nothing, so nothing is done twice.
        """
        try:
            return await self._use_once(work, seconds)
        except SessionLost:
            return await self._use_once(work, seconds)

    async def _use_once(self, work: SessionUse[Result], seconds: float) -> Result:
        session = await self._session()
        try:
            with session.in_use():
                async with asyncio.timeout(seconds):
                    return await work(session)
        except SessionLost:
            session.end()
            raise
        except TimeoutError:
            raise ToolTooSlow(
                f"{self._server.label} took longer than {seconds:g} s and was cancelled"
            ) from None

    async def _session(self) -> McpSession:
        holder = self._sessions.setdefault(asyncio.get_running_loop(), _LoopSession())
        async with holder.lock:
            return await holder.session(self._server, self._startup_s, self._change_tools)

    def _change_tools(self) -> None:
        self._names.is_filled = False
        self._listeners.report()
        self._on_tools_changed()


@dataclass
class _LoopSession:
    """The session of one event loop, and the backoff after failed starts."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    current: McpSession | None = None
    failures: int = 0
    retry_at: float = 0.0
    last_error: ToolsUnavailable | None = None
    closing: list[McpSession] = field(default_factory=list)

    async def session(
        self, server: McpTarget, startup_s: float, on_tools_changed: Callable[[], None]
    ) -> McpSession:
        if self.current is not None and self.current.is_open:
            return self.current
        self._require_backoff_over()
        opening = (await asyncio.to_thread(_import_session))(server, on_tools_changed)
        self._retire(self.current)
        self.current = opening
        try:
            await opening.wait_until_open(startup_s)
        except ToolsUnavailable as error:
            self._record_failure(error)
            raise
        except asyncio.CancelledError:
            self._retire(opening)
            raise
        self.failures, self.last_error = 0, None
        return opening

    async def aclose(self) -> None:
        self._retire(self.current)
        self.current = None
        for session in self.closing:
            await session.aclose()

    def _require_backoff_over(self) -> None:
        left = self.retry_at - asyncio.get_running_loop().time()
        if self.last_error is not None and left > 0:
            raise ToolsUnavailable(f"{self.last_error.message}; it is tried again in {left:.1f} s")

    def _record_failure(self, error: ToolsUnavailable) -> None:
        pause = exponential_delay(self.failures, initial_s=MIN_BACKOFF_S, max_s=MAX_BACKOFF_S)
        self.failures, self.last_error = self.failures + 1, error
        self.retry_at = asyncio.get_running_loop().time() + pause

    def _retire(self, session: McpSession | None) -> None:
        """End a session; it is closed later, because a server may take seconds to stop."""
        self.closing = [each for each in self.closing if not each.is_over]
        if session is not None:
            session.end()
            self.closing.append(session)


# Imports the MCP SDK, which takes a second.
def _import_session() -> type[McpSession]:
    from mini_agent.mcp.client.session import McpSession

    return McpSession
