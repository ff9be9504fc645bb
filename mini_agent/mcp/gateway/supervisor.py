"""The supervisor of one MCP server: starts, checks, restarts and calls it."""

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
from mini_agent.net.backoff import exponential_delay
from mini_agent.tools.changes import ChangeListeners

ServerState: TypeAlias = Literal["starting", "running", "failed", "unusable", "disabled"]
CHECK_INTERVAL_S: Final = 15.0
MIN_BACKOFF_S: Final = 1.0
MAX_BACKOFF_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The status of a server."""

    name: str
    state: ServerState
    tools: int
    error: str = ""


class ServerSupervisor:
    """Runs one server. INVARIANT: `run` raises no failure of it, so that other servers go on.

    A server with a wrong configuration is never started, and its status says why. `redact`
    removes secrets from messages.
    """

    def __init__(self, configured: ConfiguredServer, redact: Callable[[str], str]) -> None:
        self.configured = configured
        self.known_tools: tuple[Tool, ...] = ()
        self.settled = asyncio.Event()
        self.changes = ChangeListeners()
        self._redact = redact
        self._error = configured.problem
        self._calls, self._failures = 0, 0
        self._check_requested = asyncio.Event()
        server = configured.server
        on_change = self._check_requested.set
        self._invoker = None if server is None else _create_invoker(configured, on_change)
        self.state: ServerState = "starting"
        if self._invoker is None:
            self.state = "disabled" if not configured.is_enabled else "unusable"
            self.settled.set()

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools while it runs; `known_tools` also holds those from before a failure."""
        return self.known_tools if self.state == "running" else ()

    @property
    def status(self) -> ServerStatus:
        """The current status."""
        error = self._redact(self._error)
        return ServerStatus(self.configured.name, self.state, len(self.tools), error)

    async def run(self) -> None:
        """Run the server until cancelled; restart it after failures, with exponential backoff."""
        if self._invoker is None:
            return
        try:
            while True:
                self._check_requested.clear()
                await self._check(self._invoker)
                self.settled.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._check_requested.wait(), self._pause_s)
        finally:
            await asyncio.shield(self._invoker.aclose())

    async def call(
        self, name: str, arguments: JsonObject, progress: ProgressListener
    ) -> CallToolResult:
        """Call a tool; raises `ToolsUnavailable` where the call failed or cannot be made."""
        if self._invoker is None:
            raise ToolsUnavailable(f"{self.configured.name} is {self.state}: {self._error}")
        self._calls += 1
        try:
            result = await self._invoker.call_mcp_tool(name, arguments, progress)
        except ToolsUnavailable as why:
            self._check_requested.set()
            why.message = self._redact(f"{self.configured.name}: {why.message}")
            raise
        finally:
            self._calls -= 1
        if result.is_error or self.state != "running":
            self._check_requested.set()
        return self._redact_result(result) if result.is_error else result

    async def _check(self, invoker: McpInvoker) -> None:
        try:
            listed = await invoker.list_mcp_tools()
        except ToolsUnavailable as why:
            self.state, self._error = "failed", why.message
            self._failures += 1
            # A server that is busy with a call may only be slow to answer.
            if not self._calls:
                await invoker.aclose()
        else:
            self.state, self._failures = "running", 0
            remarks = (invoker.remark(), _missing_tools(listed, self.configured))
            self._error = "; ".join(filter(None, remarks))
            before, self.known_tools = (
                self.known_tools,
                tuple(_filter_tools(listed, self.configured)),
            )
            if before != self.known_tools:
                self.changes.report()

    # The error of a server that died holds the end of its stderr.
    def _redact_result(self, result: CallToolResult) -> CallToolResult:
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
        return exponential_delay(self._failures - 1, initial_s=MIN_BACKOFF_S, max_s=MAX_BACKOFF_S)


def _create_invoker(
    configured: ConfiguredServer, on_tools_changed: Callable[[], None]
) -> McpInvoker | None:
    if configured.server is None:
        return None
    return McpInvoker(
        configured.server,
        startup_timeout=configured.startup_s,
        tool_timeout=configured.tool_s,
        on_tools_changed=on_tools_changed,
    )


def _missing_tools(listed: Iterable[Tool], configured: ConfiguredServer) -> str:
    """Return a message on configured tools that the server does not have; empty for none."""
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
