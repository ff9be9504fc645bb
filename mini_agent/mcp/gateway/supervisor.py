"""One MCP server that is kept: started, looked after, started again, and called."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mcp.types import CallToolResult, TextContent, Tool

from mini_agent.errors import ToolsUnavailable
from mini_agent.mcp.client.invoker import McpInvoker
from mini_agent.mcp.client.server import ProgressListener
from mini_agent.mcp.gateway.configuration import ConfiguredServer
from mini_agent.messages import JsonObject

ServerState: TypeAlias = Literal["starting", "running", "failed", "unusable", "disabled"]
CHECK_INTERVAL_S: Final = 15.0
MIN_BACKOFF_S: Final = 1.0
MAX_BACKOFF_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """How a server is, for whoever asks after it."""

    name: str
    state: ServerState
    tools: int
    error: str = ""


class ServerSupervisor:
    """INVARIANT: nothing that happens to it is raised by `run`, so that the others live on.

    One that cannot be used as it is configured is never started and says why. `redact` takes
    secrets out of what is told of it.
    """

    def __init__(self, configured: ConfiguredServer, redact: Callable[[str], str]) -> None:
        self.configured = configured
        self.known_tools: tuple[Tool, ...] = ()
        self.settled = asyncio.Event()
        self._redact = redact
        self._error = configured.problem
        self._calls, self._failures = 0, 0
        self._look = asyncio.Event()
        server = configured.server
        self._invoker = None if server is None else _create_invoker(configured)
        self.state: ServerState = "starting"
        if self._invoker is None:
            self.state = "disabled" if not configured.is_enabled else "unusable"
            self.settled.set()

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Those it has now; `known_tools` are also those it had before it failed."""
        return self.known_tools if self.state == "running" else ()

    @property
    def status(self) -> ServerStatus:
        """How it is now."""
        error = self._redact(self._error)
        return ServerStatus(self.configured.name, self.state, len(self.tools), error)

    async def run(self) -> None:
        """Keeps it until cancelled; one that fails is tried again after a growing pause."""
        if self._invoker is None:
            return
        try:
            while True:
                await self._looked_after(self._invoker)
                self.settled.set()
                self._look.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._look.wait(), self._pause_s)
        finally:
            await asyncio.shield(self._invoker.aclose())

    async def call(
        self, name: str, arguments: JsonObject, progress: ProgressListener
    ) -> CallToolResult:
        """What came of a call; `ToolsUnavailable` when it was cut or could not be made."""
        if self._invoker is None:
            raise ToolsUnavailable(f"{self.configured.name} is {self.state}: {self._error}")
        self._calls += 1
        try:
            result = await self._invoker.call_mcp_tool(name, arguments, progress)
        except ToolsUnavailable as why:
            self._look.set()
            why.message = self._redact(f"{self.configured.name}: {why.message}")
            raise
        finally:
            self._calls -= 1
        if result.is_error or self.state != "running":
            self._look.set()
        return self._without_secrets(result) if result.is_error else result

    async def _looked_after(self, invoker: McpInvoker) -> None:
        try:
            listed = await invoker.list_mcp_tools()
        except ToolsUnavailable as why:
            self.state, self._error = "failed", why.message
            self._failures += 1
            # One that is busy with a call may only be slow to answer.
            if not self._calls:
                await invoker.aclose()
        else:
            self.state, self._failures = "running", 0
            self._error = _missing_tools(listed, self.configured)
            self.known_tools = tuple(_filter_tools(listed, self.configured))

    # A server that dies tells on its stderr why, and what of.
    def _without_secrets(self, result: CallToolResult) -> CallToolResult:
        content = [
            block.model_copy(update={"text": self._redact(block.text)})
            if isinstance(block, TextContent)
            else block
            for block in result.content
        ]
        return result.model_copy(update={"content": content})

    @property
    def _pause_s(self) -> float:
        if not self._failures:
            return CHECK_INTERVAL_S
        return min(MIN_BACKOFF_S * 2.0 ** min(self._failures - 1, 16), MAX_BACKOFF_S)


def _create_invoker(configured: ConfiguredServer) -> McpInvoker | None:
    if configured.server is None:
        return None
    return McpInvoker(
        configured.server,
        startup_timeout=configured.startup_s,
        tool_timeout=configured.tool_s,
    )


def _missing_tools(listed: Iterable[Tool], configured: ConfiguredServer) -> str:
    """What to say where tools are named that the server does not have; empty where none are."""
    names = [tool.name for tool in listed]
    named = (*(configured.enabled_tools or ()), *configured.disabled_tools)
    missing = ", ".join(name for name in named if name not in names)
    if not missing:
        return ""
    return (
        f"enabled_tools or disabled_tools name what it does not have: {missing:.200}; "
        f"it has: {', '.join(names):.600}"
    )


def _filter_tools(listed: Iterable[Tool], configured: ConfiguredServer) -> Iterable[Tool]:
    enabled, disabled = configured.enabled_tools, configured.disabled_tools
    for tool in listed:
        if (enabled is None or tool.name in enabled) and tool.name not in disabled:
            yield tool
