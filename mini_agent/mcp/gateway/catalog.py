"""The gateway: MCP servers run side by side, and one catalog of their tools."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from mcp.types import CallToolResult, Tool

from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.mcp.client.server import ProgressListener
from mini_agent.mcp.gateway.configuration import Configuration
from mini_agent.mcp.gateway.supervisor import ServerStatus, ServerSupervisor
from mini_agent.messages import JsonObject
from mini_agent.tools.wrappers import prefix_name

START_TIMEOUT_S: Final = 10.0
MAX_HINT_CHARS: Final = 800


class UnknownTool(BadRequest):
    """No server has a tool of this name, or several have."""

    code = "unknown_tool"


@dataclass(frozen=True, slots=True)
class _CatalogEntry:
    server: ServerSupervisor
    tool: Tool


class ToolCatalog:
    """The tools of `servers`, which their owner runs."""

    def __init__(self, servers: Sequence[ServerSupervisor]) -> None:
        self._servers = tuple(servers)
        self._known: tuple[tuple[Tool, ...], ...] = ()
        self._named: Mapping[str, _CatalogEntry] = {}

    async def list_tools(self) -> list[Tool]:
        """List the tools of all running servers, as `server__tool`.

        Waits at most `START_TIMEOUT_S` for servers that are starting.
        """
        await self.wait_started(START_TIMEOUT_S)
        return [
            entry.tool.model_copy(update={"name": name})
            for name, entry in self._catalog().items()
            if entry.server.state == "running"
        ]

    async def call(
        self, name: str, arguments: JsonObject, progress: ProgressListener
    ) -> CallToolResult:
        """Call a tool by its long name, or by a name that only one server has.

        Raises `UnknownTool`, and `ToolsUnavailable` where the call failed or cannot be made.
        """
        entry = self._find(name)
        if entry is None:
            await self.wait_started(START_TIMEOUT_S)
            entry = self._find(name)
        if entry is None:
            known = ", ".join(self._catalog()) or "none: /health says why"
            raise UnknownTool(
                f"there is no tool {name!r:.80}",
                field="name",
                hint=f"there are: {known:.{MAX_HINT_CHARS}}",
            )
        return await entry.server.call(entry.tool.name, arguments, progress)

    def report_changes(self) -> None:
        """Have the run that is listing tools now list them anew when they change."""
        for server in self._servers:
            server.changes.add_run()

    def statuses(self) -> list[ServerStatus]:
        """Return the status of each server."""
        return [server.status for server in self._servers]

    async def wait_started(self, timeout_s: float | None = None) -> None:
        """Wait, at most `timeout_s`, until each server has started or failed to."""
        waits = [asyncio.create_task(server.settled.wait()) for server in self._servers]
        if not waits:
            return
        try:
            await asyncio.wait(waits, timeout=timeout_s)
        finally:
            for wait in waits:
                wait.cancel()

    def _find(self, name: str) -> _CatalogEntry | None:
        catalog = self._catalog()
        if name in catalog:
            return catalog[name]
        bare = [long for long, entry in catalog.items() if entry.tool.name == name]
        if len(bare) > 1:
            raise UnknownTool(
                f"several servers have a tool {name!r:.80}",
                field="name",
                hint=f"call one of them: {', '.join(bare)}",
            )
        return catalog[bare[0]] if bare else None

    def _catalog(self) -> Mapping[str, _CatalogEntry]:
        known = tuple(server.known_tools for server in self._servers)
        if known != self._known:
            self._known, self._named = known, self._build_catalog()
        return self._named

    def _build_catalog(self) -> Mapping[str, _CatalogEntry]:
        catalog: dict[str, _CatalogEntry] = {}
        for server in self._servers:
            taken: dict[str, str] = {}
            for tool in server.known_tools:
                name = prefix_name(server.configured.prefix, tool.name, taken)
                taken[name] = tool.name
                catalog.setdefault(name, _CatalogEntry(server, tool))
        return catalog


class Gateway(ToolCatalog):
    """Starts the servers of a configuration side by side; they stop at the end of `async with`."""

    def __init__(self, configuration: Configuration) -> None:
        redact = configuration.environment.redact
        super().__init__([ServerSupervisor(each, redact) for each in configuration.servers])
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(server.run()) for server in self._servers]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def require_required(self) -> None:
        """Wait until the required servers run; raises `NotConfigured` where one does not."""
        for server in self._servers:
            if not server.configured.is_required:
                continue
            await server.settled.wait()
            if server.state != "running":
                name, why = server.configured.name, server.status.error or server.state
                raise NotConfigured(f"the required MCP server {name!r} does not run: {why}")

    def select_servers(self, names: Collection[str]) -> ToolCatalog:
        """Return the catalog of these servers, which the gateway still owns."""
        return ToolCatalog([each for each in self._servers if each.configured.name in names])
